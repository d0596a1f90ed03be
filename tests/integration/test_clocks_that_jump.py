"""What a clock that jumps may not do: release a number early, give up an event, lock somebody out, leave no key to sign."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from typer.testing import CliRunner

from clocks import Clock, World
from exchanging import register
from huanxin.access import people, signing_in
from huanxin.access.signing_in import TRIES, TryResult
from huanxin.acts import Platform, open_platform
from huanxin.acts.batches import decide, release
from huanxin.acts.desk import certify
from huanxin.cli.main import app
from huanxin.domain.clock import APART
from huanxin.domain.errors import ClockInDoubt, TooMany, Unauthorized
from huanxin.domain.numbers import chinese_plan
from huanxin.domain.operators import Operator
from huanxin.domain.partners import Kind, NewPartner, Scope
from huanxin.domain.rules import Rules
from huanxin.notify import partners
from huanxin.release.proposals import Outcome
from huanxin.release.waiving import waive
from huanxin.request import codes
from huanxin.request.codes import CodeRules
from huanxin.signing import keys
from huanxin.signing.keys import Signer
from huanxin.store import jobs
from huanxin.store.access import operators
from huanxin.store.connect import credentials
from huanxin.store.database import Database, Tx
from huanxin.store.notify import deliveries
from huanxin.store.notify.deliveries import NewDelivery
from huanxin.store.plan import plannings
from huanxin.web.app import create_app
from huanxin.web.limits import Limit
from huanxin.work import planning
from huanxin.work.planning import Planner
from huanxin.work.workers import Impatience
from operators import PASSWORD, browsing, operator
from ordering import acting, imported, plan_now, release_proposed, send_now
from serving import served
from town import settings_of

YEAR = timedelta(days=365)
NUMBER = "+8613800138000"
SECRET = "a passphrase"
Report = Callable[..., Path]


# What decides ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def world(database: Database) -> World:
    """As in production: not on a database for simulated clocks."""
    with database.transaction() as tx:
        tx.execute("UPDATE clock SET simulated = false")
    return World(database=database)


def start(world: World) -> Platform:
    """A process that starts on the machine as it is."""
    return Platform(
        database=world.database, plan=chinese_plan(), rules=Rules(), issuer="http://127.0.0.1:1", clock=world.process(),
        development=True,
    )  # fmt: skip


def signer(platform: Platform) -> Signer:
    return Signer(issuer=platform.issuer, database=platform.database, passphrase=SECRET, clock=platform.clock)


def resting(platform: Platform, report: Report) -> int:
    """A batch of a number whose freeze ends in nine days, and for which nobody is waited for."""
    day = (platform.now() - timedelta(days=81)).date()
    imported(platform, report(f"{NUMBER},cancelled,{day}"), carrier="cmcc", by="li")
    shop = register(platform, "shop")
    planned = plan_now(platform, by="li")
    assert planned is not None
    send_now(platform, planned.id)
    with platform.act("li") as act:
        waive(act, planned.id, partner_id=shop.id, only=None, reason="closed down")
    return planned.id


def own(world: World) -> None:
    world.own_ahead = YEAR


def whole(world: World) -> None:
    world.set_machine(YEAR)


@pytest.mark.parametrize("set_ahead", [own, whole])
@pytest.mark.parametrize("running", [True, False])
def test_a_year_ahead_releases_nothing_plans_nothing_and_signs_nothing(
    world: World, report: Report, set_ahead: Callable[[World], None], running: bool
) -> None:
    """Nine days before the freeze ends: by the clock of one command, or of the whole machine; in a process that runs, or in
    the next one."""
    platform = start(world)
    batch = resting(platform, report)
    shop = register(platform, "other")
    one, two = operator(platform, "supervisor"), operator(platform, "supervisor")
    signer(platform).keys()
    with platform.database.transaction() as tx:
        planning.order(tx, platform, carrier=None, by="li")
    set_ahead(world)
    if not running:
        platform = start(world)
    wish = propose(platform, batch, one)
    decisive: list[Callable[[], object]] = [
        lambda: release(platform, by="li"), lambda: release(platform, by="li", batch_id=batch),
        lambda: plan_now(platform, by="li"), lambda: decide(platform, wish, Outcome.APPROVED, note="", by=two),
        Planner(platform=platform).one_job,
        lambda: partners.grant_token(shop, scope="", signer=signer(platform), now=platform.now()),
        lambda: signer(platform).event_token({"jti": "ev_1", "events": {}}),
        lambda: rotated(platform), lambda: certify(platform, int(NUMBER), signer(platform).signed, by="li"),
    ]  # fmt: skip
    for act in decisive:
        with pytest.raises(ClockInDoubt):
            act()
    with platform.database.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM release").fetchone() == (0,)
        assert [one.id for one in plannings.waiting(tx)] == [1], "it waits, and isn't lost"
        assert len(credentials.keys(tx, platform.now())) == len(keys.ALGORITHMS)
    world.own_ahead = timedelta()
    world.set_machine(timedelta())
    assert release(platform, by="li") == [], "the number rests still"
    assert signer(platform).event_token({"jti": "ev_1", "events": {}})


def propose(platform: Platform, batch: int, by: Operator) -> int:
    """What a supervisor wants released, whatever is clear."""
    return release_proposed(platform, batch, reason="due", by=by, clear=1)


def rotated(platform: Platform) -> list[str]:
    with platform.database.transaction() as tx:
        return keys.rotate(tx, passphrase=SECRET, now=platform.sure())


def test_the_command_line_says_why_it_waits_and_goes_on_once_somebody_confirms(
    world: World, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"DATABASE_URL": dsn, "MODE": "development", "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(f"HUANXIN_{name}", value)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, list(words), catch_exceptions=False)

    confirm = ("clock", "confirm", "--reason", "looked at the station's clock")
    assert (run("release").exit_code, run(*confirm).exit_code) == (0, 1)
    world.set_database(timedelta(hours=-3))
    refused = run("batch", "plan")
    assert (refused.exit_code, "this machine's clock" in refused.output) == (1, True)
    assert "this machine's clock" in run("clock", "show").output
    assert "NTP" in run(*confirm).output, "this one has to be set"
    world.set_database(timedelta())
    with world.database.transaction() as tx:
        tx.execute("UPDATE clock_seen SET at = at - interval '3 days', boot = boot || '-before'")
    refused = run("release")
    assert (refused.exit_code, "huanxin clock confirm" in refused.output) == (1, True)
    assert run(*confirm).exit_code == 0
    assert run("release").exit_code == 0


def test_pages_and_programs_are_told_why_nothing_is_decided(world: World, dsn: str, tmp_path: Path) -> None:
    settings = settings_of(dsn, tmp_path)
    with open_platform(settings) as platform, served(create_app(platform, settings, run_workers=False)) as http:
        with platform.act("li") as act:
            shop = partners.add_partner(act, NewPartner(name="shop", kind=Kind.APP), https_only=False)
        with browsing(str(http.base_url), platform, "operator") as page:
            world.set_machine(YEAR)
            platform.clock.look()  # type: ignore[attr-defined]  # as it does every half minute
            answer = page.post("/console/batches", headers={"Accept-Language": "zh"})
        assert answer.status_code == 503
        assert "不作计划、不放号、不签发" in answer.text
        asked = http.post("/oauth/token", data={"grant_type": "client_credentials"},
                          auth=(shop.partner.client_id, shop.client_secret))  # fmt: skip
        assert (asked.status_code, asked.json()["error"]) == (503, "temporarily_unavailable")


# What waits -----------------------------------------------------------------------------------------------------------
def test_an_event_that_was_put_off_by_a_clock_a_year_ahead_is_sent_soon_after_it_is_put_right(
    platform: Platform, clock: Clock
) -> None:
    shop = register(platform, "shop")
    with platform.database.transaction() as tx:
        deliveries.add(
            tx, NewDelivery(jti="ev_1", partner_id=shop.id, notice_id=None, event="x", subject="x", claims={}), at=clock()
        )
        clock.forward(days=365)
        failed = deliveries.Met(jti="ev_1", endpoint=None, status=None, answer="", next_at=clock() + APART, delivered=False)
        deliveries.record_attempts(tx, [failed], at=clock())
        clock.forward(days=-365)
        assert deliveries.to_poll(tx, shop.id, clock(), enabled=True, limit=1) == []
    assert Impatience(platform=platform).one_job()
    with platform.database.transaction() as tx:
        assert [one.jti for one in deliveries.to_poll(tx, shop.id, clock(), enabled=True, limit=1)] == ["ev_1"]


def test_what_is_done_every_minute_is_done_again_after_a_clock_a_year_ahead(database: Database, clock: Clock) -> None:
    with database.transaction() as tx:
        clock.forward(days=365)
        jobs.keep(tx, jobs.REMINDERS, at=clock())
        for days in (-365, 0):
            job = jobs.claim(tx, jobs.REMINDERS, clock())
            assert job is not None
            jobs.end(tx, job, next_at=clock() + timedelta(minutes=1))
            clock.forward(days=days)
        assert jobs.claim(tx, jobs.REMINDERS, clock()) is None


# Who is let in --------------------------------------------------------------------------------------------------------
@pytest.fixture
def chen(platform: Platform) -> Operator:
    return operator(platform, "operator", login="chen")


@pytest.mark.parametrize("days", [1, 365])
def test_a_lock_that_a_clock_ahead_has_set_is_over_when_it_is_put_right(
    database: Database, clock: Clock, chen: Operator, days: int
) -> None:
    with database.transaction() as tx:
        clock.forward(days=days)
        for login in (chen.login, "nobody"):
            tried = [signing_in.try_password(acting(tx, now=clock()), login, "x").result for _ in range(TRIES)]
            assert tried[-1] is TryResult.LOCKED
        clock.forward(days=-days)
        assert signing_in.try_password(acting(tx, now=clock()), "nobody", "x").result is TryResult.WRONG
        assert signing_in.try_password(acting(tx, now=clock()), chen.login, PASSWORD).result is TryResult.IN


def test_whom_a_clock_ahead_signed_out_everywhere_signs_in_again(database: Database, clock: Clock, chen: Operator) -> None:
    with database.transaction() as tx:
        clock.forward(days=365)
        people.own_password(acting(tx, now=clock()), chen, PASSWORD)
        clock.forward(days=-365)
        assert signing_in.try_password(acting(tx, now=clock()), chen.login, PASSWORD).result is TryResult.IN
        assert operators.sessions_after(tx, chen.id) <= clock()


def test_an_authenticators_code_that_a_clock_ahead_took_shuts_out_no_later_one(
    database: Database, clock: Clock, chen: Operator
) -> None:
    secret = signing_in.new_secret()

    def typed(tx: Tx) -> TryResult:
        return signing_in.try_code(acting(tx, now=clock()), chen, pyotp.TOTP(secret).at(clock()), secret=secret).result

    with database.transaction() as tx:
        clock.forward(days=365)
        assert (typed(tx), typed(tx)) == (TryResult.IN, TryResult.WRONG)
        clock.forward(days=-365)
        assert (typed(tx), typed(tx)) == (TryResult.IN, TryResult.WRONG)


def test_codes_that_were_asked_for_a_year_ahead_keep_nobody_from_asking_and_let_nobody_in(
    database: Database, clock: Clock
) -> None:
    rules, number = CodeRules(), int(NUMBER)

    def ask(tx: Tx) -> str:
        return codes.ask(acting(tx, now=clock()), number, address="10.0.0.1", secret=SECRET, rules=rules)

    with database.transaction() as tx:
        clock.forward(days=365)
        old = ask(tx)
        clock.forward(days=-365)
        assert codes.check(acting(tx, now=clock()), number, old, secret=SECRET, rules=rules).gone
        assert codes.check(acting(tx, now=clock()), number, ask(tx), secret=SECRET, rules=rules).right
        with pytest.raises(TooMany):
            ask(tx)


def test_a_limit_that_was_reached_a_year_ahead_is_not_reached_for_a_year(clock: Clock) -> None:
    limit = Limit(what="guessing", most=1, per=timedelta(minutes=1), clock=clock)
    clock.forward(days=365)
    limit.take("10.0.0.1")
    clock.forward(days=-365)
    limit.take("10.0.0.1")
    with pytest.raises(TooMany):
        limit.take("10.0.0.1")


# Who signs ------------------------------------------------------------------------------------------------------------
def test_keys_that_were_made_a_year_ahead_sign_all_the_same_also_after_a_restart(platform: Platform, clock: Clock) -> None:
    clock.forward(days=365)
    before = signer(platform)
    assert before.signed("x", {})
    clock.forward(days=-365)
    for one in (before, signer(platform)):
        for alg in keys.ALGORITHMS:
            assert one.verified(one.signed("x", {}, alg), "x") is not None


def test_a_token_from_a_year_ahead_opens_nothing_now(platform: Platform, clock: Clock) -> None:
    """Else it would for a year, and ten minutes."""
    shop, signs = register(platform, "shop"), signer(platform)
    clock.forward(days=365)
    token = str(partners.grant_token(shop, scope="", signer=signs, now=clock())["access_token"])
    with platform.database.transaction() as tx:
        assert partners.caller(tx, token=token, scope=Scope.NOTICES, signer=signs, now=clock()).id == shop.id
        clock.forward(days=-365)
        with pytest.raises(Unauthorized):
            partners.caller(tx, token=token, scope=Scope.NOTICES, signer=signs, now=clock())
