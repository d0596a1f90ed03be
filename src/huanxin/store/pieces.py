"""Single containers of stored sets, read without the rest of the sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

from pyroaring import BitMap

from huanxin.numbersets.slices import Slice, container_of, slice_of
from huanxin.store.database import Tx


def near(head: bytes, length: int, place: int) -> Slice | None:
    """What to read of a set of `length` bytes that begins with `head`, to know of the places around one: None if the
    beginning is the whole set, or says that there are none; the whole set if the beginning doesn't tell."""
    if length <= len(head):
        return None
    try:
        return slice_of(head, length, container_of(place))
    except ValueError:
        return Slice(start=0, size=length, head=b"")


def read_slices(tx: Tx, table: LiteralString, wanted: Mapping[str, Slice]) -> dict[str, BitMap]:
    """Containers of the sets `places` of a table, by where their rows lie (ctid), which holds: facts are never moved.
    PostgreSQL reads no more of a large value than is asked for. (The arrays are written here: it is five times faster than
    the driver's own way, and they hold our own integers only.)"""
    if not wanted:
        return {}
    ids = "{" + ",".join(f'"{one}"' for one in wanted) + "}"
    starts = "{" + ",".join(str(one.start + 1) for one in wanted.values()) + "}"
    sizes = "{" + ",".join(str(one.size) for one in wanted.values()) + "}"
    rows = tx.execute(
        "SELECT w.at::text, substring(s.places FROM w.first FOR w.size)"
        " FROM unnest(%s::tid[], %s::int4[], %s::int4[]) w (at, first, size)"
        f" CROSS JOIN LATERAL (SELECT places FROM {table} WHERE ctid = w.at OFFSET 0) s",
        (ids, starts, sizes), binary=True,
    )  # fmt: skip
    return {row_id: wanted[row_id].load(stored) for row_id, stored in rows}
