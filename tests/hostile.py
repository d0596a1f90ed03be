"""Files that hurt whoever reads them carelessly: small on the wire, and in memory or time without end. Made when needed."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Mapping

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from exports.making import feather, ods

MEGABYTE = 1 << 20


def parquet(columns: Mapping[str, pa.Array], **how: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), out, **how)
    return out.getvalue()


def one_value(*names: str, rows: int = 2000, letters: int = MEGABYTE) -> bytes:
    """Parquet of some hundred bytes: rows of one value of a megabyte, which stands in it once."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["a" * letters]))
    return parquet(dict.fromkeys(names, column), compression="zstd", store_schema=False)


def long_value(*names: str, letters: int) -> bytes:
    """Parquet with one value that is longer than any number."""
    return parquet(dict.fromkeys(names, pa.array(["8" * letters])))


def many_columns(*names: str) -> bytes:
    """Parquet with thousands of columns beside those that are looked for."""
    others = {f"other {at}": pa.array([1]) for at in range(3000)}
    return parquet(dict.fromkeys(names, pa.array(["8613800138000"])) | others)


def endless_footer(*names: str) -> bytes:
    """Parquet that says that its description is two gigabytes long."""
    whole = long_value(*names, letters=13)
    return whole[:-8] + struct.pack("<I", 0x7FFF_0000) + whole[-4:]


def deep_schema(*names: str) -> bytes:
    """Parquet with a column of lists in lists in lists."""
    deep = pa.string()
    for _ in range(200):
        deep = pa.list_(deep)
    return parquet(dict.fromkeys(names, pa.array(["8613800138000"])) | {"deep": pa.array([None], deep)})


def zip_of_version_7_4() -> bytes:
    """A workbook, as it seems, of a ZIP version that no reader knows."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    made = bytearray(out.getvalue())
    entry = made.rindex(b"PK\x01\x02")
    made[entry + 6 : entry + 8] = struct.pack("<H", 74)
    return bytes(made)


def zip_of_many_names(folder: str = "xl/") -> bytes:
    """A workbook, as it seems (or an archive), whose directory names a hundred thousand files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for at in range(100_000):
            archive.writestr(f"{folder}{at}", b"")
    return out.getvalue()


def ods_of_one_cell_everywhere(name: str) -> bytes:
    """An .ods file of a kilobyte that says of one row that it stands there 90,000 times, a thousand cells wide."""
    cell = '<table:table-cell table:number-columns-repeated="1000" office:value-type="string"><text:p>8</text:p>'
    rows = f'<table:table-row table:number-rows-repeated="90000">{cell}</table:table-cell></table:table-row>'
    with zipfile.ZipFile(io.BytesIO(ods([(name,)]))) as before, zipfile.ZipFile(out := io.BytesIO(), "w") as after:
        for one in before.infolist():
            content = before.read(one).replace(b"</table:table>", rows.encode() + b"</table:table>")
            after.writestr(one, content)
    return out.getvalue()


def arrow_of_one_value(*names: str, rows: int = 2000, letters: int = MEGABYTE) -> bytes:
    """A Feather file of some kilobytes, packed: rows of one value of a megabyte, which stands in it once."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["a" * letters]))
    return feather(pa.table(dict.fromkeys(names, column)), "zstd")


def arrow_that_lies() -> bytes:
    """A Feather file whose column points far outside of it."""
    whole = bytearray(feather(pa.table({"number": ["8613800138000"] * 3, "outcome": ["kept"] * 3}), "uncompressed"))
    at = whole.index(struct.pack("<4i", 0, 13, 26, 39))
    whole[at : at + 16] = struct.pack("<4i", 0, 1 << 30, 1 << 30, (1 << 31) - 1)
    return bytes(whole)


def one_string_everywhere() -> bytes:
    """A workbook of some kilobytes: a text of 32,000 letters, kept once and shown in a hundred thousand cells."""
    book = openpyxl.Workbook()
    book.active.append(["number"])
    book.active.append(["8"])
    usual, out = io.BytesIO(), io.BytesIO()
    book.save(usual)
    with zipfile.ZipFile(usual) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            text = before.read(name)
            if name.startswith("xl/worksheets/"):
                start, end = text.index(b'<row r="2"'), text.index(b"</sheetData>")
                shown = (f'<row r="{at}"><c r="A{at}" t="s"><v>0</v></c></row>' for at in range(2, 100_000))
                text = text[:start] + "".join(shown).encode() + text[end:]
            after.writestr(name, text)
        main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        after.writestr("xl/sharedStrings.xml", b'<sst xmlns="%s"><si><t>%s</t></si></sst>' % (main, b"8" * 32_000))
    return out.getvalue()


def zeros(packing: str, length: int, begins: bytes = b"") -> bytes:
    """A body of so many bytes of nothing but line ends, packed."""
    if packing == "gzip":
        return gzip.compress(begins + b"\n" * length)
    return zstandard.ZstdCompressor(level=19).compress(begins + b"\n" * length)
