"""Texts in the reader's language: what the code writes in English, and words that come from outside in both."""

from __future__ import annotations

from dataclasses import dataclass

from huanxin.words import i18n
from huanxin.words.sentences import Sentence

_STOPS = (".", "!", "?", ":", "…", "。", "！", "？", "：")


@dataclass(frozen=True, kw_only=True)
class Words:
    """A text that comes from outside the catalogues, in both languages."""

    zh: str
    en: str


Text = str | Words
"""A plain string reads the same in both languages (a name, a file)."""


def say(text: Text, lang: str) -> str:
    """A text in one language: Words by their language, a Sentence with its values, a plain string through the catalogue
    (itself if not there)."""
    if isinstance(text, Words):
        return text.zh if lang == "zh_CN" else text.en
    if isinstance(text, Sentence):
        values = {name: say(one, lang) if isinstance(one, Sentence) else one for name, one in text.values.items()}
        return i18n.translations(lang).gettext(text.template) % values
    return i18n.translations(lang).gettext(text) if text else ""


def sentence_of(text: Text, lang: str) -> str:
    """A text as a sentence of a page: an error's message, which programs read too, has no capital and no stop."""
    said = say(text, lang)
    if isinstance(text, Sentence) and text.template[:1].islower():
        said = said[:1].upper() + said[1:]
    return said if not said or said.endswith(_STOPS) else said + ("。" if lang == "zh_CN" else ".")


def translated(names: dict[str, str], lang: str) -> dict[str, str]:
    return {key: say(name, lang) for key, name in names.items()}
