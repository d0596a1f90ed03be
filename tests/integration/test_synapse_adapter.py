"""Phone numbers on a real Matrix Synapse: what is cut, what stays, and what can be given back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest

from fake_platform import FakePlatform
from huanxin_partner.adapters.synapse import SynapseError, SynapseTies
from huanxin_partner.ties import Answer
from processes import bound, free_port
from synapse_server import PYTHON, Homeserver, running

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(),
    reason="Synapse isn't installed in .venv-synapse: no wheel for this machine? See what `make .venv-synapse/.ready` says",
)
_serial = count(1)


@pytest.fixture(scope="module")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    with running(tmp_path_factory.mktemp("synapse")) as homeserver:
        yield homeserver


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30) as client:
        yield client


@pytest.fixture
def ties(synapse: Homeserver, tmp_path: Path, client: httpx.Client) -> SynapseTies:
    return SynapseTies(synapse.url, synapse.token, record=tmp_path / "record.db", client=client)


@pytest.fixture
def number() -> str:
    """A number that no other test uses."""
    return f"+86138001380{next(_serial):02}"


class Account:
    """An account with a number and an e-mail address, and one session."""

    def __init__(self, synapse: Homeserver, number: str) -> None:
        self.name = f"user{next(_serial)}"
        self.phone, self.mail = number.removeprefix("+"), f"{self.name}@mail.example"
        self.synapse, self.session = synapse, synapse.register(self.name)
        synapse.bind(self.name, ("msisdn", self.phone), ("email", self.mail))
        self.first = synapse.threepids(self.name)
        self.bound_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.first[self.phone])

    @property
    def threepids(self) -> dict[str, int]:
        return self.synapse.threepids(self.name)

    def logs_in_by(self, medium: str, address: str) -> bool:
        answer = self.synapse.log_in({"type": "m.id.thirdparty", "medium": medium, "address": address})
        return answer.status_code == 200 and answer.json()["user_id"] == f"@{self.name}:test"


@pytest.fixture
def former(synapse: Homeserver, number: str) -> Account:
    return Account(synapse, number)


def later(account: Account) -> datetime:
    """A cut-off that has passed and lies after the binding."""
    time.sleep(0.005)
    return account.bound_at + timedelta(milliseconds=2)


def said(number: str, outcome: str) -> list[Answer]:
    return [Answer(number=number, outcome=outcome)]


def test_the_former_owner_loses_the_number_and_its_sessions_and_nothing_else(
    synapse: Homeserver, ties: SynapseTies, former: Account, number: str
) -> None:
    cutoff = later(former)
    assert former.logs_in_by("msisdn", former.phone)
    assert ties.unbind([number, "+8613800138999"], cutoff) == said(number, "unbound")
    assert former.threepids == {former.mail: former.first[former.mail]}
    assert not ties.bound(number)
    assert not synapse.alive(former.session)
    assert not former.logs_in_by("msisdn", former.phone)
    assert former.logs_in_by("email", former.mail)
    assert synapse.alive(synapse.token)


def test_asked_again_it_says_the_same_and_leaves_the_new_owner_alone(
    synapse: Homeserver, ties: SynapseTies, former: Account, number: str
) -> None:
    cutoff = later(former)
    first = ties.unbind([number], cutoff)
    assert ties.unbind([number], cutoff) == first
    fresh = Account(synapse, number)
    assert ties.unbind([number], cutoff) == first
    assert fresh.threepids == fresh.first
    assert synapse.alive(fresh.session)
    assert ties.bound(number)


@pytest.mark.parametrize(("after", "outcome"), [(0, "kept"), (1, "unbound")])
def test_a_number_bound_at_the_cutoff_is_kept_and_one_bound_a_millisecond_before_is_cut(
    synapse: Homeserver, ties: SynapseTies, former: Account, number: str, after: int, outcome: str
) -> None:
    assert ties.unbind([number], former.bound_at + timedelta(milliseconds=after)) == said(number, outcome)
    assert (former.phone in former.threepids) == synapse.alive(former.session) == (outcome == "kept")


def test_a_retracted_number_returns_and_is_as_old_as_it_was(ties: SynapseTies, former: Account, number: str) -> None:
    cutoff = later(former)
    ties.unbind([number], cutoff)
    assert ties.restore([number], cutoff) == ties.restore([number], cutoff) == said(number, "restored")
    back = former.threepids
    assert back[former.mail] == former.first[former.mail]
    assert back[former.phone] > former.first[former.phone], "Synapse has no way to say when it was validated"
    assert ties.unbind([number], cutoff) == said(number, "kept"), "the same renewal, which was retracted"
    assert ties.unbind([number], cutoff + timedelta(milliseconds=1)) == said(number, "unbound"), "the next renewal"
    assert ties.restore(["+8613800138999"], cutoff) == []


def test_what_its_owner_brought_back_himself_is_as_young_as_it_says(
    synapse: Homeserver, ties: SynapseTies, former: Account, number: str
) -> None:
    cutoff = later(former)
    ties.unbind([number], cutoff)
    synapse.bind(former.name, ("email", former.mail), ("msisdn", former.phone))
    assert ties.restore([number], cutoff) == said(number, "restored")
    assert ties.unbind([number], cutoff + timedelta(milliseconds=1)) == said(number, "kept")


def test_a_number_that_somebody_else_has_meanwhile_stays_his(
    synapse: Homeserver, ties: SynapseTies, former: Account, number: str
) -> None:
    cutoff = later(former)
    ties.unbind([number], cutoff)
    fresh = Account(synapse, number)
    assert ties.restore([number], cutoff) == said(number, "irreversible")
    assert fresh.threepids == fresh.first
    assert former.phone not in former.threepids


def test_nothing_is_given_back_to_a_closed_account(
    synapse: Homeserver, ties: SynapseTies, former: Account, number: str
) -> None:
    cutoff = later(former)
    ties.unbind([number], cutoff)
    synapse.close(former.name)
    assert ties.restore([number], cutoff) == said(number, "irreversible")
    assert not ties.bound(number)


class Broken(httpx.HTTPTransport):
    """Breaks at a PUT: before it reached Synapse, or before the answer came."""

    def __init__(self, arrives: bool) -> None:
        super().__init__()
        self.arrives, self.breaks = arrives, True

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and self.breaks:
            if self.arrives:
                super().handle_request(request).read()
            raise httpx.ReadError("broken")
        return super().handle_request(request)


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("order", ["unbind", "restore"])
def test_what_a_broken_connection_left_half_done_is_finished_the_next_time(
    synapse: Homeserver, former: Account, number: str, tmp_path: Path, arrives: bool, order: str
) -> None:
    cutoff, transport = later(former), Broken(arrives)
    with httpx.Client(transport=transport) as client:
        ties = SynapseTies(synapse.url, synapse.token, record=tmp_path / "record.db", client=client)
        transport.breaks = order == "unbind"
        call: Callable[..., list[Answer]] = getattr(ties, order)
        if order == "restore":
            ties.unbind([number], cutoff)
            transport.breaks = True
        with pytest.raises(SynapseError, match="can't be reached"):
            call([number], cutoff)
        transport.breaks = False
        assert (
            call([number], cutoff) == call([number], cutoff) == said(number, "unbound" if order == "unbind" else "restored")
        )
        assert (former.phone in former.threepids) == (order == "restore")
        assert not synapse.alive(former.session)
        if order == "restore":
            assert ties.unbind([number], cutoff + timedelta(milliseconds=1)) == said(number, "unbound")


def test_sessions_go_on_where_the_homeserver_wants_that(
    synapse: Homeserver, former: Account, number: str, tmp_path: Path, client: httpx.Client
) -> None:
    ties = SynapseTies(synapse.url, synapse.token, record=tmp_path / "record.db", end_sessions=False, client=client)
    assert ties.unbind([number], later(former)) == said(number, "unbound")
    assert synapse.alive(former.session)


def test_the_token_of_a_plain_user_is_refused_with_what_to_do(
    synapse: Homeserver, former: Account, number: str, tmp_path: Path, client: httpx.Client
) -> None:
    ties = SynapseTies(synapse.url, former.session, record=tmp_path / "record.db", client=client)
    with pytest.raises(SynapseError, match="access token of a server administrator"):
        ties.unbind([number], later(former))
    assert former.threepids == former.first


def test_the_command_line_answers_a_notice_for_a_homeserver(
    synapse: Homeserver, former: Account, number: str, tmp_path: Path
) -> None:
    fresh = Account(synapse, f"{number[:-2]}99")
    port, cutoff = free_port(), fresh.bound_at  # which was made after the former one
    with FakePlatform([number, f"{number[:-2]}99", "+8613800138998"], cutoff) as platform:
        config = tmp_path / "partner.toml"
        config.write_text(
            f'issuer = "{platform.issuer}"\nclient_id = "pc_1"\nclient_secret = "a-secret"\n'
            f'database = "{tmp_path}/record.db"\n[synapse]\nurl = "{synapse.url}"\nadmin_token = "{synapse.token}"\n'
        )
        program = str(Path(sys.executable).with_name("huanxin-partner"))
        command = [program, "receive", "--config", str(config), "--port", str(port)]
        with bound(subprocess.Popen(command, stderr=subprocess.DEVNULL)) as process:
            try:
                _pushed(f"http://127.0.0.1:{port}/events/", platform.notice("j1"))
                ends = time.monotonic() + 60
                while not platform.complete and time.monotonic() < ends:
                    time.sleep(0.05)
            finally:
                process.terminate()
    assert platform.outcomes == {number: "unbound", f"{number[:-2]}99": "kept"}
    assert former.threepids == {former.mail: former.first[former.mail]}


def _pushed(url: str, token: str) -> None:
    ends = time.monotonic() + 60
    while True:
        try:
            answer = httpx.post(url, content=token, headers={"Content-Type": "application/secevent+jwt"})
        except httpx.TransportError:
            assert time.monotonic() < ends, "the receiver did not start"
            time.sleep(0.1)
        else:
            assert answer.status_code == 202, answer.text
            return
