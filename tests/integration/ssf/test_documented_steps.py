"""What docs/partners promises a developer: the commands run as they stand, and the receiver in Node answers a notice."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from huanxin.domain.answers import Purpose
from huanxin.release.gate import load_gate
from huanxin.store.plan import batches
from node import HOUSE, node, with_jose
from processes import bound, free_port
from ssf_world import Caller, World

NUMBERS = ["+8613800138000", "+8613800138001"]
PROTOCOL = HOUSE / "docs" / "partners" / "protocol.md"
RECEIVER = HOUSE / "docs" / "partners" / "node" / "receiver.mjs"


def still_open(world: World) -> int:
    """How many numbers wait for an answer."""
    with world.live.act("li") as act:
        (batch,) = batches.all_batches(act.tx, Purpose.RENEWAL)
        loaded = load_gate(act, batch.id)
    return len(loaded.gate.open())


def settings(world: World, one: Caller) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HUANXIN_ISSUER": world.live.issuer, "CLIENT_ID": one.client_id,
            "CLIENT_SECRET": one.secret}  # fmt: skip


def test_the_commands_of_the_protocol_run_as_they_stand(
    world: World, music: Caller, send: Callable[..., int], tmp_path: Path
) -> None:
    for program in ("bash", "curl"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not here: install it to run the commands of {PROTOCOL.name}")
    send(*NUMBERS)
    blocks = re.findall(r"^```sh\n(.*?)^```", PROTOCOL.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) > 8
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], cwd=tmp_path, env=settings(world, music),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for promised in ('"spec_version":"1_0"', '"state":"hello"', '"txn":"nt_', '"status":"enabled"', '"outstanding":0'):
        assert promised in done.stdout, promised
    assert still_open(world) == 0


@contextmanager
def running(world: World, one: Caller, port: int, folder: Path) -> Iterator[subprocess.Popen[str]]:
    program = node()
    script = with_jose(RECEIVER, folder)
    process = bound(subprocess.Popen(
        [program, str(script)], env=settings(world, one) | {"PORT": str(port), "AUTHORIZATION": "Bearer ours"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ))  # fmt: skip
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == f"listening on {port}\n"
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def test_the_receiver_in_node_takes_a_notice_and_its_receipt_is_complete(
    world: World, send: Callable[..., int], tmp_path: Path
) -> None:
    assert len(RECEIVER.read_text(encoding="utf-8").splitlines()) < 100
    port = free_port()
    one = world.partner(endpoint=f"http://127.0.0.1:{port}/events")
    with running(world, one, port, tmp_path):
        send(*NUMBERS)
        world.pusher().one_job()
        (event,) = one.events()
        refused = [(attempt.status, attempt.answer) for attempt in one.attempts(event.jti)]
        assert refused == [(400, "authentication_failed: wrong Authorization header")]
        delivery = {"method": "urn:ietf:rfc:8935", "endpoint_url": f"http://127.0.0.1:{port}/events",
                    "authorization_header": "Bearer ours"}  # fmt: skip
        one.call("PATCH", "/ssf/streams", json={"stream_id": one.stream()["stream_id"], "delivery": delivery})
        world.clock.forward(minutes=1)
        assert still_open(world) == len(NUMBERS)
        world.pusher().one_job()
    assert one.attempts(event.jti)[-1].status == 202
    assert still_open(world) == 0
