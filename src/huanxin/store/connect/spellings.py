"""By what partners' names are found, as a worker spelled them: made of the names, and made again at any time."""

from __future__ import annotations

from collections.abc import Mapping

from huanxin.store.database import Tx


def known(tx: Tx) -> dict[str, str]:
    """By name, what it is found by, with spaces between."""
    return dict(tx.execute("SELECT name, found_by FROM spelling").fetchall())


def missing(tx: Tx) -> list[str]:
    """The names of partners that nobody has spelled yet."""
    rows = tx.execute("SELECT DISTINCT name FROM partner WHERE name NOT IN (SELECT name FROM spelling) ORDER BY name")
    return [str(name) for (name,) in rows]


def keep(tx: Tx, spelled: Mapping[str, str]) -> None:
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO spelling (name, found_by) VALUES (%s, %s) ON CONFLICT DO NOTHING", list(spelled.items())
        )
