"""Files as billing systems, databases and spreadsheets write them, made when they are needed. The numbers are made up."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import zstandard

FILES = Path(__file__).parent / "files"
"""Those that nothing here can write: .xls, by xlwt 1.3."""
Row = Sequence[object]


def text(*lines: str, encoding: str = "utf-8", end: str = "\r\n", last: str | None = None) -> bytes:
    """Lines; `last`: what ends the last one, if not what ends the others."""
    return (end.join(lines) + (end if last is None else last)).encode(encoding)


def table(rows: Iterable[Row], mark: str = ",", encoding: str = "utf-8", end: str = "\r\n") -> bytes:
    return text(*(mark.join("" if cell is None else str(cell) for cell in row) for row in rows), encoding=encoding, end=end)


def xlsx(rows: Iterable[Row], *, sheets: Sequence[str] = ("Sheet1",), formats: dict[int, str] | None = None) -> bytes:
    """A workbook with its rows on the first of its sheets; `formats` of cells by their column from 1."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(list(row))
    for column, form in (formats or {}).items():
        for (cell,) in book.active.iter_rows(min_col=column, max_col=column):
            cell.number_format = form
    book.active.title = sheets[0]
    for name in sheets[1:]:
        book.create_sheet(name)
    for cell in (cell for row in book.active.iter_rows() for cell in row):
        if str(cell.value).startswith("#"):
            cell.data_type = "e"
    book.save(out)
    return out.getvalue()


_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)


def ods(rows: Iterable[Row]) -> bytes:
    """What LibreOffice writes, in short. A cell that begins with = is a formula that failed."""
    body = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_SPACES} office:version="1.3"><office:body>'
        f'<office:spreadsheet><table:table table:name="Sheet1">{body}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    kind, space = "application/vnd.oasis.opendocument.spreadsheet", "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    entry = f'<m:file-entry m:full-path="/" m:media-type="{kind}"/>'
    manifest = f'<?xml version="1.0"?><m:manifest xmlns:m="{space}">{entry}</m:manifest>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("content.xml", content, zipfile.ZIP_DEFLATED)
        archive.writestr("META-INF/manifest.xml", manifest)
    return out.getvalue()


def _ods_cell(cell: object) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, date):
        shown = f"{cell:%Y-%m-%d %H:%M}" if isinstance(cell, datetime) else f"{cell:%Y-%m-%d}"
        said = f'office:value-type="date" office:date-value="{cell.isoformat()}"'
    elif isinstance(cell, int):
        shown, said = str(cell), f'office:value-type="float" office:value="{cell}"'
    elif str(cell).startswith("="):
        shown, said = "#N/A", f'table:formula="of:{escape(str(cell))}" office:value-type="string" office:string-value=""'
    else:
        shown, said = escape(str(cell)), 'office:value-type="string"'
    return f"<table:table-cell {said}><text:p>{shown}</text:p></table:table-cell>"


def columns(number: Sequence[object], event: Sequence[object], at: Sequence[object]) -> pa.Table:
    return pa.table({"number": pa.array(number), "event": pa.array(event), "at": pa.array(at)})


def parquet(made: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(made, out, compression="zstd")
    return out.getvalue()


def feather(made: pa.Table, compression: str = "lz4") -> bytes:
    out = io.BytesIO()
    pyarrow.feather.write_feather(made, out, compression=compression)
    return out.getvalue()


def stream(made: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, made.schema) as writer:
        writer.write_table(made)
    return out.getvalue()


def zipped(content: bytes, *names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("report.csv",):
            archive.writestr(name, content)
    return out.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
    "zip": zipped,
}
