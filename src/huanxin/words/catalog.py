"""Keeps the Chinese catalogue in step: `python -m huanxin.words.catalog` adds words of the pages and drops stale ones."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from huanxin.words.i18n import CHINESE, DEFAULT

HOUSE = Path(__file__).parent.parent
_TEMPLATES = "web/templates/**.html"
METHODS = [("**.py", "python"), (_TEMPLATES, "jinja2.ext:babel_extract")]
OPTIONS = {_TEMPLATES: {"silent": "false", "trimmed": "true"}}
KEYWORDS = {**DEFAULT_KEYWORDS, "Sentence": None}
"""What marks a message: gettext's own words, and `Sentence("...")`, from which layer ever it may reach a page."""


def used() -> Catalog:
    """Every message that the templates, the pages and the errors that they show use, with the files that use it."""
    found = Catalog(charset="utf-8", project="huanxin")
    for name, _, message, comments, context in extract_from_dir(HOUSE, METHODS, OPTIONS, KEYWORDS):
        found.add(message, None, [(Path(name).as_posix(), 0)], auto_comments=comments, context=context)
    return found


def stored() -> Catalog:
    """The catalogue as it stands in its file."""
    with CHINESE.open("rb") as source:
        return read_po(source, locale=DEFAULT)


def update() -> None:
    """Write the catalogue anew: same translations, new messages empty, stale ones gone."""
    catalogue = stored()
    catalogue.update(used(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    with CHINESE.open("wb") as target:
        write_po(target, catalogue, width=0, sort_output=True, no_location=True, omit_header=True)


if __name__ == "__main__":
    update()
