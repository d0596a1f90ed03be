"""Receipts left in folders before their numbers were kept are known after the upgrade."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from huanxin.domain.parts import Part
from huanxin.store import migrate
from huanxin.store.answer import receipt_files
from huanxin.store.database import Database

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BEFORE = "0027"


def filed(connection: psycopg.Connection[tuple[object, ...]], receipt: str, notice: str, partner: int, key: str) -> None:
    connection.execute(
        "INSERT INTO receipt (id, notice_id, batch_id, partner_id, sha256, complete, idempotency_key, lines, counts,"
        " received_at) VALUES (%s, %s, 1, %s, %s, true, %s, 1, '{}', %s)",
        (receipt, notice, partner, receipt.encode(), key, NOW),
    )


def test_a_database_with_receipts_from_folders_knows_their_numbers_and_what_they_replaced(
    empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 was taken, 2 refused and sent again as 3: 4 does not wait for 2 for ever. Keys over HTTP are no numbers."""
    every = migrate.migrations()
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "migrations", lambda: [one for one in every if one[0] < BEFORE])
        migrate.migrate(empty_dsn)
    with psycopg.connect(empty_dsn) as connection:
        connection.execute(
            "INSERT INTO batch (purpose, count, cutoff, answer_by, freeze_days, seen_report, files, planned_by, planned_at)"
            " VALUES ('renewal', 1, %(at)s, %(at)s, 90, 0, '{}', 'li', %(at)s)", {"at": NOW},
        )  # fmt: skip
        for partner, method in ((1, "files"), (2, "poll")):
            connection.execute(
                "INSERT INTO partner (name, kind, required, client_id, scopes, added_by, added_at)"
                " VALUES (%(id)s, 'app', true, %(id)s, '{}', 'li', %(at)s)", {"id": f"p{partner}", "at": NOW},
            )  # fmt: skip
            connection.execute(
                "INSERT INTO stream (id, partner_id, method, endpoint, inbox, events_requested, alg, status, created_at)"
                " VALUES (%(id)s, %(partner)s, %(method)s, %(folder)s, %(folder)s, '{}', 'ES256', 'enabled', %(at)s)",
                {"id": method, "partner": partner, "method": method, "at": NOW,
                 "folder": "/srv" if method == "files" else None},
            )  # fmt: skip
            connection.execute(
                "INSERT INTO notice (id, batch_id, partner_id, required, sent_at) VALUES (%s, 1, %s, true, %s)",
                (f"nt_{method}", partner, NOW),
            )
        filed(connection, "rc1", "nt_files", 1, "1")
        filed(connection, "rc3", "nt_files", 1, "3")
        filed(connection, "rc_http", "nt_poll", 2, "3")
    migrate.migrate(empty_dsn)
    with Database(empty_dsn) as database, database.transaction() as tx:
        parts = receipt_files.parts(tx, "nt_files")
        assert (sorted(parts.taken), sorted(parts.replaced)) == ([1, 3], [2])
        assert parts.waits_for(Part(number=4)) == []
        assert receipt_files.dealt(tx, "nt_files", 3) is not None
        assert not receipt_files.parts(tx, "nt_poll").taken
