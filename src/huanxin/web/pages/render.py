"""Values to pages. One Jinja2 environment a language, made once."""

from __future__ import annotations

import hashlib
from contextvars import ContextVar
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, FileSystemBytecodeCache, PackageLoader, StrictUndefined

from huanxin.domain.clock import by_law
from huanxin.domain.numbers import masked_text
from huanxin.figures.batch_body import OutcomeCounts, PartnerRow
from huanxin.outbound import recalled
from huanxin.web.pages import charts, labels
from huanxin.web.pages.views import BatchesView, ErrorView, HomeView, PublicBatch
from huanxin.words import i18n
from huanxin.words.saying import say, sentence_of, translated
from huanxin.words.sentences import N_

TEXT_SIZE: ContextVar[str] = ContextVar("text_size", default="")
"""The size of text in pixels that a reader in elders' mode (关怀模式) wants; empty without it. Set by `elders`."""
QUERY: ContextVar[str] = ContextVar("query", default="")
"""What stands in the page's address beside size and language. Set by web/pages/elders.py."""
STATIC = Path(__file__).parent.parent / "static"
SERVER = 500
"""Statuses from here on are our fault, below the caller's (RFC 9110 section 15)."""

NAV = (("/renew", N_("Renew")), ("/leave", N_("Leave")), ("/verify", N_("Verify")), ("/help", N_("Help")),
       ("/watch", N_("Bulletin")), ("/partner", N_("Partners")))  # fmt: skip
"""Address and name of each entry of the header."""


def render(template: str, lang: str, **values: Any) -> str:
    """A template of `templates/` in one of i18n.LANGUAGES, with its values escaped."""
    return environment(lang).get_template(template).render(**values)


def home_page(lang: str, view: HomeView, threshold: int) -> str:
    """The first page: where people, partners and operators go from here, and figures."""
    return render("home.html", lang, view=view, threshold=threshold, here="/")


def help_page(lang: str) -> str:
    """For people: what to do, and what Huanxin never does."""
    return render("help.html", lang, here="/help")


def batches_page(lang: str, view: BatchesView, threshold: int) -> str:
    """The latest batches, as anybody may see them."""
    return render("batches.html", lang, view=view, threshold=threshold, here="")


def batch_page(lang: str, view: PublicBatch, threshold: int, as_of: datetime) -> str:
    """One batch, as anybody may see it."""
    return render("batch.html", lang, view=view, threshold=threshold, as_of=as_of, here="")


def docs_page(lang: str) -> str:
    """The API's description, drawn in the browser."""
    return render("docs.html", lang, here="/docs")


def error_page(lang: str, view: ErrorView) -> str:
    """A problem, in plain words."""
    return render("error.html", lang, view=view, here="")


def error_view(status: int, reference: str = "", said: str = "") -> ErrorView:
    """The words for an HTTP status; `said` is a sentence that tells more."""
    happened, meaning, todo = ERRORS.get(status, ERRORS[SERVER if status >= SERVER else 400])
    return ErrorView(status=status, happened=happened, meaning=said or meaning, todo=todo, reference=reference)


ERRORS = {
    400: (N_("We could not use this request"), N_("Nothing was changed."), N_("Go back and check what you entered.")),
    403: (N_("This page is not open to you"), N_("Nothing was changed."),
          N_("Sign in with an account that may see it, or ask whoever runs this site.")),
    404: (N_("There is no page at this address"), N_("It may have moved, or the address was cut off."),
          N_("Check the address, or start from the first page.")),
    429: (N_("Too many requests came from you at once"), N_("This one was not carried out."),
          N_("Wait a minute, then try again.")),
    SERVER: (N_("Something broke on our side"),
          N_("What was recorded before is safe; this step may not have been carried out."),
          N_("Try again in a minute. If it happens again, tell whoever runs this site and quote the reference.")),
    503: (N_("We can't answer just now"), N_("Nothing was changed. The service is starting or being looked after."),
          N_("Try again in a minute.")),
}  # fmt: skip


def total(rows: list[PartnerRow]) -> OutcomeCounts:
    """All partners together, in (number, partner) pairs."""
    return OutcomeCounts.total_of(rows)


@cache
def asset(name: str) -> str:
    """The address of a static file, with the start of its digest, so that browsers may keep it for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def again(**changed: str) -> str:
    """The address of the page that is shown, in another size or language; what else stands in it stays."""
    return f"?{urlencode([*parse_qsl(QUERY.get(), keep_blank_values=True), *changed.items()])}"


def _unsent() -> str:
    """What became of something that was sent after the sign-in had ended, as the address says (web/pages/unsent.py)."""
    return dict(parse_qsl(QUERY.get())).get("unsent", "")


def _compiled() -> FileSystemBytecodeCache | None:
    """Where compiled templates are kept from one start to the next: the first visitor would wait for each of their pages. In
    the user's own folder for temporary files; without one they are compiled each time."""
    try:
        return FileSystemBytecodeCache()
    except (RuntimeError, OSError):
        return None


@cache
def environment(lang: str) -> Environment:
    """The templates in one language, with its figures, dates and words at hand."""
    env = Environment(
        loader=PackageLoader("huanxin.web", "templates"),
        bytecode_cache=_compiled(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_gettext_translations(i18n.translations(lang), newstyle=True)  # type: ignore[attr-defined]
    env.policies["ext.i18n.trimmed"] = True
    for name in ("figure", "short", "whole", "day", "day_short", "moment", "stamp", "clock", "seconds", "span"):
        env.filters[name] = partial(_in_language, getattr(i18n, name), lang)
    env.filters["quoted"] = masked_text
    env.tests["counted_by_law"] = by_law
    env.filters["recalled"] = recalled
    env.filters["say"] = partial(_in_language, say, lang)
    env.filters["sentence"] = partial(_in_language, sentence_of, lang)
    env.globals.update(
        lang=lang, html_lang=i18n.html_lang(lang), other="en" if lang == "zh_CN" else "zh_CN", nav=NAV, asset=asset,
        outcome_names=translated(labels.OUTCOMES, lang), retracted_names=translated(labels.RETRACTED, lang),
        gate_names=translated(labels.GATE, lang),
        kind_names=translated(labels.KINDS, lang), all_outcomes=translated(labels.ALL_OUTCOMES, lang),
        reason_names=translated(labels.REASONS, lang), breach_names=translated(labels.BREACHES, lang),
        carrier_names=translated(labels.CARRIERS, lang), icons=labels.ICONS, icon_of=labels.ICON_OF,
        semicolon="；" if lang == "zh_CN" else "; ",
        gap="" if lang == "zh_CN" else " ", comma="、" if lang == "zh_CN" else ", ", colon="：" if lang == "zh_CN" else ": ",
        care=TEXT_SIZE.get, again=again, unsent=_unsent, zone_name=partial(i18n.zone_name, lang), slivers=charts.slivers,
        share=partial(_share, lang),
    )  # fmt: skip
    return env


def _in_language(write: Any, lang: str, value: Any) -> Any:
    return write(value, lang)


def _share(lang: str, part: int, of: int) -> str:
    return i18n.percent(part, of, lang)
