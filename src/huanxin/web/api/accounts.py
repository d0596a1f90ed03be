"""`/partner/v1/accounts` and `/partner/v1/account`: companies connect by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ValidationError

from huanxin.connect import proving
from huanxin.connect.todo import what_to_do
from huanxin.domain.accounts import Account, Known, SelfTest, checklist, state
from huanxin.domain.clock import Clock
from huanxin.domain.errors import NotFound
from huanxin.domain.partners import Scope
from huanxin.onboarding.accounts import Onboarding
from huanxin.store.connect import selftests
from huanxin.store.connect.selftests import StepDone
from huanxin.web.api import account_schemas as schemas
from huanxin.web.api.bodies import JsonObject, JsonObjectOrNothing
from huanxin.web.api.schemas import needs, problems
from huanxin.web.context import Context, calling_partner
from huanxin.web.limits import Limit, network_of
from huanxin.words.sentences import Sentence
from huanxin_partner.rehearsal import magic
from huanxin_partner.rehearsal.words import MENDS, SCENARIOS

TAG = {"name": "Connecting", "description": "From an account of the sandbox to the first notice."}
router = APIRouter(prefix="/partner/v1", tags=[TAG["name"]])
_HOUR = timedelta(hours=1)
_Body = TypeVar("_Body", bound=BaseModel)


@dataclass(kw_only=True)
class AccountLimits:
    """How often things may be done that cost the platform, or others, something."""

    clock: Clock
    registering: Limit = field(init=False)
    proving: Limit = field(init=False)
    rehearsing: Limit = field(init=False)
    choosing: Limit = field(init=False)

    def __post_init__(self) -> None:
        self.registering = Limit(what=Sentence("registering from this address"), most=10, per=_HOUR, clock=self.clock)
        self.proving = Limit(what=Sentence("looking for the challenge"), most=30, per=_HOUR, clock=self.clock)
        self.rehearsing = Limit(what=Sentence("rehearsals"), most=60, per=_HOUR, clock=self.clock)
        self.choosing = Limit(what=Sentence("choosing folders"), most=30, per=_HOUR, clock=self.clock)


def _onboarding(request: Request) -> Onboarding:
    found: Onboarding = request.app.state.onboarding
    return found


def _limits(request: Request) -> AccountLimits:
    found: AccountLimits = request.app.state.account_limits
    return found


def _account(request: Request, scope: Scope) -> Account:
    """The account whose token of the sandbox the request shows. Raises Unauthorized or Forbidden."""
    sandbox: Context = request.app.state.sandbox
    return _onboarding(request).of_client(calling_partner(request, scope, sandbox).client_id)


def _reader(request: Request) -> Account:
    return _account(request, Scope.SSF_READ)


def _manager(request: Request) -> Account:
    return _account(request, Scope.SSF_MANAGE)


Reader = Annotated[Account, Depends(_reader)]
Manager = Annotated[Account, Depends(_manager)]


@router.post(
    "/accounts", status_code=201, summary="Register a company",
    response_description="The account, and its secret, once.",
    response_model=schemas.Welcome,
    responses=problems(400, 409, 422, 429), openapi_extra=schemas.takes(schemas.Registration),
)  # fmt: skip
def register(request: Request, body: JsonObject) -> Response:
    """Open to anyone, a few times an hour from one address. Makes an account and its partner in the sandbox, whose
    `client_secret` is shown this once."""
    wanted = read_as(schemas.Registration, body)
    onboarding = _onboarding(request)
    _limits(request).registering.take(network_of(request.client.host if request.client else None))
    made = onboarding.register(name=wanted.name, kind=wanted.kind, domain=wanted.domain, endpoint=wanted.endpoint)
    sandbox = {
        "issuer": made.sandbox_issuer,
        "client_id": made.account.sandbox_client_id,
        "client_secret": made.client_secret,
    }
    body = {"account": made.account.id, "challenge": _challenge(onboarding, made.account), "sandbox": sandbox}
    return _secret(body)


@router.get(
    "/account", summary="The caller's account: its state and what is still to do", response_model=schemas.AccountView,
    responses=problems(401, 403), openapi_extra=needs(Scope.SSF_READ),
)  # fmt: skip
def account(request: Request, caller: Reader) -> Response:
    """Called with an access token of the sandbox (scope `ssf.read`), as everything below."""
    return JSONResponse(_view(_onboarding(request), caller))


@router.post(
    "/account/domain-proof", summary="Look for the challenge at the domain", response_model=schemas.AccountView,
    responses=problems(401, 403, 409, 429), openapi_extra=needs(Scope.SSF_MANAGE),
)  # fmt: skip
def prove(request: Request, caller: Manager) -> Response:
    """Looks for the file, then for the TXT entry. 409 says what was found instead, and what to do."""
    onboarding = _onboarding(request)
    _limits(request).proving.take(caller.id)
    onboarding.prove_domain(caller)
    return JSONResponse(_view(onboarding, caller))


@router.post(
    "/account/selftest", status_code=202,
    response_description="It runs; follow it at Location.",
    summary="Run the self-test in the sandbox", response_model=schemas.Started,
    responses=problems(401, 403, 409, 429), openapi_extra=needs(Scope.SSF_MANAGE),
)  # fmt: skip
def start_selftest(request: Request, caller: Manager) -> Response:
    """The platform drives the sandbox stream, pushed to or polled, with made-up numbers, for a minute or two. The ties of
    `huanxin-partner magic-ties` have to be in the partner's test database. Follow the run at `Location`."""
    onboarding = _onboarding(request)
    _limits(request).rehearsing.take(caller.id)
    run = onboarding.selftests.begin(caller, by=caller.sandbox_client_id)
    return JSONResponse({"run": run}, status_code=202, headers={"Location": f"/partner/v1/account/selftest/{run}"})


@router.get(
    "/account/selftest/{run_id}", summary="How far a self-test is, and what it found", response_model=schemas.RunView,
    responses=problems(401, 403, 404), openapi_extra=needs(Scope.SSF_READ),
)  # fmt: skip
def selftest(request: Request, run_id: str, caller: Reader) -> Response:
    """Each scenario stands here as soon as it is done. `interrupted`: the platform was stopped meanwhile; start again."""
    with _onboarding(request).live.read() as seen:
        run = selftests.get(seen.tx, caller.id, run_id)
        steps = selftests.steps_of(seen.tx, run_id) if run else []
    if run is None:
        raise NotFound(f"there is no self-test {run_id} of this account")
    return JSONResponse({**run_view(run), "of": len(SCENARIOS), "scenarios": [step_view(step) for step in steps]})


@router.post(
    "/account/notice", status_code=201,
    response_description="The notice is on its way.",
    summary="Send a rehearsal notice now", response_model=schemas.Rehearsal,
    responses=problems(401, 403, 429), openapi_extra=needs(Scope.SSF_MANAGE),
)  # fmt: skip
def send_notice(request: Request, caller: Manager) -> Response:
    """A notice of the magic numbers, by the sandbox stream, pushed or polled. What was answered stands at the sandbox's
    `/partner/v1/notices`."""
    onboarding = _onboarding(request)
    _limits(request).rehearsing.take(caller.id)
    notice = onboarding.send_notice(caller)
    expected = {number: sorted(outcomes) for number, outcomes in magic.EXPECTED.items()}
    return JSONResponse({"notice": notice, "rehearsal": True, "expected": expected}, status_code=201)


@router.post(
    "/account/live", status_code=201,
    response_description="The live credentials, once.",
    summary="Go live: take the live credentials", response_model=schemas.Live,
    responses=problems(400, 401, 403, 409, 422),
    openapi_extra=needs(Scope.SSF_MANAGE) | schemas.takes(schemas.GoLive),
)  # fmt: skip
def go_live(request: Request, caller: Manager, body: JsonObjectOrNothing) -> Response:
    """Once the self-test passed and an operator has admitted the account. `client_secret` is shown this once. `endpoint`
    is the live one; without it the live stream is polled, until the SSF API makes it a push stream. A verification
    event is sent at once."""
    onboarding = _onboarding(request)
    made = onboarding.go_live(caller, endpoint=read_as(schemas.GoLive, body).endpoint)
    return _secret(
        {"issuer": onboarding.live.issuer, "client_id": made.partner.client_id, "client_secret": made.client_secret,
         "required": made.partner.required, "scopes": list(made.partner.scopes)}
    )  # fmt: skip


def read_as(kind: type[_Body], body: dict[str, Any]) -> _Body:
    """A body as what it has to be. Raises RequestValidationError naming what is wrong."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


def _secret(body: dict[str, Any]) -> Response:
    return JSONResponse(body, status_code=201, headers={"Cache-Control": "no-store"})


def _challenge(onboarding: Onboarding, account: Account) -> dict[str, str]:
    return {
        "text": account.challenge, "file": proving.file_url(account, development=onboarding.proof.development),
        "dns_name": proving.record_name(account), "dns_txt": proving.record_value(account),
    }  # fmt: skip


def _view(onboarding: Onboarding, account: Account) -> dict[str, Any]:
    known = onboarding.known(account)
    return account_view(known, onboarding) | {"challenge": _challenge(onboarding, account)}


def account_view(known: Known, onboarding: Onboarding) -> dict[str, Any]:
    """An account as the API and `huanxin partner accounts --json` tell of it."""
    account = known.account
    items = checklist(known, onboarding.live.now())
    return {
        "account": account.id, "name": account.name, "kind": account.kind.value, "domain": account.domain,
        "state": state(known), "sandbox": {"client_id": account.sandbox_client_id, "endpoint": known.sandbox_endpoint},
        "live": {"endpoint": known.live_endpoint},
        "checklist": [
            {"step": one.step.value, "done": one.done, "at": one.at.isoformat() if one.at else None,
             "why": one.why.value if one.why else None, "todo": what_to_do(one), "note": one.note}
            for one in items
        ],
        "selftests": [run_view(run) for run in known.selftests[:10]],
    }  # fmt: skip


def run_view(run: SelfTest) -> dict[str, Any]:
    """A self-test in short."""
    return {
        "run": run.id, "state": run.state.value, "endpoint": run.endpoint, "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
    }  # fmt: skip


def step_view(step: StepDone) -> dict[str, Any]:
    """What came of a scenario, in both languages."""
    mend = step.found["mend"]
    return {
        "scenario": step.scenario, "title": SCENARIOS[step.scenario]._asdict(), "state": step.state,
        "seconds": round(step.seconds, 3), "seen": {"zh": step.found["zh"], "en": step.found["en"]},
        "mend": mend or None, "how": MENDS[mend]._asdict() if mend else None,
    }  # fmt: skip
