"""The number file of a batch: the same numbers give the same bytes, so its SHA-256 can stand in a signed token."""

from __future__ import annotations

import hashlib
import io
from typing import IO, Any

from huanxin.numbersets.arrow import pa, pa_csv, pc, pq
from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import Numbers

CSV = "text/csv"
_LOST = 5  # bytes
PARQUET = "application/vnd.apache.parquet"
MEDIA_TYPES = (CSV, PARQUET)
_PIECE = 1 << 20  # numbers: a row group of Parquet, whose bytes would differ with another size


def written(numbers: Numbers) -> pa.Array:
    """Numbers as text, `+8613800138000`."""
    return pc.binary_join_element_wise(pa.scalar("+"), pa.array(numbers).cast(pa.string()), pa.scalar(""))


def number_file(numbers: Numbers | Roster, media_type: str) -> bytes:
    """One column, `number`, in the given order."""
    out = io.BytesIO()
    write_number_file(numbers, media_type, out)
    return out.getvalue()


def write_number_file(numbers: Numbers | Roster, media_type: str, out: IO[bytes] | io.RawIOBase) -> None:
    """Write what `number_file` gives, a piece at a time."""
    pieces = (numbers[start : start + _PIECE] for start in range(0, max(1, len(numbers)), _PIECE))
    if media_type == PARQUET:
        schema = pa.schema([("number", pa.string())])
        with pq.ParquetWriter(out, schema, compression="zstd", use_dictionary=False,
                              column_encoding="DELTA_BYTE_ARRAY") as writer:  # fmt: skip
            for piece in pieces:
                writer.write_table(pa.table({"number": written(piece)}))
        return
    out.write(b"number\n")
    for piece in pieces:
        pa_csv.write_csv(pa.table({"number": written(piece)}), out, _plain())


def write_csv(table: pa.Table, out: IO[bytes], *, quoted: bool = False) -> None:
    """A table as CSV with a header line and no quotes; with quotes around every text if some hold commas, quotes or line
    breaks."""
    out.write((",".join(table.column_names) + "\n").encode())
    pa_csv.write_csv(table, out, _plain("needed" if quoted else "none"))


def _plain(quoting: str = "none") -> pa_csv.WriteOptions:
    return pa_csv.WriteOptions(include_header=False, quoting_style=quoting)


def described(numbers: Numbers) -> dict[str, dict[str, str | int]]:
    """Each media type's SHA-256 (hex) and length in bytes."""
    found: dict[str, dict[str, str | int]] = {}
    for media_type in MEDIA_TYPES:
        measured = _Measured()
        write_number_file(numbers, media_type, measured)
        found[media_type] = {"sha256": measured.sha256.hexdigest(), "bytes": measured.length}
    return found


class _Measured(io.RawIOBase):
    """Keeps nothing of what is written but its hash and its length."""

    def __init__(self) -> None:
        self.sha256, self.length = hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        self.length += memoryview(data).nbytes
        return memoryview(data).nbytes


def spoiled(content: bytes) -> bytes:
    """A number file that lacks its end, to see in a rehearsal whether its hash is checked."""
    return content[:-_LOST]
