"""Operators and who did what, for admins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from huanxin.access import people
from huanxin.domain.errors import BadInput, Conflict, Forbidden, HuanxinError, NotFound
from huanxin.domain.numbers import masked_text
from huanxin.domain.operators import Operator, Right, Role
from huanxin.store.access import operators
from huanxin.store.access.operators import OperatorEvent
from huanxin.store.database import Tx
from huanxin.web.pages import flash, labels, session
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.frame import carrier_names, page
from huanxin.web.pages.console.number import unmasking
from huanxin.web.pages.console.sheets import as_csv, in_pieces
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.console.team.words import ROLES
from huanxin.words.sentences import N_, Sentence

router = APIRouter(prefix="/console", include_in_schema=False)
_FORMS = [Depends(session.same_origin)]
Admin = Annotated[Working, Depends(signing.working(Right.PEOPLE))]
Roles = Annotated[list[str] | None, Form()]
_PAGE = 200
_OPERATORS = ("login", "name", "carrier", "roles", "enabled")
_EVENTS = ("id", "at", "login", "what", "by", "details")
_DETAILS = {
    "how": N_("how"), "roles": N_("roles"), "number": N_("number"), "numbers": N_("how many numbers"),
    "blocked": N_("of which not for sale"),
    "prefix": N_("prefix"), "purpose": N_("what for"), "ticket": N_("ticket"), "disclosure": N_("record"),
    "batch": N_("batch"), "upload": N_("upload"), "lines": N_("lines"), "carrier": N_("carrier"),
    "until": N_("until"), "tokens": N_("tokens"), "must_change": N_("has to choose their own"),
}  # fmt: skip
_VALUES = {
    **ROLES, **labels.CARRIERS, **unmasking.PURPOSES, **unmasking.LIST_PURPOSES, "password": N_("password"),
    "password and code": N_("password and authenticator"), "disclosure": N_("a disclosure"),
    "mend the report": N_("to mend the report"),
}  # fmt: skip
_BLANK: dict[str, object] = {"login": "", "name": "", "carrier": "", "roles": []}


@router.get("/people")
def everyone(request: Request, who: Admin, done: flash.JustDone, format: str = "") -> Response:
    """Every operator with their roles, and the form for another; or the operators as CSV."""
    if format == "csv":
        with who.platform.read() as seen:
            known = _theirs(seen.tx, who.operator)
        rows = ((one.login, one.name, one.carrier, " ".join(sorted(one.roles)), one.enabled) for one in known)
        return as_csv("operators", _OPERATORS, rows)
    return _people(request, who, done=done.what)


@router.post("/people", dependencies=_FORMS)
def add(
    request: Request, who: Admin, login: Annotated[str, Form()] = "", name: Annotated[str, Form()] = "",
    carrier: Annotated[str, Form()] = "", roles: Roles = None,
) -> Response:  # fmt: skip
    """Add an operator; the first password is shown once."""
    by = who.operator.login
    given = {"login": login, "name": name, "carrier": carrier, "roles": roles or []}
    carrier = carrier or who.operator.carrier or ""
    if not who.operator.sees([carrier]):
        raise Forbidden(
            Sentence("%(login)s works with the numbers of %(carrier)s only", login=by, carrier=who.operator.carrier)
        )
    try:
        with who.act() as act:
            made = people.add_operator(
                act, login=login.strip().casefold(), name=name, roles=roles or [], carrier=carrier or None
            )
            password = people.first_password(act, made.login)
    except (BadInput, Conflict) as error:
        return _people(request, who, status=422, given=given, problem=error)
    return _people(request, who, secret=(made.login, password))


@router.post("/people/{login}", dependencies=_FORMS)
def change(request: Request, who: Admin, login: str, do: Annotated[str, Form()], roles: Roles = None) -> Response:
    """Change roles, lock out, let in again, or give a new first password."""
    by = who.operator.login
    if login == by and do != "password":
        return _people(request, who, status=409, problem=Conflict(Sentence("another admin has to change your own roles")))
    try:
        with who.act() as act:
            _one(act.tx, who.operator, login)
            if do == "password":
                password = people.first_password(act, login)
            elif do == "roles":
                people.set_roles(act, login, roles or [])
            elif do in ("enable", "disable"):
                people.set_enabled(act, login, do == "enable")
            else:
                raise BadInput(Sentence("%(do)s is nothing that can be done to an operator", do=do))
    except BadInput as error:
        return _people(request, who, status=422, problem=error)
    if do == "password":
        return _people(request, who, secret=(login, password))
    return flash.after(request, "/console/people", do)


def _people(
    request: Request, who: Working, *, status: int = 200, given: Mapping[str, object] | None = None,
    problem: HuanxinError | None = None, secret: tuple[str, str] | None = None, done: str = "",
) -> Response:  # fmt: skip
    with who.platform.read() as seen:
        found = _theirs(seen.tx, who.operator)
    return page(
        request, who, "people.html", status, tab="people", people=found, roles=list(Role), given=_BLANK | dict(given or {}),
        carriers=carrier_names(who), problem=problem.said if problem else "", secret=secret, done=done,
    )  # fmt: skip


def _theirs(tx: Tx, admin: Operator) -> list[Operator]:
    """The people whom an admin sees to: everybody, or those of the one carrier that they are limited to. Else they could
    give anybody, and so themselves, what is not theirs."""
    return [one for one in operators.everyone(tx) if _sees_to(admin, one)]


def _sees_to(admin: Operator, person: Operator) -> bool:
    return admin.carrier in (None, person.carrier)


def _one(tx: Tx, admin: Operator, login: str) -> Operator:
    """One of them. Raises NotFound, for somebody else as for nobody."""
    found = people.named(tx, login)
    if not _sees_to(admin, found):
        raise NotFound(people.nobody(login))
    return found


@router.get("/audit")
def audit(
    request: Request, who: Admin, login: str = "", kind: str = "", before: int | None = None, format: str = ""
) -> Response:
    """What operators did and what was done to them, newest first; as CSV all of it. Admins see no number, so those that
    a detail holds are masked."""
    with who.platform.read() as seen:
        person = operators.by_login(seen.tx, login.strip().casefold()) if login else None
        person = person if person and _sees_to(who.operator, person) else None
        unknown = bool(login) and person is None
        of = person.id if person else None

        def read(last: int | None, most: int) -> list[OperatorEvent]:
            if unknown:
                return []
            found = operators.events(
                seen.tx, operator_id=of, carrier=who.operator.carrier, kind=kind or None, before=last or before, most=most
            )
            return [replace(one, detail=_masked(one.detail)) for one in found]

        if format == "csv":
            return as_csv("who-did-what", _EVENTS, (
                (one.id, one.at, one.login, one.kind, one.recorded_by, json.dumps(one.detail, ensure_ascii=False))
                for one in in_pieces(read, lambda event: event.id)
            ))  # fmt: skip
        found = read(None, _PAGE)
    more = found[-1].id if len(found) == _PAGE else None
    return page(
        request, who, "audit.html", tab="audit", events=found, login=login, unknown=unknown, kind=kind, more=more,
        details=_DETAILS, values=_VALUES,
    )  # fmt: skip


def _masked(detail: Any) -> Any:
    """What is on record of an event, its numbers masked: an admin has no right over them (docs/decisions/0011)."""
    if isinstance(detail, dict):
        return {key: _masked(value) for key, value in detail.items()}
    if isinstance(detail, list):
        return [_masked(value) for value in detail]
    return masked_text(detail) if isinstance(detail, str) else detail
