"""The two obvious builds, done as well as they can be: a row per pair, and a row per pair that isn't absent."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv

from huanxin.bench.data import OUTCOMES, Answers
from huanxin.numbersets.sharded import Numbers


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a build took: seconds to store the answers, seconds of the gate, bytes on disk, and what it found clear."""

    rows: int
    store: float
    gate: float
    disk: int
    clear: int


def sparse(dsn: str, numbers: Numbers, everyone: Iterable[Answers], partners: int) -> Built:
    """A row per (number, partner) that isn't absent, indexed; every partner has said complete."""
    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute("CREATE TABLE sparse_batch (number int8 PRIMARY KEY)")
        _copy(db, "sparse_batch (number)", [pa.array(numbers)])
        db.execute("CREATE TABLE sparse_complete (partner int4 PRIMARY KEY)")
        db.execute("CREATE TABLE sparse_answer (number int8 NOT NULL, partner int4 NOT NULL, outcome text NOT NULL)")
        rows, spent = 0, 0.0
        for answer in everyone:
            table = [pa.array(numbers[answer.places]), _same(answer.partner, len(answer.places)),
                     pa.array(OUTCOMES, pa.string()).take(pa.array(answer.outcomes))]  # fmt: skip
            start = time.perf_counter()
            _copy(db, "sparse_answer (number, partner, outcome)", table)
            db.execute("INSERT INTO sparse_complete (partner) VALUES (%s)", (answer.partner,))
            spent += time.perf_counter() - start
            rows += len(answer.places)
        start = time.perf_counter()
        db.execute("ALTER TABLE sparse_answer ADD PRIMARY KEY (number, partner)")
        db.execute("ANALYZE sparse_answer")
        store = spent + time.perf_counter() - start
        start = time.perf_counter()
        clear = _one(db, "SELECT count(*) FROM sparse_batch b WHERE (SELECT count(*) FROM sparse_complete) = "
                         f"{int(partners)} AND NOT EXISTS (SELECT FROM sparse_answer a WHERE a.number = b.number"
                         " AND a.outcome IN ('pending', 'refused'))")  # fmt: skip
        gate = time.perf_counter() - start
        disk = _one(db, "SELECT pg_total_relation_size('sparse_answer')")
        db.execute("DROP TABLE sparse_answer, sparse_batch, sparse_complete")
    return Built(rows=rows, store=store, gate=gate, disk=disk, clear=clear)


def dense(dsn: str, numbers: Numbers, everyone: Iterable[Answers], share: int) -> Built:
    """A row per (number, partner), at one `share`th of the numbers."""
    kept = len(numbers) // share
    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute("CREATE TABLE dense_answer (number int8 NOT NULL, partner int4 NOT NULL, outcome text NOT NULL)")
        words = pa.array([*OUTCOMES, "absent"], pa.string())
        rows, spent = 0, 0.0
        for answer in everyone:
            outcome = np.full(kept, len(OUTCOMES), np.int8)
            within = answer.places < kept
            outcome[answer.places[within]] = answer.outcomes[within]
            table = [pa.array(numbers[:kept]), _same(answer.partner, kept), words.take(pa.array(outcome))]
            start = time.perf_counter()
            _copy(db, "dense_answer (number, partner, outcome)", table)
            spent += time.perf_counter() - start
            rows += kept
        start = time.perf_counter()
        db.execute("ALTER TABLE dense_answer ADD PRIMARY KEY (number, partner)")
        db.execute("ANALYZE dense_answer")
        store = spent + time.perf_counter() - start
        start = time.perf_counter()
        clear = _one(db, "SELECT count(*) FROM (SELECT number FROM dense_answer GROUP BY number"
                         " HAVING bool_and(outcome IN ('unbound', 'absent', 'kept'))) found")  # fmt: skip
        gate = time.perf_counter() - start
        disk = _one(db, "SELECT pg_total_relation_size('dense_answer')")
        db.execute("DROP TABLE dense_answer")
    return Built(rows=rows, store=store, gate=gate, disk=disk, clear=clear)


def _same(value: int, count: int) -> pa.Array:
    return pa.array(np.full(count, value, np.int32))


def _copy(db: psycopg.Connection[tuple[object, ...]], target: str, columns: list[pa.Array]) -> None:
    out = io.BytesIO()
    options = pa_csv.WriteOptions(include_header=False, quoting_style="none")
    pa_csv.write_csv(pa.table(columns, names=[str(n) for n in range(len(columns))]), out, options)
    with db.cursor().copy(f"COPY {target} FROM STDIN (FORMAT CSV)".encode()) as copy:
        copy.write(out.getbuffer())


def _one(db: psycopg.Connection[tuple[object, ...]], question: str) -> int:
    row = db.execute(question.encode()).fetchone()
    assert row is not None
    return int(str(row[0]))
