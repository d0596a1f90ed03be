"""Files with numbers, in every form and for every use: receipts, reports, holds, allotments, uploads that are packed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
import zstandard
from hypothesis import strategies as st

from exports.making import FILES, feather, ods
from fuzz.fuzzing import tried
from fuzz.mangling import BYTES, ODD, mangled
from hostile import MEGABYTE, deep_schema, endless_footer, long_value, many_columns, one_value, parquet, zip_of_version_7_4
from huanxin.answer import lines, single
from huanxin.domain.answers import Purpose
from huanxin.domain.errors import HuanxinError
from huanxin.domain.numbers import written
from huanxin.numbersets import apart, tables
from huanxin.numbersets.roster import Roster
from huanxin.release import holds
from huanxin.report import lines as report
from huanxin.report.allocations import import_allocation
from huanxin.settings import Settings
from huanxin.store.database import Database
from huanxin.web.api.unpacking import unpack
from ordering import acting

NUMBERS = np.arange(8_613_800_138_000, 8_613_800_138_009)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
MOST = 4 * MEGABYTE
HEADINGS = {
    "receipt": ("number", "outcome", "reason", "until"),
    "single": ("notice", "number", "outcome", "reason", "until"),
    "report": ("number", "event", "at"),
    "hold": ("number",),
    "allotment": ("from", "to"),
}
CELLS = {
    "number": [
        "+8613800138000",
        "8613800138001",
        "13800138002",
        "1.38E+12",
        '"+8613800138003"',
        "+8613800138008.0",
        "138-0013-8004",
        '="13800138005"',
        "１３８００１３８００６",
        "8.613800138007E+12",
    ],
    "outcome": ["unbound", "absent", "kept", "pending", "refused", "bound", "Unbound "],
    "reason": ["", "debt", "legal_hold", "nonsense"],
    "until": ["", "2026-12-01", "2026-12-01T08:00:00+08:00", "1999-01-01"],
    "event": ["opened", "cancelled", "reclaimed", "ported_out"],
    "at": [
        "2026-03-01",
        "2026-03-01T08:00:00+08:00",
        "2026/3/1",
        "2026年3月1日 下午3:05",
        "20260301080000",
        "1772323200",
        "03/04/2026",
        "25/12/2025",
    ],
    "from": ["+8613800000000", "+8613900000000"],
    "to": ["+8613800999999", "+8613900009999"],
    "notice": ["nr_1", "", "n 2"],
}
PACKED = [gzip.compress(b"number\n+8613800138000\n" * 9), zstandard.compress(b"number\n+8613800138000\n" * 9)]
ABOVE = [b"", b"", "三月清单\r\n".encode(), b"sep=;\r\n", b'"a\nb"\n\n']
BELOW = [b"", b"", "合计,2".encode(), b"\x1a", b"total\r\n\x1a\r\n", b",,,\n"]
BOMBS = [gzip.compress(bytes(5 * MEGABYTE)), zstandard.compress(bytes(5 * MEGABYTE))]


@pytest.fixture(scope="module")
def plan() -> object:
    return Settings(key_passphrase="a test of some length").plan()


@st.composite
def rows(draw: st.DrawFn, use: str) -> list[tuple[str, ...]]:
    """Lines of which most cells are such as should stand there."""
    cell = {
        name: st.one_of(st.sampled_from(CELLS[name]), st.sampled_from(CELLS[name]), st.sampled_from(ODD))
        for name in HEADINGS[use]
    }
    return draw(st.lists(st.tuples(*(cell[name] for name in HEADINGS[use])), max_size=6))


def as_csv(use: str, found: Sequence[tuple[str, ...]], mark: str = ",") -> bytes:
    return "\r\n".join(map(mark.join, [HEADINGS[use], *found, ()])).encode("utf-8", "surrogatepass")


def as_zip(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("list"), content)
    return out.getvalue()


def as_parquet(use: str, found: Sequence[tuple[str, ...]], kind: str) -> bytes:
    columns = zip(*found, strict=True) if found else [()] * len(HEADINGS[use])
    texts = [[cell.encode("utf-8", "surrogatepass") for cell in column] for column in columns]
    arrays = [pa.array(column, pa.binary()) for column in texts]
    if kind == "text":
        arrays = [pa.array([cell.decode("utf-8", "replace") for cell in column], pa.string()) for column in texts]
    if kind == "typed":
        arrays[0] = pa.array([8_613_800_138_000 + at for at in range(len(found))], pa.int64())
    return parquet(dict(zip(HEADINGS[use], arrays, strict=True)), compression="zstd")


def as_workbook(use: str, found: Sequence[tuple[str, ...]]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in [HEADINGS[use], *found]:
        book.active.append([cell if cell.isprintable() else "?" for cell in row])
    book.save(out)
    return out.getvalue()


PACKINGS: list[Callable[[bytes], bytes]] = [
    bytes, bytes, bytes, lambda made: gzip.compress(made, mtime=0), bz2.compress, lzma.compress, zstandard.compress, as_zip,
]  # fmt: skip


@st.composite
def files(draw: st.DrawFn, use: str) -> bytes:
    """A file of a use, in one of its forms, packed or not, and perhaps mangled."""
    found = draw(rows(use))
    form = draw(st.sampled_from(("csv", "csv", "csv", "text", "bytes", "typed")))
    made = as_csv(use, found, draw(st.sampled_from(",,,;\t|"))) if form == "csv" else as_parquet(use, found, form)
    if form == "csv":
        made = draw(st.sampled_from(ABOVE)) + made + draw(st.sampled_from(BELOW))
    if form == "csv" and draw(st.booleans()):
        made = draw(mangled([made, as_csv(use, found)]))
    return draw(st.sampled_from(PACKINGS))(made)


def traps(use: str) -> list[bytes]:
    """What hurt before."""
    cell = ",".join(HEADINGS[use]).encode() + b"\n" + b"8" * 200_000 + b"\n"
    return [b"", cell, *BYTES, cell.replace(b"8", b"\xff"), b"\x1f\x8b", b"PK\x03\x04", zip_of_version_7_4()]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole Parquet is read in this process: a process for each takes a third of a second. Damaged files never are."""

    def frames(reader: str, content: apart.Given, *, memory: int, most: int | None = None, **asked: Any) -> Iterator[bytes]:
        assert memory
        if callable(content):
            with content() as stream:
                content = stream.read(min(most or MOST, MOST))
        yield from import_module(reader).frames(
            io.BytesIO(content if isinstance(content, bytes) else content.read_bytes()), **asked
        )

    monkeypatch.setattr(apart, "frames", frames)


def receipt(content: bytes, _: object) -> None:
    parsed = lines.parse_receipt(tables.inspect(content, most=MOST), Roster(NUMBERS), Purpose.RENEWAL, "Asia/Shanghai")
    told = [(written(int(NUMBERS[place])), answer) for answer, places in parsed.answers.items() for place in places]
    text = "\n".join(
        f"{number},{said.outcome},{said.reason},{said.until or ''}" for number, said in [(one, two) for one, two in told]
    )
    again = f"{','.join(HEADINGS['receipt'])}\n{text}\n".encode()
    read = lines.parse_receipt(tables.inspect(again, most=MOST), Roster(NUMBERS), Purpose.RENEWAL, "Asia/Shanghai")
    assert read.answers == parsed.answers


def of_many(content: bytes, _: object) -> None:
    for line in single.read(tables.inspect(content, most=single.LONGEST)):
        assert line.line


def reported(content: bytes, plan: object) -> None:
    carrier = plan.carriers["cmcc"]  # type: ignore[attr-defined]
    for good, bad in report.read_lines(tables.inspect(content, most=MOST), carrier=carrier, plan=plan, now=NOW, most_bad=9):  # type: ignore[arg-type]
        assert all(str(one.reason) for one in bad)
        text = "".join(f"{good.text(row, carrier.zone)}\n" for row in range(len(good)))
        again = tables.inspect(f"number,event,at\n{text}".encode())
        read = [one for one, _ in report.read_lines(again, carrier=carrier, plan=plan, now=NOW)]  # type: ignore[arg-type]
        assert report.Lines.joined(read).number.tolist() == good.number.tolist()
        assert report.Lines.joined(read).at.tolist() == good.at.tolist()


USES: dict[str, Callable[[bytes, object], None]] = {"receipt": receipt, "single": of_many, "report": reported}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("use", sorted(USES))
def test_what_partners_and_carriers_send(request: pytest.FixtureRequest, plan: object, use: str) -> None:
    tried(
        request,
        lambda content: USES[use](content, plan),
        files(use),
        known=traps(use),
        most=120,
        refuses=(HuanxinError, tables.BadTable),
    )


@pytest.mark.usefixtures("here")
def test_lists_that_people_send(request: pytest.FixtureRequest, plan: object, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"

    def read(content: bytes) -> None:
        path.write_bytes(content)
        found = holds.read_numbers(path, plan, MOST)  # type: ignore[arg-type]
        path.write_bytes("\n".join(["number", *map(written, found.numbers().tolist())]).encode())
        assert holds.read_numbers(path, plan, MOST) == found  # type: ignore[arg-type]

    tried(request, read, files("hold"), known=traps("hold"), most=120, refuses=(HuanxinError,))


def test_damaged_parquet_and_workbooks(request: pytest.FixtureRequest, plan: object, tmp_path: Path) -> None:
    """Each is read in a process of its own, so these are few."""
    path, found = tmp_path / "list.xlsx", [("+8613800138000",), ("x",)]
    samples = [
        as_parquet("hold", found, "text"), as_parquet("hold", found, "typed"), as_workbook("hold", found),
        ods([HEADINGS["hold"], *found]), (FILES / "errors.xls").read_bytes(),
        feather(pa.table({"number": [cell for (cell,) in found]})), as_zip(as_workbook("hold", found)),
    ]  # fmt: skip
    bombs = [
        one_value("number"),
        long_value("number", letters=MEGABYTE),
        many_columns("number"),
        endless_footer("number"),
        deep_schema("number"),
        b"PAR1",
        b"PAR1PAR1",
    ]

    def read(content: bytes) -> None:
        path.write_bytes(content)
        holds.read_numbers(path, plan, MOST)  # type: ignore[arg-type]

    tried(request, read, mangled(samples), known=bombs, most=6, refuses=(HuanxinError,))


@pytest.mark.usefixtures("here")
def test_what_carriers_were_allotted(
    request: pytest.FixtureRequest, plan: object, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "allotted.csv"

    def read(content: bytes) -> None:
        path.write_bytes(content)
        with database.transaction() as tx:
            import_allocation(acting(tx, plan=plan, now=NOW, by="test"), path, carrier="cmcc")  # type: ignore[arg-type]

    tried(request, read, files("allotment"), known=traps("allotment"), most=80, refuses=(HuanxinError,))


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_packed_bodies(request: pytest.FixtureRequest, tmp_path: Path, encoding: str) -> None:
    packed, out = tmp_path / "packed", tmp_path / "out"

    def read(content: bytes) -> None:
        packed.write_bytes(content)
        try:
            unpack(packed, out, encoding=encoding, most=MOST)
        finally:
            assert out.stat().st_size <= MOST

    tried(request, read, mangled(PACKED), known=[*PACKED, *BOMBS, b"", *BYTES], most=120, refuses=(HuanxinError,))
