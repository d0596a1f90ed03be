"""Keeps the catalogues and the pages in step: `python -m huanxin.web.catalog` adds new words and drops stale ones."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from huanxin.web.i18n import LANGUAGES, LOCALES

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


def stored(lang: str) -> Catalog:
    """The catalogue of one language as it stands in its file."""
    with _file(lang).open("rb") as source:
        return read_po(source, locale=lang)


def update() -> None:
    """Write both catalogues anew: same translations, new messages empty, stale ones gone."""
    template = used()
    for lang in LANGUAGES:
        catalogue = stored(lang) if _file(lang).exists() else Catalog(locale=lang, charset="utf-8", project="huanxin")
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        with _file(lang).open("wb") as target:
            write_po(target, catalogue, width=0, sort_output=True, no_location=True, omit_header=True)


def _file(lang: str) -> Path:
    return LOCALES / lang / "LC_MESSAGES" / "messages.po"


if __name__ == "__main__":
    update()
