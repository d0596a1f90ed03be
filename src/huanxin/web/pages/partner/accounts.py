"""The pages on which a company connects by itself: register, the checklist, the self-test, going live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from huanxin.connect import proving
from huanxin.connect.registering import key_of
from huanxin.domain.accounts import Account, Item, RunState, SelfTest, ToDo, checklist, missing, state
from huanxin.domain.errors import BadInput, Conflict, HuanxinError, NotFound, TooMany, Unauthorized
from huanxin.domain.partners import Kind
from huanxin.domain.streams import Method, method_of
from huanxin.onboarding.accounts import Onboarding
from huanxin.store.connect import selftests
from huanxin.store.connect.selftests import StepDone
from huanxin.web.api.accounts import AccountLimits
from huanxin.web.limits import network_of
from huanxin.web.pages import session
from huanxin.web.pages.partner import signing
from huanxin.web.pages.partner.frame import page
from huanxin.web.pages.partner.signing import Caller
from huanxin.web.pages.partner.views import Who
from huanxin.words.sentences import Sentence
from huanxin_partner.rehearsal import magic
from huanxin_partner.rehearsal.words import MENDS, SCENARIOS

router = APIRouter(include_in_schema=False)
_FORMS = [Depends(session.same_origin)]


@dataclass(frozen=True, kw_only=True)
class AccountPage:
    """An account with its checklist. `proof` says where the challenge goes; `secret` is shown this once."""

    who: Who
    account: Account
    state: str
    items: tuple[Item, ...]
    runs: tuple[SelfTest, ...]
    file_url: str
    record_name: str
    record_value: str
    may_go_live: bool
    problem: str = ""
    secret: tuple[str, str, str] | None = None
    """issuer, client_id and client_secret"""


@dataclass(frozen=True, kw_only=True)
class RunPage:
    """A self-test with what came of each scenario so far."""

    who: Who
    run: SelfTest
    steps: tuple[StepDone, ...]
    of: int

    @property
    def by_files(self) -> bool:
        return method_of(self.run.endpoint) is Method.FILES

    @property
    def running(self) -> bool:
        return self.run.state is RunState.RUNNING


def sandbox_caller(request: Request) -> Caller:
    """Whoever is signed in, in the sandbox."""
    return signing.caller(request, "sandbox")


def _onboarding(request: Request) -> Onboarding:
    found: Onboarding | None = getattr(request.app.state, "onboarding", None)
    if found is None:
        raise NotFound(Sentence("this platform has no sandbox"))
    return found


def _limits(request: Request) -> AccountLimits:
    found: AccountLimits = request.app.state.account_limits
    return found


Rehearsing = Annotated[Caller, Depends(sandbox_caller)]
Ordering = Annotated[Onboarding, Depends(_onboarding)]


@router.get("/register")
def register_form(request: Request, _: Ordering) -> Response:
    """The form."""
    return page(request, "register.html", given={}, problem="", kinds=list(Kind))


@router.post("/register", dependencies=_FORMS)
def register(
    request: Request, onboarding: Ordering, name: Annotated[str, Form()] = "", kind: Annotated[str, Form()] = "",
    domain: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Make an account; the credentials of the sandbox are shown once, and whoever registered is signed in."""
    given = {"name": name, "kind": kind, "domain": domain}
    try:
        _limits(request).registering.take(network_of(request.client.host if request.client else None))
        made = onboarding.register(name=name, kind=kind, domain=domain)
    except (BadInput, Conflict, TooMany) as error:
        if isinstance(error, Conflict) and _is_theirs(request, onboarding, name):
            return RedirectResponse("/partner/sandbox/account", status_code=303)
        status = 429 if isinstance(error, TooMany) else 422
        return page(request, "register.html", status, given=given, problem=error.said, kinds=list(Kind))
    client_id = made.account.sandbox_client_id
    who = Who(name=made.account.name, client_id=client_id, env="sandbox")
    answer = _account_page(
        request, onboarding, who, made.account, secret=(made.sandbox_issuer, client_id, made.client_secret)
    )
    signing.remember_client(answer, request, "sandbox", client_id, made.client_secret)
    return answer


def _is_theirs(request: Request, onboarding: Onboarding, name: str) -> bool:
    """Whether this browser registered the name before: the form was sent twice, or its answer loaded again."""
    client_id = signing.clients(request).get("sandbox")
    try:
        return client_id is not None and key_of(onboarding.of_client(client_id).name) == key_of(name)
    except Unauthorized:
        return False


@router.get("/sandbox/account")
def account(request: Request, caller: Rehearsing, onboarding: Ordering) -> Response:
    """What is done and what is missing."""
    return _account_page(request, onboarding, caller.who, onboarding.of_client(caller.partner.client_id))


@router.post("/sandbox/account/domain", dependencies=_FORMS)
def prove(request: Request, caller: Rehearsing, onboarding: Ordering) -> Response:
    """Look for the challenge at the domain."""
    found = onboarding.of_client(caller.partner.client_id)
    return _tried(request, caller, onboarding, found, lambda: _prove(request, onboarding, found))


def _prove(request: Request, onboarding: Onboarding, found: Account) -> Response | None:
    _limits(request).proving.take(found.id)
    onboarding.prove_domain(found)
    return None


@router.post("/sandbox/account/live", dependencies=_FORMS)
def go_live(request: Request, caller: Rehearsing, onboarding: Ordering, endpoint: Annotated[str, Form()] = "") -> Response:
    """Take the live credentials, shown once."""
    found = onboarding.of_client(caller.partner.client_id)

    def take() -> Response:
        made = onboarding.go_live(found, endpoint=endpoint.strip() or None)
        secret = (onboarding.live.issuer, made.partner.client_id, made.client_secret)
        # Who is signed in has a live side from now on.
        return _account_page(request, onboarding, sandbox_caller(request).who, found, secret=secret)

    return _tried(request, caller, onboarding, found, take)


@router.post("/sandbox/selftest", dependencies=_FORMS)
def start(request: Request, caller: Rehearsing, onboarding: Ordering) -> Response:
    """Begin a self-test, and show it."""
    found = onboarding.of_client(caller.partner.client_id)

    def begin() -> Response:
        _limits(request).rehearsing.take(found.id)
        run = onboarding.selftests.begin(found, by=caller.partner.client_id)
        return RedirectResponse(f"/partner/sandbox/selftest/{run}", status_code=303)

    return _tried(request, caller, onboarding, found, begin)


@router.get("/sandbox/selftest/{run_id}")
def selftest(request: Request, caller: Rehearsing, onboarding: Ordering, run_id: str) -> Response:
    """How far a self-test is, what it found and how to mend that; it reloads by itself while it runs."""
    found = onboarding.of_client(caller.partner.client_id)
    with onboarding.live.read() as seen:
        run = selftests.get(seen.tx, found.id, run_id)
        steps = selftests.steps_of(seen.tx, run_id) if run else []
    if run is None:
        raise NotFound(Sentence("there is no self-test %(run)s of this account", run=run_id))
    view = RunPage(who=caller.who, run=run, steps=tuple(steps), of=len(SCENARIOS))
    return page(request, "selftest.html", view=view, tab="account", scenarios=SCENARIOS, mends=MENDS)


@router.post("/sandbox/notice", dependencies=_FORMS)
def send_notice(request: Request, caller: Rehearsing, onboarding: Ordering) -> Response:
    """Send a rehearsal notice of the magic numbers now, and show it."""
    found = onboarding.of_client(caller.partner.client_id)

    def send() -> Response:
        _limits(request).rehearsing.take(found.id)
        return RedirectResponse(f"/partner/sandbox/notices/{onboarding.send_notice(found)}", status_code=303)

    return _tried(request, caller, onboarding, found, send)


def _tried(
    request: Request, caller: Caller, onboarding: Onboarding, found: Account, do: Callable[[], Response | None]
) -> Response:
    """Do something, and show the account's page with what was wrong if it can't be done."""
    try:
        answer = do()
    except (BadInput, Conflict, TooMany) as error:
        return _account_page(request, onboarding, caller.who, found, problem=error)
    return answer or RedirectResponse("/partner/sandbox/account", status_code=303)


def _account_page(
    request: Request, onboarding: Onboarding, who: Who, found: Account, *, problem: HuanxinError | None = None,
    secret: tuple[str, str, str] | None = None,
) -> Response:  # fmt: skip
    known = onboarding.known(found)
    items = checklist(known, onboarding.live.now())
    ready = (
        ToDo.REGISTERED,
        ToDo.DOMAIN,
        ToDo.ENDPOINT,
        ToDo.SELFTEST,
        ToDo.ADMITTED,
    )
    view = AccountPage(
        who=who, account=found, state=state(known), items=tuple(items), runs=tuple(known.selftests[:10]),
        file_url=proving.file_url(found, development=onboarding.proof.development),
        record_name=proving.record_name(found), record_value=proving.record_value(found),
        may_go_live=not missing(items, *ready) and state(known) != "live", secret=secret,
        problem=problem.said if problem else "",
    )  # fmt: skip
    status = 409 if problem else 200
    return page(request, "account.html", status, view=view, tab="account", magic=magic.EXPECTED)
