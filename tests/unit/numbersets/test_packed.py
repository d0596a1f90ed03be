"""Files that came packed are read like what they hold, and a small one that holds a large one is refused while it is still
small: a megabyte of any of them can hold a terabyte of zeros."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import resource
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
import zstandard

import hostile
from huanxin.numbersets import packed, tables

NUMBER = 8613800138000
COLUMNS = tables.Columns(names=("number",))
TEXT = b"number\n" + b"+8613800138000\n" * 3


def zipped(content: bytes, name: str = "list.csv", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression=method) as archive:
        archive.writestr(name, content)
    return out.getvalue()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "bz2": bz2.compress, "zstd": zstandard.compress, "xz": lzma.compress, "zip": zipped,
}  # fmt: skip


def read(content: tables.Content, most: int | None = None) -> list[str]:
    with tables.read(tables.inspect(content, most=most), COLUMNS) as table:
        return [str(value) for chunk in table.chunks for value in chunk.columns["number"].to_pylist()]


def workbook() -> bytes:
    out = io.BytesIO()
    book = openpyxl.Workbook()
    for row in ("number", f"+{NUMBER}", f"+{NUMBER}", f"+{NUMBER}"):
        book.active.append([row])
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("packing", PACKINGS)
def test_what_is_packed_is_read_like_what_it_holds(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "list"
    for whole in (TEXT, hostile.parquet({"number": pa.array([f"+{NUMBER}"] * 3)}), workbook()):
        path.write_bytes(PACKINGS[packing](whole))
        assert read(path) == [f"+{NUMBER}"] * 3
        assert read(path.read_bytes()) == [f"+{NUMBER}"] * 3


@pytest.mark.parametrize("packing", ["gzip", "bz2", "zstd", "xz"])
def test_files_that_were_packed_one_behind_the_other_are_read_whole(packing: str) -> None:
    pack = PACKINGS[packing]
    assert len(read(pack(TEXT) + pack(TEXT[7:]))) == 6


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("filling", [b"\0", b"\n"], ids=["one line", "many lines"])
def test_a_bomb_of_any_kind_is_refused_before_it_costs_memory_disk_or_time(
    packing: str, filling: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a gigabyte, which is as much as is packed in a moment."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))  # whatever wrote to the disk would fail
    path = tmp_path / "bomb"
    path.write_bytes(PACKINGS[packing](b"number\n" * (filling == b"\n") + filling * (512 << 20)))
    assert path.stat().st_size < 2_000_000
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(tables.BadTable, match=r"once unpacked, the file is longer|a line is longer than"):
        read(path, most=8 << 20)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10
    assert time.process_time() - began < 3


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_bomb_that_passes_for_a_workbook_or_parquet_is_bounded_too(packing: str) -> None:
    for magic in (b"PAR1", b"\xd0\xcf\x11\xe0"):
        bomb = PACKINGS[packing](magic + bytes(64 << 20))
        with pytest.raises(tables.BadTable, match="once unpacked, the file is longer than 8,388,608 bytes"):
            read(bomb, most=8 << 20)


def test_without_a_bound_of_its_own_a_packed_file_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the command line nobody names one."""
    monkeypatch.setattr(packed, "MOST", 1 << 20)
    with pytest.raises(tables.BadTable, match="once unpacked, the file is longer than 1,048,576 bytes"):
        read(gzip.compress(b"number\n" * (1 << 20)))


def xz_that_asks_for_memory() -> bytes:
    """xz whose heading asks for a dictionary of 1.5 gigabytes."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 3 << 29}]
    packer = lzma.LZMACompressor(filters=[{**filters[0], "dict_size": 1 << 12}])
    made = bytearray(packer.compress(TEXT) + packer.flush())
    at = made.index(b"\x21\x01", 12) + 2
    made[at] = 39
    import binascii

    head = 4 * (made[12] + 1)
    made[12 + head - 4 : 12 + head] = binascii.crc32(bytes(made[12 : 12 + head - 4])).to_bytes(4, "little")
    return bytes(made)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (xz_that_asks_for_memory(), "more memory or time"), (hostile.zip_of_many_names(), "can't be read as an Excel"),
        (zipped(TEXT)[:-30], "damaged or cut short"), (lzma.compress(TEXT)[:-9], "damaged or cut short"),
        (bz2.compress(TEXT)[:-9], "damaged or cut short"), (zstandard.compress(TEXT)[:-5], "damaged or cut short"),
        (gzip.compress(gzip.compress(TEXT)), "packed twice"), (zipped(zipped(TEXT), "list.zip"), "packed twice"),
    ],
    ids=["xz memory", "zip names", "zip", "xz", "bz2", "zstd", "gzip twice", "zip in zip"],
)  # fmt: skip
def test_what_is_damaged_or_made_to_hurt_is_refused_in_words(content: bytes, why: str) -> None:
    with pytest.raises(tables.BadTable, match=why):
        read(content)


def test_an_archive_holds_one_file_and_what_macos_adds() -> None:
    out = io.BytesIO(zipped(TEXT))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("__MACOSX/._list.csv", b"\0\5\x16\7")
        archive.writestr("folder/", b"")
    assert len(read(out.getvalue())) == 3
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("more.csv", TEXT)
    with pytest.raises(tables.BadTable, match="holds 2 files; send one with the list alone"):
        read(out.getvalue())


def test_an_archive_with_a_password_says_so() -> None:
    locked = bytearray(zipped(TEXT))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(tables.BadTable, match="locked with a password"):
        read(bytes(locked))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_of_another_method_is_read_and_bounded_as_well(method: int) -> None:
    """The standard library unpacks these without a bound, a kilobyte to a gigabyte: in a process that has one."""
    assert len(read(zipped(TEXT, method=method))) == 3
    bomb = zipped(b"number\n" + b"\n" * (64 << 20), method=method)
    with pytest.raises(tables.BadTable, match=r"once unpacked|more memory or time"):
        read(bomb, most=8 << 20)


def test_readers_of_packed_parquet_at_once_do_not_wait_for_each_other_for_ever() -> None:
    """Unpacking takes a turn, and so does reading: whoever held one and waited for the other would stop everybody."""
    from concurrent.futures import ThreadPoolExecutor

    content = zipped(hostile.parquet({"number": pa.array([f"+{NUMBER}"] * 3)}))
    with ThreadPoolExecutor(8) as pool:
        assert [len(one) for one in pool.map(read, [content] * 8, timeout=60)] == [3] * 8
