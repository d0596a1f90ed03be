"""A table of open data as CSV (RFC 4180), JSON or Parquet: the same rows in each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from huanxin.figures.watch.opendata import SCHEMA, Table
from huanxin.numbersets.arrow import pa, pq

_ARROW = {"text": "string", "integer": "int64", "number": "float64", "boolean": "bool"}


@dataclass(frozen=True, kw_only=True)
class About:
    """What is said of all tables: when the figures were counted, whose months they have, the threshold, under which terms
    they may be used."""

    as_of: datetime
    zone: str
    threshold: int
    licence: str

    def words(self) -> dict[str, object]:
        return {
            "schema": SCHEMA, "as_of": self.as_of.isoformat(), "zone": self.zone, "threshold": self.threshold,
            "licence": self.licence,
        }  # fmt: skip


def as_csv(table: Table, _: About) -> bytes:
    """UTF-8 with a heading; nothing where there is no value, `true` and `false` for yes and no."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([one.name for one in table.fields])
    writer.writerows([_plain(value) for value in row] for row in table.rows)
    return text.getvalue().encode()


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def as_json(table: Table, about: About) -> bytes:
    """One object: what is said of the figures, the fields, the rows as objects."""
    names = [one.name for one in table.fields]
    rows = [dict(zip(names, row, strict=True)) for row in table.rows]
    fields = [{"name": one.name, "type": one.type} for one in table.fields]
    body = {**about.words(), "table": table.name, "fields": fields, "rows": rows}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def as_parquet(table: Table, about: About) -> bytes:
    """What is said of the figures stands in the file's metadata."""
    words = {key: str(value) for key, value in (about.words() | {"table": table.name}).items()}
    schema = pa.schema([pa.field(one.name, pa.type_for_alias(_ARROW[one.type])) for one in table.fields], metadata=words)
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.fields)
    made = pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema)
    sink = io.BytesIO()
    pq.write_table(made, sink)
    return sink.getvalue()


FORMS: dict[str, tuple[str, Callable[[Table, About], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "json": ("application/json", as_json),
    "parquet": ("application/vnd.apache.parquet", as_parquet),
}
"""By the ending of the address: media type, and how it is written."""
