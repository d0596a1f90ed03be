"""Every word of the pages has its Chinese, and no translation outlives its page."""

from __future__ import annotations

import re

from babel.messages.catalog import Catalog

from huanxin.words import catalog


def _keys(messages: Catalog) -> set[str]:
    return {str(message.id) for message in messages if message.id}


def _holes(texts: object) -> set[str]:
    """The placeholders of a message, over all its plural forms."""
    return set(re.findall(r"%\((\w+)\)s", str(texts)))


def test_the_catalogue_holds_exactly_the_words_in_use() -> None:
    used, stored = _keys(catalog.used()), _keys(catalog.stored())
    assert used
    assert used - stored == set(), "run: python -m huanxin.words.catalog, then translate"
    assert stored - used == set(), "stale, run: python -m huanxin.words.catalog"


def test_every_message_has_its_chinese() -> None:
    missing = [message.id for message in catalog.stored() if message.id and not any(message.string or ())]
    assert missing == []


def test_translations_use_the_same_placeholders() -> None:
    for message in catalog.stored():
        assert _holes(message.id) == _holes(message.string), message.id


def test_chinese_says_nin_and_raises_no_voice() -> None:
    for message in catalog.stored():
        text = str(message.string)
        assert not set(text) & set("你！!"), text


def test_no_space_stands_between_two_chinese_sentences() -> None:
    """Between two sentences a template writes {{ gap }}, which is a space in English alone."""
    between = re.compile(r'[.:?]"(, [^{}]*)?\) }}(</strong>)? +({{|<a )')
    spaced = [path.name for path in (catalog.HOUSE / "web/templates").rglob("*.html") if between.search(path.read_text())]
    assert spaced == []
    for message in catalog.stored():
        assert not re.search("[。；：，？] ", str(message.string)), message.string
