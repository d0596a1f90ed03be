"""The demo's partner servers: processes of their own, forked from one; they come back when killed and never stay behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from huanxin.demo.own_servers import PartnerProcess
from huanxin.demo.partner_store import make_partner_db
from huanxin.demo.processes import Servers
from processes import free_port, until

DEMO = """
import sys
from pathlib import Path
from huanxin.demo.own_servers import PartnerProcess
from huanxin.demo.processes import Servers
with Servers() as servers:
    for port in sys.argv[2:]:
        one = PartnerProcess(name=port, behaviour="plain", client_id="c", client_secret="s", port=int(port))
        servers.add(one.server(Path(sys.argv[1]), issuer="http://127.0.0.1:1"))
    servers.wait_ready()
    print(*[server.pid for server in servers.all], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def ports(tmp_path: Path) -> list[int]:
    found = [free_port(), free_port()]
    (tmp_path / "partners").mkdir()
    for port in found:
        make_partner_db(tmp_path / "partners" / f"{port}.db", [])
    return found


@pytest.fixture
def demo(tmp_path: Path, ports: list[int]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", DEMO, str(tmp_path), *map(str, ports)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def ended(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def partners_of(demo: subprocess.Popen[str]) -> list[int]:
    assert demo.stdout is not None
    return [int(word) for word in demo.stdout.readline().split()]


def test_each_partner_is_a_process_that_comes_back_alone_when_it_is_killed(
    demo: subprocess.Popen[str], ports: list[int]
) -> None:
    first, second = partners_of(demo)
    psutil.Process(first).send_signal(signal.SIGKILL)
    until(lambda: ended(first))
    until(lambda: _answers(ports[0]))
    assert _answers(ports[1])
    assert not ended(second)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_demo_that_is_ended_in_any_way_leaves_no_partner_behind(demo: subprocess.Popen[str], how: signal.Signals) -> None:
    """Its partners would keep their ports, and the next start would not come up."""
    partners = partners_of(demo)
    demo.send_signal(how)
    until(lambda: all(map(ended, partners)))


def test_what_a_partner_says_stands_in_its_log(tmp_path: Path, ports: list[int]) -> None:
    """When a server does not start, its log is what the demo shows."""
    one = PartnerProcess(name="taken", behaviour="no such behaviour", client_id="c", client_secret="s", port=ports[0])
    with Servers() as servers:
        server = servers.add(one.server(tmp_path, issuer="http://127.0.0.1:1"))
        until(lambda: server.log.exists() and "no such behaviour" in server.log.read_text())


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
