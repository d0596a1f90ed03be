"""`/verify`, open to anyone, and `/certificate`, which shows a certificate to its holder.

No address holds a phone number, since addresses end up in logs and histories: a QR code leads to `/verify/ce_…`, which shows
the number masked; whoever was shown the certificate enters the number that they read on it, and learns whether it is that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from huanxin.disclose import verifying
from huanxin.disclose.printing import certificate_pdf
from huanxin.disclose.verifying import Finding, Verdict
from huanxin.domain.errors import BadInput, TooLarge, TooMany
from huanxin.domain.numbers import written
from huanxin.store.acting import VISITOR
from huanxin.store.disclose import certificates
from huanxin.store.disclose.certificates import Certificate
from huanxin.web.bodies import has_its_own_limit
from huanxin.web.context import Context
from huanxin.web.pages import owners, session
from huanxin.web.pages.certificate import words
from huanxin.web.pages.certificate.data import holder_view, result_view
from huanxin.web.pages.render import error_page, render
from huanxin.web.pages.routes import html, language
from huanxin.web.pages.views import ErrorView
from huanxin.words.i18n import translations
from huanxin.words.sentences import N_

router = APIRouter(include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
_PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
_LONGEST_FORM, _READ_AT_MOST = 16_384, 2 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A filled form; `too_long` if more came than anyone writes, and then there are no fields."""

    fields: dict[str, str]
    too_long: bool = False

    def get(self, name: str) -> str:
        return self.fields.get(name, "").strip()


async def filled(request: Request) -> Filled:
    """The form that was sent. What is too long is read and dropped, so that the browser gets to see the answer; raises
    TooLarge where that would take long."""
    has_its_own_limit(request)
    body, read = bytearray(), 0
    async for chunk in request.stream():
        read += len(chunk)
        if read > _READ_AT_MOST:
            raise TooLarge("this form is far larger than a certificate; nothing of it was read")
        if read <= _LONGEST_FORM:
            body += chunk
    if read > _LONGEST_FORM:
        return Filled(fields={}, too_long=True)
    fields = parse_qs(body.decode("utf-8", "replace"))
    return Filled(fields={name: values[0] for name, values in fields.items()})


Sent = Annotated[Filled, Depends(filled)]


def _page(request: Request, template: str, status: int = 200, **values: object) -> Response:
    answer = html(request, render(f"certificate/{template}", language(request), **values))
    answer.status_code = status
    answer.headers.update(_PRIVATE)
    return answer


@router.get("/verify")
def start(request: Request) -> Response:
    """Where to paste a certificate."""
    return _page(request, "verify.html", problem="", here="/verify")


@router.post("/verify", dependencies=_FORMS)
def check(request: Request, form: Sent) -> Response:
    """The answer to a pasted text; a pasted address or number leads to its own page."""
    given = form.get("text")
    if form.too_long or not given:
        problem, status = (words.TOO_LONG, 413) if form.too_long else (words.EMPTY, 422)
        return _page(request, "verify.html", status, problem=problem, here="/verify")
    context: Context = request.app.state.context
    with context.platform.read() as seen:
        finding = verifying.verify(seen, given)
    if finding.certificate and not finding.text_given:
        return RedirectResponse(f"/verify/{finding.certificate.id}", status_code=303)
    return _result(request, finding)


@router.get("/verify/{certificate_id}")
def check_by_id(request: Request, certificate_id: str) -> Response:
    """The answer to a scanned code."""
    context: Context = request.app.state.context
    with context.platform.read() as seen:
        finding = verifying.verify(seen, certificate_id)
    return _result(request, finding, status=200 if finding.certificate else 404)


@router.post("/verify/{certificate_id}", dependencies=_FORMS)
def compare(request: Request, certificate_id: str, form: Sent) -> Response:
    """Whether the number that somebody reads on the certificate is the certified one."""
    context: Context = request.app.state.context
    same, problem, status = None, "", 200
    with context.platform.act(VISITOR) as act:
        finding = verifying.verify(act, certificate_id)
        if finding.certificate is None:
            return _result(request, finding, status=404)
        try:
            same = verifying.same_number(act, finding.certificate, form.get("number"))
        except BadInput:
            problem, status = words.NO_NUMBER, 422
        except TooMany:
            problem, status = words.TOO_OFTEN, 429
    return _result(request, finding, status=status, same=same, problem=problem)


def _result(
    request: Request, finding: Finding, *, status: int = 200, same: bool | None = None, problem: str = ""
) -> Response:
    context: Context = request.app.state.context
    view = result_view(finding, context.platform.plan, context.platform.now(), same=same, problem=problem)
    return _page(request, "result.html", status, view=view, here="", before=words.BEFORE, revoked=words.REVOKED)


class NotHolder(Exception):
    """Whoever asks is not signed in with a number that has a certificate."""


def not_holder(request: Request, _: Exception) -> Response:
    """What is shown instead."""
    view = ErrorView(
        status=403, happened=N_("Your certificate is not open here"),
        meaning=N_("A certificate is shown to whoever has signed in with its number, for some hours."),
        todo=N_("Sign in with your number under active renewal, and ask for the certificate there."),
    )  # fmt: skip
    answer = html(request, error_page(language(request), view))
    answer.status_code = view.status
    return answer


def holders(request: Request) -> tuple[Finding, Certificate]:
    """The newest certificate of the tenure of whoever is signed in, and how it stands. Raises NotHolder."""
    context: Context = request.app.state.context
    try:
        tenure = (who := owners.owner(request)).standing.current
    except owners.OwnerSignsIn as error:
        raise NotHolder from error
    with context.platform.read() as seen:
        day = tenure.opened_on if tenure else None
        made = certificates.of_tenure(seen.tx, who.number, day) if day else []
        finding = verifying.verify(seen, made[0].id) if made else None
    if finding is None or finding.certificate is None:
        raise NotHolder
    return finding, finding.certificate


Held = Annotated[tuple[Finding, Certificate], Depends(holders)]


@router.get("/certificate")
def certificate(request: Request, held: Held) -> Response:
    """The certificate as a page."""
    context: Context = request.app.state.context
    finding, one = held
    label = translations(language(request)).gettext(N_("QR code with the address at which this certificate is checked"))
    view = holder_view(finding, one, context.platform.plan, context.platform.issuer, label)
    return _page(request, "certificate.html", view=view, here="", before=words.BEFORE)


@router.get("/certificate.pdf")
def certificate_on_paper(request: Request, held: Held) -> Response:
    """The certificate as a PDF; only while it is good."""
    context: Context = request.app.state.context
    finding, one = held
    if finding.verdict is not Verdict.VALID:
        return RedirectResponse("/certificate", status_code=303)
    pdf = certificate_pdf(one, issuer=context.platform.issuer, carrier=context.platform.plan.carriers[one.carrier])
    name = f"certificate-{written(one.number).lstrip('+')}.pdf"
    return Response(pdf, media_type="application/pdf", headers=_PRIVATE | _attached(name))


@router.get("/certificate.jwt")
def certificate_as_text(held: Held) -> Response:
    """The signed text, byte for byte."""
    return Response(held[1].token, media_type="application/jwt", headers=_PRIVATE | _attached("certificate.jwt"))


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
