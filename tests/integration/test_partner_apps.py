"""The example shops, each in a process of its own on its own database, against a real platform."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from huanxin.acts import Platform
from huanxin.domain.numbers import chinese_plan
from huanxin.domain.partners import Kind, NewPartner
from huanxin.domain.rules import Rules
from huanxin.notify.partners import add_partner
from huanxin.notify.pushing import Pusher
from huanxin.onboarding.opening import open_signer
from huanxin.outbound import Outbound
from huanxin.release.gate import load_gate
from huanxin.settings import Mode, Settings
from huanxin.store.database import Database
from huanxin.web.app import create_app
from huanxin.work.loop import Workers
from huanxin_partner import Journal
from ordering import imported, plan_now, send_now
from processes import free_port, running, started, until
from ready_stores import postgres_url, sqlite_url
from serving import served

EXAMPLES = Path(__file__).parents[2] / "examples/partners"
OLD = datetime(2020, 1, 1, tzinfo=UTC)
NUMBERS = [f"+86138001380{n:02}" for n in range(1, 6)]
GONE, RECLAIMED, BOUNDARY, IN_DEBT, NOBODY = NUMBERS
ACCOUNTS = sa.Table(
    "accounts", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("phone", sa.String),
    sa.Column("phone_bound_at", sa.DateTime(timezone=True)), sa.Column("name", sa.String), sa.Column("coins", sa.Integer),
)  # fmt: skip


def day(days_ago: int) -> str:
    return f"{datetime.now(ZoneInfo('Asia/Shanghai')) - timedelta(days=days_ago):%Y-%m-%d}"


class Wire:
    """What stands between platform and shop: it passes on what is pushed, and remembers it."""

    def __init__(self, target: str) -> None:
        self.target, self.tokens = target, dict[str, bytes]()
        self.app = Starlette(routes=[Route("/", self._pass_on, methods=["POST"])])

    async def _pass_on(self, request: Request) -> Response:
        token = await request.body()
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.post(self.target, content=token, headers=self._headers)
        payload = token.split(b".")[1]
        self.tokens[json.loads(base64.urlsafe_b64decode(payload + b"=="))["jti"]] = token
        return Response(answer.content, answer.status_code)

    _headers = {"Content-Type": "application/secevent+jwt"}  # noqa: RUF012

    def push_again(self) -> list[int]:
        tokens = self.tokens.values()
        return [httpx.post(self.target, content=token, headers=self._headers, timeout=60).status_code for token in tokens]


@dataclass
class Scene:
    """A platform with five numbers to renew, and a shop that has accounts on four of them."""

    platform: Platform
    partner: int
    report: Callable[..., Path]
    wire: Wire
    shop: httpx.Client
    db: sa.Engine
    journal: Journal
    batch: int

    def outcomes(self) -> dict[str, tuple[str, str]]:
        with self.platform.read() as reading:
            loaded = load_gate(reading, self.batch)
        answers = loaded.gate.standings[self.partner].answers
        return {NUMBERS[place]: (one.outcome, one.reason) for one, places in answers.items() for place in places}

    def phones(self) -> list[str | None]:
        with self.db.connect() as connection:
            return list(connection.scalars(sa.select(ACCOUNTS.c.phone).order_by(ACCOUNTS.c.id)))

    def log_in(self, phone: str) -> httpx.Response:
        assert self.shop.post("/login/code", data={"phone": phone}).status_code == 204
        with self.db.connect() as connection:
            code = connection.scalar(sa.text("SELECT code FROM login_codes WHERE phone = :phone"), {"phone": phone})
        return self.shop.post("/login", data={"phone": phone, "code": str(code)})

    def handled(self, events: int) -> bool:
        return len(self.wire.tokens) >= events and self.journal.waiting() == 0

    def carrier_says(self, name: str, line: str) -> None:
        imported(self.platform, self.report(line, name=name), carrier="cmcc", by="li")


@contextmanager
def tea_shop(port: int, environment: dict[str, str]) -> Iterator[None]:
    folder = EXAMPLES / "fastapi_app"
    with running(["-m", "uvicorn", "app:app"], port, folder=folder, **environment):
        yield


@contextmanager
def bookshop(port: int, environment: dict[str, str]) -> Iterator[None]:
    folder = EXAMPLES / "django_app"
    with started(["manage.py", "migrate", "-v0"], folder=folder, environment=environment) as migrating:
        assert migrating.wait(180) == 0
    with ExitStack() as stack:
        if environment.get("WORKER") != "here":
            stack.enter_context(started(["manage.py", "huanxin_work"], folder=folder, environment=environment))
        stack.enter_context(running(["-m", "uvicorn", "bookshop.asgi:application"], port, folder=folder, **environment))
        yield


SHOPS = {"tea": tea_shop, "books": bookshop}


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> sa.URL:
    """The address of the shop's own database, of the kind that the test is given."""
    return sqlite_url(tmp_path) if request.param == "sqlite" else postgres_url(request.getfixturevalue("empty_dsn"))


@contextmanager
def delivering(platform: Platform, settings: Settings) -> Iterator[None]:
    """The platform's worker, with connections that are closed at the end."""
    with closing(Outbound(inner_allowed=True, longest=60.0)) as outbound:
        pusher = Pusher(
            database=platform.database, signer=open_signer(platform, settings), outbound=outbound, clock=platform.clock,
            plan=platform.plan, passphrase=settings.passphrase(),
        )  # fmt: skip
        workers = Workers(database=platform.database, clock=platform.clock, jobs=[pusher.one_job], count=1)
        workers.start()
        yield
        workers.stop()


@pytest.fixture
def scene(
    request: pytest.FixtureRequest, database: Database, report: Callable[..., Path], tmp_path: Path,
    database_url: sa.URL,
) -> Iterator[Scene]:  # fmt: skip
    port, shop_port = free_port(), free_port()
    platform = Platform(
        database=database, plan=chinese_plan(), rules=Rules(), issuer=f"http://127.0.0.1:{port}",
        clock=lambda: datetime.now(UTC), development=True,
    )  # fmt: skip
    wire = Wire(f"http://127.0.0.1:{shop_port}/huanxin/events/")
    engine = sa.create_engine(database_url)
    name, worker = request.param
    with ExitStack() as stack:
        wire_at = stack.enter_context(served(wire.app)).base_url
        settings = Settings(home=tmp_path / "home", mode=Mode.DEVELOPMENT)
        stack.enter_context(served(create_app(platform, settings, run_workers=False), port=port))
        stack.enter_context(delivering(platform, settings))
        with platform.act("li") as act:
            made = add_partner(
                act, NewPartner(name=name, kind=Kind.APP, endpoint=str(wire_at), wants_recycled=True), https_only=False
            )
        url = database_url if name == "tea" else database_url.set(drivername=database_url.get_backend_name())
        environment = {
            "DATABASE_URL": url.render_as_string(hide_password=False), "HUANXIN_ISSUER": platform.issuer,
            "HUANXIN_CLIENT_ID": made.partner.client_id, "HUANXIN_CLIENT_SECRET": made.client_secret,
            "HUANXIN_JOURNAL": str(tmp_path / "journal.db"), "WORKER": worker,
        }  # fmt: skip
        stack.enter_context(SHOPS[name](shop_port, environment))
        imported(platform, report(*(f"{n},cancelled,{day(85)}" for n in NUMBERS)), carrier="cmcc", by="li")
        batch = plan_now(platform, by="li")
        assert batch is not None
        add_customers(engine, batch.cutoff)
        shop = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{shop_port}", timeout=60))
        journal = stack.enter_context(closing(Journal(tmp_path / "journal.db")))
        yield Scene(platform, made.partner.id, report, wire, shop, engine, journal, batch.id)
    engine.dispose()


def add_customers(engine: sa.Engine, cutoff: datetime) -> None:
    """One account a number but the last. The third was bound in the second of the cut-off, as a clock of seconds has it."""
    bound = {GONE: OLD, RECLAIMED: OLD, BOUNDARY: cutoff.replace(microsecond=0), IN_DEBT: OLD}
    with engine.begin() as connection:
        connection.execute(sa.insert(ACCOUNTS), [
            {"id": key, "phone": number, "phone_bound_at": at, "name": f"customer {key}", "coins": 7}
            for key, (number, at) in enumerate(bound.items(), 101)
        ])  # fmt: skip
        connection.execute(sa.text("INSERT INTO orders (account_id, amount) VALUES (104, 30)"))


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("scene", [("tea", ""), ("books", ""), ("books", "here")], indirect=True, ids="/".join)
def test_a_shop_cuts_what_is_stale_keeps_the_rest_and_gives_back_what_was_reclaimed(scene: Scene) -> None:
    assert scene.log_in(GONE).status_code == 204
    assert scene.shop.get("/me").json() == {"account": 101, "phone": GONE, "coins": 7}

    send_now(scene.platform, scene.batch)
    until(lambda: len(scene.outcomes()) == 5)
    expected = {
        GONE: ("unbound", ""), RECLAIMED: ("unbound", ""), BOUNDARY: ("kept", ""), IN_DEBT: ("refused", "debt"),
        NOBODY: ("absent", ""),
    }  # fmt: skip
    assert scene.outcomes() == expected
    assert scene.phones() == [None, None, BOUNDARY, IN_DEBT]
    assert scene.shop.get("/me").status_code == 401  # the session ended
    with scene.db.connect() as connection:  # the accounts and what is theirs did not
        assert connection.scalars(sa.select(ACCOUNTS.c.coins)).all() == [7, 7, 7, 7]

    assert scene.wire.push_again() == [202]  # a duplicate
    assert scene.handled(1)
    assert scene.outcomes() == expected

    scene.carrier_says("reclaimed.csv", f"{RECLAIMED},reclaimed,{day(0)}")
    until(lambda: scene.handled(2))
    assert scene.phones() == [None, RECLAIMED, BOUNDARY, IN_DEBT]
    assert scene.log_in(RECLAIMED).status_code == 204

    scene.carrier_says("opened.csv", f"{IN_DEBT},opened,{day(0)}")  # sold again although it was not released
    until(lambda: scene.handled(3))
    assert scene.phones()[3] == IN_DEBT  # the debt stands, and yet:
    refused = scene.log_in(IN_DEBT)
    assert refused.status_code == 403
    assert "new owner" in refused.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("scene", [("books", "")], indirect=True, ids="/".join)
def test_the_view_refuses_what_no_platform_signed(scene: Scene) -> None:
    target, headers = scene.wire.target, {"Content-Type": "application/secevent+jwt"}
    forged = httpx.post(target, content="e30.e30.e30", headers=headers)
    assert (forged.status_code, forged.json()["err"]) == (400, "invalid_request")
    assert forged.headers["content-language"] == "en"
    assert httpx.post(target, content="x" * 300_000, headers=headers).json()["description"] == "the token is too long"
    assert "Content-Type" in httpx.post(target, content="e30.e30.e30").json()["description"]
    assert httpx.get(target).status_code == 405
    assert scene.journal.waiting() == 0


def test_the_bookshops_migrations_and_the_packages_fit_their_models(tmp_path: Path) -> None:
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/books.db"}
    command = ["manage.py", "makemigrations", "--check", "--dry-run"]
    with started(command, folder=EXAMPLES / "django_app", environment=environment) as process:
        assert process.wait(180) == 0
    assert subprocess.run([sys.executable, "-c", "import huanxin_partner.django"], check=False).returncode == 0
