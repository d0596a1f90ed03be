"""The reminder on a carrier's desk, on paper: one sheet of A4 with a QR code that leads to `/leave`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from huanxin.paper.sheet import ACCENT, LINE, MARGIN, MUTED, WIDTH, Sheet
from huanxin.words.i18n import html_lang, translations
from huanxin.words.sentences import N_

HEAD = N_("Before you cancel or transfer your number")
WHY = N_("Accounts, wallets and caller labels stay tied to a number after you have gone. Whoever gets it next could get "
         "into them.")  # fmt: skip
STEPS = (
    N_("Scan the code with your phone, or open the address."),
    N_("Sign in with your number and the code that comes by SMS."),
    N_("Give another way to sign in to each account that you keep."),
    N_("Choose services: they cut their ties to your number."),
)
WHEN = N_("Do it before you sign at the desk: afterwards the number is no longer yours.")
_MADE = datetime(2026, 1, 1, tzinfo=UTC)  # one text, one file, to the last byte
_CODE, _BALL, _STEP = 78.0, 9.0, 17.0  # mm


@lru_cache(maxsize=4)  # it costs a second
def poster_pdf(address: str, lang: str) -> bytes:
    """The sheet in one of i18n.LANGUAGES; `address` stands on it, as text and as a code."""
    say = translations(lang).gettext
    sheet = Sheet(title=say(HEAD), lang=html_lang(lang), made_at=_MADE)
    sheet.frame(10, color=ACCENT, weight=0.5)
    sheet.mark(MARGIN - 2.4, 22, 14)
    sheet.text(MARGIN + 13, 25, say("Huanxin"), size=15, bold=True)
    below = sheet.text(MARGIN, 44, say(HEAD), size=30, bold=True, leading=1.3)
    below = sheet.text(MARGIN, below + 4, say(WHY), size=14, leading=1.5)
    below = _steps(sheet, below + 8, say)
    sheet.qr((WIDTH - _CODE) / 2, below + 6, _CODE, address)
    below = sheet.text(MARGIN, below + 6 + _CODE + 6, address, size=14, bold=True, align="C")
    sheet.rule(below + 5, color=LINE)
    sheet.text(MARGIN, below + 8, say(WHEN), size=11, color=MUTED, align="C")
    return sheet.done()


def _steps(sheet: Sheet, y: float, say: Callable[[str], str]) -> float:
    """The numbered steps; where they end."""
    for place, words in enumerate(STEPS, start=1):
        sheet.text(MARGIN, y, str(place), size=20, bold=True, color=ACCENT, width=_BALL)
        below = sheet.text(MARGIN + _BALL, y + 1, say(words), size=15, width=WIDTH - 2 * MARGIN - _BALL, leading=1.4)
        y = max(y + _STEP - 5, below + 4)
    return y
