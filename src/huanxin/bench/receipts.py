"""Receipts at size: one upload of many lines to the real server, in a process of its own, in every form that it takes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import httpx
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import zstandard

from huanxin.acts import Platform
from huanxin.bench import data
from huanxin.bench.measure import peak_of
from huanxin.bench.processes import free_port, running
from huanxin.domain.answers import Outcome, Purpose, Reason
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.notices import tell_batch
from huanxin.notify.partners import Registered, add_partner
from huanxin.numbersets.numberfile import CSV, PARQUET, written
from huanxin.numbersets.sharded import Numbers, NumberSet
from huanxin.settings import Settings
from huanxin.store import facts

_CHUNK = 1 << 20
_SHARES = {Outcome.UNBOUND: 0.6, Outcome.ABSENT: 0.37, Outcome.KEPT: 0.01, Outcome.PENDING: 0.01, Outcome.REFUSED: 0.01}


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One receipt taken over HTTP: seconds from the first byte sent to the answer, the server's
    processor seconds in them (what counts when the machine does other work too), its memory before and at most."""

    form: str
    lines: int
    megabytes: float
    seconds: float
    cpu: float
    rest_mb: float
    peak_mb: float

    @property
    def rate(self) -> float:
        """Lines a second."""
        return self.lines / self.seconds


@dataclass(frozen=True)
class BenchForm:
    """A form in which a receipt is sent."""

    name: str
    media_type: str
    encoding: str
    pack: Callable[[IO[bytes]], Any]


FORMS = (
    BenchForm("CSV", CSV, "", lambda file: file),
    BenchForm("CSV, gzip", CSV, "gzip", lambda file: gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1)),
    BenchForm("CSV, zstd", CSV, "zstd", lambda file: zstandard.ZstdCompressor().stream_writer(file, closefd=False)),
    BenchForm("Parquet", PARQUET, "", lambda file: file),
)


def time_receipts(
    platform: Platform, settings: Settings, folder: Path, lines: int, seed: int, forms: Iterable[BenchForm]
) -> Iterator[Upload]:  # fmt: skip
    """Upload one receipt of `lines` lines in each form, each to a server that was just started."""
    numbers = data.due_numbers(platform.plan, lines, seed)
    notice, partner = _told(platform, numbers)
    for form in forms:
        path = folder / "receipt"
        _write(path, numbers, form, seed)
        with server(settings) as (process, url):
            yield _upload(process, url, path, form, lines, notice, partner)


def _told(platform: Platform, numbers: Numbers) -> tuple[str, Registered]:
    """A batch of the numbers, told to a partner of its own."""
    now = platform.now()
    with platform.act("bench") as act:
        partner = add_partner(act, NewPartner(name="one that holds them all", kind=Kind.APP), https_only=False)
        batch_id = facts.batch(
            act.tx, purpose=Purpose.RENEWAL, retracts=None, numbers=NumberSet.of(numbers), cutoff=now,
            answer_by=now + timedelta(days=5), freeze_days=90, seen_report=0,
            files={kind: {"sha256": "0" * 64, "bytes": 0} for kind in (CSV, PARQUET)}, by="bench", at=now,
        )  # fmt: skip
    with platform.act("bench") as act:
        told = tell_batch(act, batch_id)
    return next(one.id for one in told if one.partner_id == partner.partner.id), partner


def _write(path: Path, numbers: Numbers, form: BenchForm, seed: int) -> None:
    """The receipt as a partner would write it, in the order in which its database gives the numbers: by chance."""
    rng = np.random.default_rng(seed + 3)
    order = rng.permutation(len(numbers))
    with path.open("wb") as file, form.pack(file) as out:
        writer = pq.ParquetWriter(out, _table(numbers[:1], rng).schema) if form.media_type == PARQUET else None
        if writer is None:
            out.write(b"number,outcome,reason,until\n")
        for start in range(0, len(order), _CHUNK):
            table = _table(numbers[order[start : start + _CHUNK]], rng)
            if writer is None:
                pa_csv.write_csv(table, out, pa_csv.WriteOptions(include_header=False, quoting_style="none"))
            else:
                writer.write_table(table)
        if writer is not None:
            writer.close()


def _table(numbers: Numbers, rng: np.random.Generator) -> pa.Table:
    codes = pa.array(rng.choice(len(_SHARES), size=len(numbers), p=list(_SHARES.values())).astype(np.int8))
    return pa.table({
        "number": written(numbers),
        "outcome": pa.array([outcome.value for outcome in _SHARES], pa.string()).take(codes),
        "reason": pa.array(["", "", "", "", Reason.DEBT.value], pa.string()).take(codes),
        "until": pa.array(["", "", "", "2099-12-31", ""], pa.string()).take(codes),
    })  # fmt: skip


@contextmanager
def server(settings: Settings) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running("huanxin.cli.main", "serve", "--port", str(port), "--no-workers", url=url,
                 environment={"HUANXIN_HOME": str(settings.home)}) as process:  # fmt: skip
        yield process, url


def _upload(
    process: subprocess.Popen[bytes], url: str, path: Path, form: BenchForm, lines: int, notice: str, partner: Registered
) -> Upload:
    with httpx.Client(base_url=url, timeout=600) as client:
        granted = client.post("/oauth/token", data={"grant_type": "client_credentials"},
                              auth=(partner.partner.client_id, partner.client_secret))  # fmt: skip
        with path.open("rb") as file:
            digest = base64.b64encode(hashlib.file_digest(file, "sha256").digest()).decode()
        headers = {
            "Authorization": f"Bearer {granted.json()['access_token']}", "Content-Type": form.media_type,
            "Content-Digest": f"sha-256=:{digest}:", "Content-Length": str(path.stat().st_size),
        } | ({"Content-Encoding": form.encoding} if form.encoding else {})  # fmt: skip
        server = psutil.Process(process.pid)
        rest, before = server.memory_info().rss / (1 << 20), sum(server.cpu_times()[:2])
        start = time.perf_counter()
        answer = client.post(f"/partner/v1/notices/{notice}/receipts", params={"complete": "true"},
                             content=_blocks(path), headers=headers | {"Idempotency-Key": form.name})  # fmt: skip
        seconds, cpu = time.perf_counter() - start, sum(server.cpu_times()[:2]) - before
    if answer.status_code != httpx.codes.CREATED or sum(answer.json()["accepted"].values()) != lines:
        raise AssertionError(f"the receipt was not taken: {answer.status_code} {answer.text[:500]}")
    return Upload(form=form.name, lines=lines, megabytes=path.stat().st_size / 1e6, seconds=seconds, cpu=cpu, rest_mb=rest,
                  peak_mb=peak_of(process.pid))  # fmt: skip


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block
