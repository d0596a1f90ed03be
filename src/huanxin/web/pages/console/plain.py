"""Errors of the verbs in the reader's language. The texts are those that the verbs raise, with names for what varies."""

from __future__ import annotations

import re
from functools import cache

from huanxin.domain.errors import BadInput, HuanxinError
from huanxin.sentences import N_
from huanxin.web import i18n

_MOST_LINES = 20

KNOWN = (
    N_("you proposed this, so another supervisor has to decide on it"),
    N_("%(who)s may not do this; it needs the role %(roles)s. Ask an admin of this platform"),
    N_("proposal %(id)s was approved by %(who)s already"),
    N_("proposal %(id)s was declined by %(who)s already"),
    N_("proposal %(id)s was withdrawn by %(who)s already"),
    N_("only %(who)s may withdraw this proposal; decline it instead"),
    N_("say why it is declined; whoever proposed it reads it"),
    N_("batch %(id)s holds numbers of other carriers; somebody for all carriers has to act on it"),
    N_("no number of batch %(id)s is clear and unreleased now; its page says what each waits for"),
    N_("a release of batch %(id)s is proposed already and waits for a second person"),
    N_("this partner keeps none of these numbers open, so there is nothing to waive"),
    N_("nothing of this batch is clear any more, so nothing was released; decline the proposal"),
    N_("the partner has answered for these numbers meanwhile, so there is nothing to waive; decline it"),
    N_("say why the platform should go on without this answer; the reason is recorded"),
    N_("batch %(id)s was not sent to this partner, so there is nothing to waive"),
    N_("nothing is waited for on batch %(id)s, so there is nobody to remind"),
    N_("no answer to batch %(id)s is overdue, so there is nothing to escalate; a reminder can go out now"),
    N_("no partner is registered, so nobody can answer; add one with `huanxin partner add`"),
    N_("a retraction needs who orders it and why; both are recorded"),
    N_("%(count)s of the numbers are not in batch %(id)s, so none was taken back"),
    N_("all of these numbers were taken back from batch %(id)s before; nothing changes"),
    N_("%(number)s is not in batch %(id)s"),
    N_("name the numbers that are taken back, in the field or as a file"),
    N_("choose the partner whose answer is gone without"),
    N_("give the numbers in the field or as a file, not both, so that it is clear which are meant"),
    N_("more than %(count)s lines are a file; send one"),
    N_("%(file)s: %(count)s lines can't be read, so none was taken"),
    N_("%(count)s lines can't be read, so none was taken"),
    N_("the first line must name the columns %(names)s; %(missing)s is missing (the line reads: %(line)s)"),
    N_("the text is neither UTF-8 nor GB18030; save it as CSV in UTF-8"),
    N_("the file can't be read as an Excel workbook (%(why)s); save it again as .xlsx or CSV"),
    N_("the workbook is too large to be a list of numbers; export the column as CSV and send that"),
    N_("the file can't be read as Parquet: %(why)s; send it again"),
    N_("the file can't be read as CSV: %(why)s"),
    N_("%(found)s columns where the header has %(wanted)s"),
    N_("the number is empty"),
    N_("%(text)s is a number that a spreadsheet rounded; export the column as text"),
    N_("%(number)s has no country code; write +86 before it"),
    N_("not an E.164 number; write + and the country code, then digits only, like +8613800138000"),
    N_("the hold names no number; give a file with a column number"),
    N_("a hold needs its source (the authority and its order) and its reason"),
    N_("a hold from the console needs the number of the authority's order"),
    N_("write the last day and the day of review like 2026-12-31"),
    N_("the last day lies before today, so the hold would keep nothing frozen"),
    N_("the day of review has to lie between today and the last day"),
    N_("some of these numbers are not your carrier's; somebody for all carriers has to act on them"),
    N_("hold %(id)s was lifted by %(who)s on %(day)s already"),
    N_("say why the hold is lifted"),
    N_("other carriers have reported this number or own it; somebody for all carriers has to look"),
    N_("there is no proposal %(id)s"),
    N_("choose a purpose of the list"),
    N_("write the ticket or order that this is for; it is recorded"),
)  # fmt: skip
"""With a longer text before any shorter one that it could be taken for."""


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    def pattern(text: str) -> re.Pattern[str]:
        parts = re.split(r"%\((\w+)\)s", text)
        return re.compile("".join(re.escape(one) if at % 2 == 0 else f"(?P<{one}>.+)" for at, one in enumerate(parts)))

    return tuple((pattern(text), text) for text in KNOWN)


def plain(text: str, lang: str) -> str:
    """A text that a verb raised in one of i18n.LANGUAGES; as it is if it has no translation."""
    for pattern, known in _patterns():
        found = pattern.fullmatch(text)
        if found:
            said = i18n.translations(lang).gettext(known) % found.groupdict()
            return said[:1].upper() + said[1:]
    return text


def lines_of(error: HuanxinError, lang: str) -> list[tuple[int, str]]:
    """The bad lines of an input: line (0: none in particular) and what is wrong, the first ones of many."""
    faults = error.faults if isinstance(error, BadInput) else ()
    return [(one.line, plain(one.reason, lang)) for one in faults[:_MOST_LINES]]
