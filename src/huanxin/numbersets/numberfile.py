"""The number file of a batch: the same numbers give the same bytes, so its SHA-256 can stand in a signed token."""

from __future__ import annotations

import hashlib
import io
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from huanxin.numbersets.sharded import Numbers

CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
MEDIA_TYPES = (CSV, PARQUET)


def written(numbers: Numbers) -> pa.Array:
    """Numbers as text, `+8613800138000`."""
    return pc.binary_join_element_wise(pa.scalar("+"), pa.array(numbers).cast(pa.string()), pa.scalar(""))


def number_file(numbers: Numbers, media_type: str) -> bytes:
    """One column, `number`, in the given order."""
    out = io.BytesIO()
    if media_type == PARQUET:
        table = pa.table({"number": written(numbers)})
        pq.write_table(table, out, compression="zstd", use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY")
    else:
        write_csv(pa.table({"number": written(numbers)}), out)
    return out.getvalue()


def write_csv(table: pa.Table, out: IO[bytes]) -> None:
    """A table as CSV with a header line and no quotes."""
    out.write((",".join(table.column_names) + "\n").encode())
    pa_csv.write_csv(table, out, pa_csv.WriteOptions(include_header=False, quoting_style="none"))


def described(numbers: Numbers) -> dict[str, dict[str, str | int]]:
    """Each media type's SHA-256 (hex) and length in bytes."""
    found: dict[str, dict[str, str | int]] = {}
    for media_type in MEDIA_TYPES:
        content = number_file(numbers, media_type)
        found[media_type] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return found
