"""Sentences for people: English where they are made, in the reader's language where a page shows them."""

from __future__ import annotations

from typing import Self


class Sentence(str):
    """English text that remembers how it was made: `template`, which stands in the catalogues of the pages (web/locale),
    with `values` in its `%(name)s` places. A value may be a Sentence too. Programs, logs and the API see plain text."""

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        made = super().__new__(cls, template % values)
        made.template, made.values = template, values
        return made


def N_(template: str) -> str:
    """Mark a template for the catalogue where it isn't made into a Sentence at once."""
    return template
