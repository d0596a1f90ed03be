"""Files over SFTP, with a real server in a process of its own."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import fsspec.config
import pytest

import sftp_server
from clocks import Clock
from exchanging import NUMBERS, cancelled, chosen, last_answer, notice_of, planned, reader_of, register, takes, writer_of
from huanxin.acts import Platform
from huanxin.notify.files import use_files
from huanxin.notify.own_folders import FolderAccess
from huanxin.store.connect import partners
from huanxin.store.notify import attempts, streams
from ordering import send_now


@dataclass
class Server:
    """A partner's SFTP server: its address, its folder as it is on disk, the known hosts that hold its key."""

    url: str
    folder: Path
    known_hosts: Path


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    folder = tmp_path / "served"
    for name in ("OUT", "IN"):
        (folder / name).mkdir(parents=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(str(tmp_path / "id"))
    key.write_public_key(str(tmp_path / "id.pub"))
    words = [sys.executable, sftp_server.__file__, str(folder), str(tmp_path / "id.pub")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port, _, public = process.stdout.readline().strip().partition(" ")
        known_hosts = tmp_path / "known_hosts"
        known_hosts.write_text(f"[127.0.0.1]:{port} {public}\n")
        chosen = {
            "key_filename": str(tmp_path / "id"), "known_hosts": str(known_hosts), "allow_agent": False,
            "look_for_keys": False,
        }  # fmt: skip
        monkeypatch.setitem(fsspec.config.conf, "sftp", chosen)
        yield Server(f"sftp://shop@127.0.0.1:{port}", folder, known_hosts)
        process.terminate()


def sent(platform: Platform, report: Callable[..., Path], server: Server) -> tuple[int, str]:
    """A partner that is told over SFTP; its id and its notice."""
    partner = register(platform, "shop")
    with platform.act("li") as act:
        use_files(act, partner.id, out=f"{server.url}/OUT", into=f"{server.url}/IN")
    cancelled(platform, report)
    batch = planned(platform)
    send_now(platform, batch)
    return partner.id, notice_of(platform, partner, batch)


def test_a_notice_goes_out_and_a_receipt_comes_in_over_sftp(
    platform: Platform, report: Callable[..., Path], server: Server, clock: Clock
) -> None:
    _, notice = sent(platform, report, server)
    assert writer_of(platform).one_job()
    out, into = server.folder / "OUT", server.folder / "IN"
    assert sorted(path.name for path in out.iterdir()) == [f"{notice}.notice.json", f"{notice}.numbers.csv"]
    manifest = json.loads((out / f"{notice}.notice.json").read_text())
    assert hashlib.sha256((out / manifest["numbers"]).read_bytes()).hexdigest() == manifest["sha256"]
    content = f"number,outcome\n{NUMBERS[0]},unbound\n".encode()
    (into / f"{notice}.1.receipt.csv").write_bytes(content)
    said = {"notice": notice, "count": 1, "sha256": hashlib.sha256(content).hexdigest(), "complete": True,
            "receipt": f"{notice}.1.receipt.csv"}  # fmt: skip
    (into / f"{notice}.1.receipt.json").write_text(json.dumps(said))
    reader = reader_of(platform)
    assert takes(reader)
    assert json.loads((out / f"{notice}.1.result.json").read_text())["outstanding"] == 0
    clock.forward(minutes=1)
    assert not takes(reader)


def test_numbers_are_not_handed_to_a_server_whose_key_is_not_known(
    platform: Platform, report: Callable[..., Path], server: Server
) -> None:
    server.known_hosts.write_text("")
    partner, _ = sent(platform, report, server)
    assert writer_of(platform).one_job()
    assert not takes(reader_of(platform))
    assert list((server.folder / "OUT").iterdir()) == []
    with platform.database.transaction() as tx:
        (event,) = attempts.latest(tx, partner)
        (attempt,) = attempts.attempts_of(tx, [event.jti])[event.jti]
        (noted,) = partners.events_of(tx, partner, kind="folder-unreachable")
    assert "not found in known_hosts" in attempt.answer
    assert "not found in known_hosts" in noted.detail["why"]


def test_a_partner_that_chose_its_server_itself_is_reached_with_its_own_login_and_no_other(
    platform: Platform, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's password for another server must never be offered to a partner's."""
    monkeypatch.setitem(fsspec.config.conf, "sftp", {"password": "the operator's", "username": "operator"})
    partner, private = register(platform, "shop"), (server.known_hosts.parent / "id").read_text()
    known = server.known_hosts.read_text()
    chosen(platform, partner, server.url, FolderAccess(private_key=private, host_key=known))
    assert writer_of(platform).one_job()
    assert [path.name.partition(".")[2] for path in (server.folder / "OUT").iterdir()] == ["event.json"]  # a verification
    assert not takes(reader_of(platform))
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    chosen(platform, partner, server.url, FolderAccess(private_key=private, host_key=other))
    assert writer_of(platform).one_job()
    assert "does not match" in last_answer(platform, partner)
    with platform.database.transaction() as tx:
        (noted, _) = partners.events_of(tx, partner.id, kind="files-chosen")
        stream = streams.of_partner(tx, partner.id)
    assert noted.detail["login"] == ["private_key", "host_key"]
    assert noted.recorded_by == partner.client_id
    assert stream is not None
    assert "PRIVATE" not in f"{noted.detail}{stream.sealed_authorization}"
