"""Sentences for people: English where they are made, in the reader's language where a page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self


class Sentence(str):
    """English text that remembers how it was made: `template`, which stands in the catalogue of the pages (words/zh_CN.po),
    with `values` in its `%(name)s` places. A value may be a Sentence too. Programs, logs and the API see plain text."""

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        made = super().__new__(cls, template % values)
        made.template, made.values = template, values
        return made


def packed(text: str) -> str | dict[str, Any]:
    """A text as JSON that remembers how a Sentence was made, to be kept and said later in any language."""
    if not isinstance(text, Sentence):
        return text
    values = {
        name: one if isinstance(one, int) else packed(one if isinstance(one, str) else str(one))
        for name, one in text.values.items()
    }
    return {"template": text.template, "values": values}


def unpacked(kept: str | Mapping[str, Any]) -> str:
    """The text that `packed` made JSON of."""
    if isinstance(kept, str):
        return kept
    values = {name: one if isinstance(one, int) else unpacked(one) for name, one in kept["values"].items()}
    template = kept["template"]
    return Sentence(template, **values)


def N_(template: str) -> str:
    """Mark a template for the catalogue where it isn't made into a Sentence at once."""
    return template
