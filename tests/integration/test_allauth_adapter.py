"""Phone accounts of a real Django project with allauth, served in a process of its own: whose account does a code open?"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from fake_platform import FakePlatform
from processes import bound, free_port

SHOP = Path(__file__).parents[1] / "peers" / "allauth"
_serial = count(1)


class Shop:
    """The project, and its tie store in another process, as it is run."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def customer(self) -> Customer:
        return Customer(self)

    def ties(self, method: str, number: str, cutoff: datetime) -> dict[str, Any]:
        command = [sys.executable, str(SHOP / "ties.py"), method, number, cutoff.isoformat()]
        done = subprocess.run(command, env=_environment(self.folder), check=True, capture_output=True, text=True)
        return dict(json.loads(done.stdout))


class Customer:
    """A browser."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.client = shop, httpx.Client(base_url=shop.url, timeout=30, follow_redirects=True)

    def close(self) -> None:
        self.client.close()

    def sign_up(self, number: str, email: str) -> None:
        self.send("/accounts/signup/", phone=number, email=email)
        self.send("/accounts/phone/verify/", code=self.texted(number))

    def ask_for_code(self, **by: str) -> None:
        self.send("/accounts/login/code/", **by)

    def log_in(self, number: str) -> int:
        """Come in by a code to the phone; the status of the last page."""
        self.ask_for_code(phone=number)
        return self.send("/accounts/login/code/confirm/", code=self.texted(number)).status_code

    def log_in_by_mail(self, email: str) -> None:
        self.ask_for_code(email=email)
        newest = max((self.shop.folder / "mail").iterdir(), key=lambda file: file.stat().st_mtime_ns).read_text()
        found = re.search(r"^([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})$", newest, re.MULTILINE)
        assert found, newest
        self.send("/accounts/login/code/confirm/", code=found[1])

    def change_number(self, number: str) -> None:
        self.send("/accounts/phone/change/", phone=number)
        self.send("/accounts/phone/verify/", code=self.texted(number))

    def texted(self, number: str) -> str:
        """The code that whoever has the number now receives; it is read once."""
        file = self.shop.folder / f"sms-{number}"
        code = file.read_text() if file.exists() else ""
        file.unlink(missing_ok=True)
        return code

    def who(self) -> str:
        """The e-mail address of the account that this browser is in."""
        return str(self.client.get("/me").json()["email"])

    def send(self, path: str, **fields: str) -> httpx.Response:
        self.client.get(path)
        return self.client.post(path, data=fields | {"csrfmiddlewaretoken": self.client.cookies.get("csrftoken", "")})


@contextmanager
def opened(folder: Path, **more: str) -> Iterator[Shop]:
    """The shop, served from a folder, with more in its environment."""
    port, environment = free_port(), _environment(folder) | more
    (folder / "mail").mkdir()
    django = [sys.executable, "-m", "django"]
    subprocess.run([*django, "migrate", "--verbosity=0"], env=environment, check=True, cwd=SHOP)
    serve = [*django, "runserver", "--noreload", f"127.0.0.1:{port}"]
    with (
        open(folder / "log", "wb") as log,
        bound(subprocess.Popen(serve, env=environment, cwd=SHOP, stdout=log, stderr=log)) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}/me", process, folder / "log")
            yield Shop(f"http://127.0.0.1:{port}", folder)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {"SHOP_FOLDER": str(folder), "DJANGO_SETTINGS_MODULE": "shop_settings", "PYTHONPATH": str(SHOP)}


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < ends:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"the shop did not start: {log.read_text()[-2000:]}")


@pytest.fixture
def number() -> str:
    return f"+86138001381{next(_serial):02}"


@pytest.fixture
def former(shop: Shop, number: str) -> Iterator[Customer]:
    """Signed up with the number, which was cancelled since; still in, in a browser."""
    customer = shop.customer()
    customer.sign_up(number, f"former{number}@mail.example")
    assert customer.who() == f"former{number}@mail.example"
    yield customer
    customer.client.close()


@pytest.fixture
def fresh(shop: Shop) -> Iterator[Customer]:
    """The next owner of the number, in their own browser."""
    customer = shop.customer()
    yield customer
    customer.client.close()


def test_a_code_opened_the_former_owners_account_and_opens_a_fresh_one_after_the_renewal(
    shop: Shop, former: Customer, fresh: Customer, number: str
) -> None:
    fresh.log_in(number)
    assert fresh.who() == former.who(), "what the renewal is for: a stranger's code opens the account"
    cutoff = datetime.now(UTC)
    assert shop.ties("unbind", number, cutoff) == {"outcomes": ["unbound"], "bound": False}
    assert fresh.who() == "", "the session that came in by the number has ended"
    assert former.who() == "", "theirs too, which came in by the number"
    fresh.log_in(number)
    assert fresh.who() == "", "no account has the number, so no code is sent"
    fresh.sign_up(number, f"fresh{number}@mail.example")
    assert fresh.who() == f"fresh{number}@mail.example"
    assert shop.ties("unbind", number, cutoff) == {"outcomes": ["unbound"], "bound": True}
    assert fresh.who() == f"fresh{number}@mail.example", "asked again, the renewal leaves them alone"


def test_the_former_owner_keeps_his_account_his_mail_login_and_the_session_that_came_in_by_it(
    shop: Shop, former: Customer, fresh: Customer, number: str
) -> None:
    email = former.who()
    other = fresh  # another browser, of theirs this time
    other.log_in_by_mail(email)
    assert other.who() == email
    shop.ties("unbind", number, datetime.now(UTC))
    assert (former.who(), other.who()) == ("", email)
    former.log_in_by_mail(email)
    assert former.who() == email, "though the shop wants a number at sign-up"
    own = number.replace("+86138", "+86139")
    former.change_number(own)
    other.send("/accounts/logout/")
    other.log_in(own)
    assert other.who() == email, "the number that they have now"


def test_a_code_that_was_asked_for_before_the_cut_opens_nothing_after_it(
    shop: Shop, former: Customer, fresh: Customer, number: str
) -> None:
    fresh.ask_for_code(phone=number)
    code = fresh.texted(number)
    shop.ties("unbind", number, datetime.now(UTC))
    assert fresh.send("/accounts/login/code/confirm/", code=code).status_code == 403
    assert fresh.who() == ""


def test_a_number_bound_after_the_cutoff_is_kept_with_its_sessions(shop: Shop, fresh: Customer, number: str) -> None:
    cutoff = datetime.now(UTC)
    fresh.sign_up(number, f"{number}@mail.example")
    assert shop.ties("unbind", number, cutoff) == {"outcomes": ["kept"], "bound": True}
    assert fresh.who() == f"{number}@mail.example"


def test_a_login_by_the_next_owner_does_not_make_the_former_ones_tie_look_new(
    shop: Shop, former: Customer, fresh: Customer, number: str
) -> None:
    cutoff = datetime.now(UTC)
    fresh.log_in(number)
    assert shop.ties("unbind", number, cutoff)["outcomes"] == ["unbound"]


def test_a_retraction_gives_the_number_back(shop: Shop, former: Customer, number: str) -> None:
    email, cutoff = former.who(), datetime.now(UTC)
    shop.ties("unbind", number, cutoff)
    assert shop.ties("restore", number, cutoff) == {"outcomes": ["restored"], "bound": True}
    former.log_in(number)
    assert former.who() == email


def test_a_number_that_somebody_has_meanwhile_stays_his(shop: Shop, former: Customer, fresh: Customer, number: str) -> None:
    cutoff = datetime.now(UTC)
    shop.ties("unbind", number, cutoff)
    fresh.sign_up(number, f"fresh{number}@mail.example")
    assert shop.ties("restore", number, cutoff)["outcomes"] == ["irreversible"]
    assert fresh.who() == f"fresh{number}@mail.example"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("INSTALLED_APPS.remove('allauth.usersessions'); s.MIDDLEWARE.pop()", "add allauth.usersessions"),
        ("__setattr__('SESSION_ENGINE', 'django.contrib.sessions.backends.signed_cookies')", "can't be ended"),
    ],
)
def test_a_project_whose_sessions_cannot_be_ended_is_told_what_to_change(tmp_path: Path, change: str, said: str) -> None:
    program = (
        f"import django, shop_settings as s; s.{change}; django.setup()\n"
        "from huanxin_partner.adapters.allauth.ties import AllauthTies; AllauthTies()"
    )
    done = subprocess.run([sys.executable, "-c", program], env=_environment(tmp_path), capture_output=True, text=True)
    assert "ImproperlyConfigured" in done.stderr
    assert said in done.stderr


def test_a_pushed_notice_is_answered_by_the_worker_of_the_project(tmp_path: Path, number: str) -> None:
    with (
        FakePlatform([number, f"{number[:-2]}97"], datetime.now(UTC)) as platform,
        opened(tmp_path, SHOP_ISSUER=platform.issuer) as shop,
        closing(shop.customer()) as customer,
    ):
        customer.sign_up(number, "former@mail.example")
        platform.cutoff = datetime.now(UTC)
        headers = {"Content-Type": "application/secevent+jwt"}
        assert customer.client.post("/huanxin/events/", content=platform.notice("j1"), headers=headers).status_code == 202
        environment = _environment(tmp_path) | {"SHOP_ISSUER": platform.issuer}
        with bound(subprocess.Popen([sys.executable, "-m", "django", "huanxin_work"], env=environment, cwd=SHOP)) as worker:
            ends = time.monotonic() + 60
            while not platform.complete and time.monotonic() < ends:
                time.sleep(0.05)
            worker.terminate()
        assert customer.who() == ""
    assert platform.outcomes == {number: "unbound"}
