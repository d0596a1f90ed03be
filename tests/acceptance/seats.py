"""Somebody at work in the console: a real browser in one language, from the sign-in in the morning to the evening."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, expect

from acceptance.browsing import axe, fits, open_tab
from huanxin.words.i18n import translations
from operators import PASSWORD
from town import Town


@dataclass(kw_only=True)
class Seat:
    """Somebody's browser, and the words of its language."""

    page: Page
    complaints: list[str]
    place: Town
    lang: str

    def say(self, words: str, **filled: object) -> str:
        """The English words as they stand on a page of this language."""
        told = translations(self.lang).gettext(words)
        return told % filled if filled else told

    def go(self, room: str) -> None:
        self.page.goto(f"{self.place.url}/console/{room}")

    def press(self, words: str) -> None:
        self.page.get_by_role("button", name=self.say(words)).first.click()

    def unfold(self, words: str) -> None:
        self.page.locator("summary").filter(has_text=self.say(words)).first.click()

    def heading(self, words: str, **filled: object) -> None:
        expect(self.page.locator("h1")).to_have_text(self.say(words, **filled))

    def told(self, words: str) -> None:
        expect(self.page.locator(".once[role=status]")).to_contain_text(self.say(words))

    def sound(self) -> None:
        """The page is in this language, fits, and axe-core finds nothing."""
        assert self.page.locator("html").get_attribute("lang") == self.lang.replace("_", "-")
        assert (axe(self.page), fits(self.page)) == ([], True), self.page.url

    def turned_away(self, *rooms: str) -> None:
        """These doors are shut, and what stands there says whom to ask."""
        assert self.complaints == []
        for room in rooms:
            answer = self.page.goto(f"{self.place.url}/console/{room}")
            assert answer
            assert answer.status == 403, room
            self.heading("This page is not open to you")
        self.sound()
        assert all("403" in one for one in self.complaints), self.complaints
        self.complaints.clear()


@contextmanager
def seat(browser: Browser, place: Town, lang: str, login: str, size: str = "desk") -> Iterator[Seat]:
    """Sign in in the morning, out in the evening."""
    page, complaints = open_tab(browser, size, lang=lang.replace("_", "-"))
    taken = Seat(page=page, complaints=complaints, place=place, lang=lang)
    taken.go("sign-in")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.locator("main .button.primary").click()
    page.wait_for_url(re.compile(r"/console/(?!sign-in)\w+$"))
    yield taken
    taken.go("me")
    taken.press("Sign out")
    taken.go("me")
    expect(page.locator("#password")).to_have_count(1)
    assert complaints == []
    page.context.close()
