"""The record as it was at an instant: views that leave out what was recorded later, under the names of the tables.

They are temporary, and go with the transaction: every reading of facts then reads what was known by then, and none has to
know of it. Names, settings and what is counted from facts stay those of now.
"""

from __future__ import annotations

from datetime import datetime

from psycopg import sql

from huanxin.store.database import Tx

_DATED = {
    "report": "recorded_at", "allocation": "recorded_at", "hold": "placed_at", "hold_lift": "lifted_at",
    "batch": "planned_at", "batch_call_off": "called_off_at", "notice": "sent_at", "receipt": "received_at",
    "waiver": "waived_at", "release": "released_at", "breach": "found_at", "stop": "stopped_at",
    "waiver_withdrawal": "withdrawn_at", "disclosure": "acknowledged_at", "disclosure_withdrawal": "withdrawn_at",
}  # fmt: skip
"""Facts, each with the column that says when it was recorded."""
_PARTS = {
    "allocation_range": "allocation", "hold_set": "hold", "batch_set": "batch",
    "batch_span": "batch", "receipt_set": "receipt", "release_set": "release", "breach_set": "breach",
}  # fmt: skip
"""Tables whose rows are parts of a fact in another, which they name by its id."""
_STOOD = """
SELECT t.ctid, t.*
FROM {set} t
WHERE EXISTS (SELECT FROM pg_temp.report f WHERE f.id = t.report_id)
UNION ALL
SELECT t.ctid, t.shard, t.day, t.report_id, t.layer, t.event, t.carrier, t.numbers, t.instants, t.place
FROM {void} t
WHERE EXISTS (SELECT FROM pg_temp.report f WHERE f.id = t.report_id)
    AND NOT EXISTS (SELECT FROM pg_temp.report f WHERE f.id = t.voided_by)
"""
"""What reports said and stood then: of what stands now, and of what was taken back later."""
_VOIDED = "SELECT t.ctid, t.* FROM {void} t WHERE EXISTS (SELECT FROM pg_temp.report f WHERE f.id = t.voided_by)"
_KEPT = {
    "settled": "SELECT t.shard, DATE '0001-01-01' AS until FROM {} t", "settled_set": "SELECT t.* FROM {} t WHERE false",
    "planned_whole": "SELECT t.* FROM {} t WHERE false", "nothing_to_release": "SELECT t.* FROM {} t WHERE false",
}  # fmt: skip
"""What is kept beside the facts, of now: then nothing of it is known, and it is read from the facts."""
KNOWN = _DATED.keys() | _PARTS.keys() | {"report_set", "report_void"}
"""Tables of which a look back leaves out what came later."""


def go_back(tx: Tx, at: datetime) -> None:
    """Have the rest of a transaction see the record as it was at an instant, and write nothing. It has to be rolled back."""
    (schema,) = tx.execute("SELECT current_schema()").fetchone() or ("public",)
    views = [(table, f"{column} <= {{at}}") for table, column in _DATED.items()]
    views += [(table, f"EXISTS (SELECT FROM pg_temp.{of} f WHERE f.id = t.{of}_id)") for table, of in _PARTS.items()]
    for table, known in views:
        # A row's place (ctid) is shown too, by which parts of large sets are read.
        tx.execute(
            sql.SQL("CREATE TEMP VIEW {table} AS SELECT t.ctid, t.* FROM {whole} t WHERE " + known).format(
                table=sql.Identifier(table), whole=sql.Identifier(str(schema), table), at=sql.Literal(at)
            )
        )
    whole = {"set": sql.Identifier(str(schema), "report_set"), "void": sql.Identifier(str(schema), "report_void")}
    for table, said in (("report_set", _STOOD), ("report_void", _VOIDED)):
        tx.execute(sql.SQL("CREATE TEMP VIEW {} AS ").format(sql.Identifier(table)) + sql.SQL(said).format(**whole))
    for table, known in _KEPT.items():
        shown = sql.SQL(known).format(sql.Identifier(str(schema), table))
        tx.execute(sql.SQL("CREATE TEMP VIEW {} AS ").format(sql.Identifier(table)) + shown)
    tx.execute("SET TRANSACTION READ ONLY")
