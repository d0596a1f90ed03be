"""Carriers' reports: what was imported, uploading another, and the bad lines to mend."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from huanxin.acts import mending
from huanxin.domain.errors import BadInput, Forbidden, HuanxinError, NotFound, TooLarge, TooSlow
from huanxin.domain.lifecycle import EVENTS
from huanxin.domain.numbers import masked_text
from huanxin.domain.operators import Right
from huanxin.domain.problems import status_of
from huanxin.numbersets import delimited, tables
from huanxin.report.checking import Checked
from huanxin.store.access import operators
from huanxin.store.report import reports, uploads, waiting
from huanxin.store.report.uploads import Upload
from huanxin.web.pages import flash, session
from huanxin.web.pages.console import signing, waiting_reports
from huanxin.web.pages.console.forms import Form, kept
from huanxin.web.pages.console.frame import back, carrier_names, page
from huanxin.web.pages.console.pool.words import BASELINE_NAMES, EVENT_NAMES
from huanxin.web.pages.console.sheets import one_of, saved
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.console.uploaded_reports import SHOWN, upload_report
from huanxin.web.pages.console.uploading import received
from huanxin.web.pages.routes import language
from huanxin.words.saying import say
from huanxin.words.sentences import Sentence

router = APIRouter(prefix="/console", include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
Reporter = Annotated[Working, Depends(signing.working(Right.REPORTS))]
BASELINE = "baseline"
_PAGE = 100
_REFUSED = 20


@router.get("/reports")
def everything(
    request: Request, who: Reporter, carrier: str = "", before: int | None = None, format: str = "", table: str = ""
) -> Response:
    """The imports, newest first, and the form for another; as CSV the imports or what was refused."""
    if format == "csv":
        return _csv(who, who.operator.carrier or carrier or None, table=table, before=before, lang=language(request))
    return _reports(request, who, carrier=carrier, before=before)


def _csv(who: Working, carrier: str | None, *, table: str, before: int | None, lang: str) -> Response:
    """All of one of the tables."""
    heads = ("report", "carrier", "file", "lines", "accepted", "known", "rejected", *EVENTS, "by", "at")
    with who.platform.read() as seen:
        return one_of("reports", {
            "imports": (heads, (
                (one.id, one.carrier, masked_text(one.file_name), one.lines, one.accepted, one.known, one.rejected,
                 *(one.counts.get(event, 0) for event in EVENTS), one.recorded_by, one.recorded_at)
                for one in reports.newest(seen.tx, carrier=carrier, before=before, most=None)
            )),
            "refused": (("upload", "file", "carrier", "bad_lines", "why", "by", "at"), (
                (one.id, masked_text(one.file_name), one.carrier, one.bad_lines, say(masked_text(one.refusal), lang),
                 one.recorded_by, one.recorded_at)
                for one in uploads.refused(seen.tx, carrier=carrier)
            )),
        }, table)  # fmt: skip


@router.post("/reports", dependencies=_FORMS)
async def upload(request: Request, who: Reporter) -> Response:
    """Look at a report, and ask whether to take it; what became of one that can't be taken stands on a page of its own."""
    try:
        async with received(request) as sent:
            carrier = sent.fields.get("carrier") or who.operator.carrier or ""
            if not who.operator.sees([carrier]):
                raise Forbidden(
                    Sentence(
                        "%(login)s works with the numbers of %(carrier)s only",
                        login=who.operator.login,
                        carrier=who.operator.carrier,
                    )
                )
            if sent.path is None or carrier not in who.platform.plan.carriers:
                missing = "file" if sent.path is None else "carrier"
                return await to_thread.run_sync(lambda: _reports(request, who, status=422, problem=missing))
            long = sent.length > delimited.BLOCK or tables.takes_long(sent.path)
            limiter = who.context.large if long else None
            asked = (sent.path, carrier, sent.fields, language(request))
            address = await to_thread.run_sync(_offer, who, *asked, limiter=limiter)
    except (TooLarge, TooSlow) as error:
        status, problem = (413, "large") if isinstance(error, TooLarge) else (408, "slow")
        return await to_thread.run_sync(lambda: _reports(request, who, status=status, problem=problem))
    return back(address)


def _offer(who: Working, path: Path, carrier: str, fields: Mapping[str, str], lang: str) -> str:
    """Look at a report: the page where its sender decides; if there is nothing to decide, what became of it."""
    most, skip_bad, first_day = who.context.limits.most_bytes, "skip_bad" in fields, fields.get("kind") == BASELINE
    found = waiting_reports.looked_at(who.platform, path, carrier=carrier, most_bytes=most, first_day=first_day)
    if found and not found.already and (not found.refusal or (skip_bad and found.kinds)):
        made = waiting_reports.keep(who.platform, path, found, carrier=carrier, skip_bad=skip_bad, who=who.operator)
        return f"/console/reports/waiting/{made}"
    done = upload_report(
        who.platform, path, carrier=carrier, by=who.operator.login, skip_bad=skip_bad, most_bytes=most, first_day=first_day,
        say=lambda text: say(text, lang), checked=found.stored() if found else None,
    )  # fmt: skip
    return f"/console/reports/uploads/{done}"


@router.get("/reports/uploads/{upload_id}")
def outcome(request: Request, who: Reporter, upload_id: int) -> Response:
    """What became of an upload."""
    one = _upload(who, upload_id)
    with who.platform.read() as seen:
        report = reports.get(seen.tx, one.report_id) if one.report_id else None
    names = BASELINE_NAMES if report and report.kind == BASELINE else EVENT_NAMES
    events = [(name, report.counts.get(word, 0)) for word, name in names.items()] if report else []
    checked = Checked.shown_again(one.checked) if one.checked else None
    return page(request, who, "upload.html", tab="reports", one=one, report=report, events=events, shown=SHOWN,
                checked=checked, said=EVENT_NAMES | BASELINE_NAMES, most=who.context.limits.most_bytes)  # fmt: skip


@router.post("/reports/uploads/{upload_id}/rejects", dependencies=_FORMS)
def rejects(who: Reporter, upload_id: int) -> Response:
    """Every bad line of an upload with its whole number, to mend and upload again; who took it is recorded."""
    one = _upload(who, upload_id)
    with who.act() as act:
        packed = uploads.rejects_of(act.tx, upload_id)
        if packed is None:
            raise NotFound(Sentence("upload %(upload_id)s has no bad lines to mend", upload_id=upload_id))
        operators.note(
            act.tx, who.operator.id, "unmasked", by=act.by, at=act.now,
            detail={"upload": upload_id, "lines": one.bad_lines, "purpose": "mend the report"},
        )  # fmt: skip
    return saved(f"rejects-{upload_id}.csv", gzip.decompress(packed))


def _upload(who: Working, upload_id: int) -> Upload:
    with who.platform.read() as seen:
        one = uploads.get(seen.tx, upload_id)
    if one is None or not who.operator.sees([one.carrier]):
        raise NotFound(Sentence("there is no upload %(upload_id)s", upload_id=upload_id))
    return one


@router.post("/reports/withdraw", dependencies=_FORMS)
def withdraw(request: Request, who: Reporter, form: Form) -> Response:
    """Propose to withdraw a report."""
    try:
        mending.propose_withdrawal(who.platform, form.number("report") or 0, reason=form["reason"], by=who.operator)
    except HuanxinError as error:
        return _reports(request, who, status=status_of(error), mend=error)
    return flash.after(request, "/console/approvals", "mend")


@router.post("/reports/correct", dependencies=_FORMS)
def correct(request: Request, who: Reporter, form: Form) -> Response:
    """Propose to correct single events."""
    file, carrier = form.file("file"), form["carrier"] or who.operator.carrier or ""
    if file is None:
        return _reports(request, who, status=422, problem="file")
    try:
        with kept(file, who.context) as path:
            mending.propose_correction(who.platform, path, carrier=carrier, reason=form["reason"], by=who.operator)
    except HuanxinError as error:
        return _reports(request, who, status=status_of(error), mend=error)
    return flash.after(request, "/console/approvals", "mend")


def _reports(
    request: Request, who: Working, *, status: int = 200, carrier: str = "", before: int | None = None, problem: str = "",
    mend: HuanxinError | None = None,
) -> Response:  # fmt: skip
    chosen = who.operator.carrier or carrier or None
    with who.platform.read() as seen:
        found = reports.newest(seen.tx, carrier=chosen, before=before, most=_PAGE)
        bad = uploads.with_rejects(seen.tx, [one.id for one in found])
        refused = uploads.refused(seen.tx, carrier=chosen, most=_REFUSED)
        waits = waiting.of_person(seen.tx, who.operator.id, seen.now)
    more = found[-1].id if len(found) == _PAGE else None
    return page(
        request, who, "reports.html", status, tab="reports", reports=found, bad=bad, refused=refused, waits=waits,
        carrier=chosen or "", carriers=carrier_names(who), problem=problem, more=more, events=EVENT_NAMES,
        most=who.context.limits.most_bytes,
        mend_problem=mend and mend.said, mend_faults=mend.faults[:SHOWN] if isinstance(mend, BadInput) else (),
    )  # fmt: skip
