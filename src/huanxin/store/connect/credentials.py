"""What partners show to be let in, and the platform's signing keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import errors
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A partner's secret (its hash) or public keys (a JWKS), valid until `expires_at` if that is set."""

    id: int
    kind: str
    secret_hash: bytes | None
    jwks: dict[str, Any] | None
    added_by: str
    added_at: datetime
    expires_at: datetime | None


def add_secret(tx: Tx, partner_id: int, secret_hash: bytes, *, by: str, at: datetime) -> None:
    """Record a partner's secret by its hash."""
    tx.execute(
        "INSERT INTO credential (partner_id, kind, secret_hash, added_by, added_at) VALUES (%s, 'secret', %s, %s, %s)",
        (partner_id, secret_hash, by, at),
    )


def add_keys(tx: Tx, partner_id: int, jwks: dict[str, Any], *, by: str, at: datetime) -> None:
    """Record a partner's public keys."""
    tx.execute(
        "INSERT INTO credential (partner_id, kind, jwks, added_by, added_at) VALUES (%s, 'keys', %s, %s, %s)",
        (partner_id, Jsonb(jwks), by, at),
    )


def expire_others(tx: Tx, partner_id: int, kind: str, *, at: datetime, newest: int | None = None) -> None:
    """Let every credential of a kind but the newest end at an instant, unless it ends before anyway."""
    tx.execute(
        "UPDATE credential SET expires_at = least(expires_at, %s) WHERE partner_id = %s AND kind = %s"
        " AND id <> coalesce(%s, (SELECT max(id) FROM credential WHERE partner_id = %s AND kind = %s))",
        (at, partner_id, kind, newest, partner_id, kind),
    )


def of_partner(tx: Tx, partner_id: int, now: datetime) -> list[Credential]:
    """A partner's credentials that are valid now, newest first."""
    with tx.cursor(row_factory=class_row(Credential)) as cursor:
        return cursor.execute(
            "SELECT id, kind, secret_hash, jwks, added_by, added_at, expires_at FROM credential"
            " WHERE partner_id = %s AND (expires_at IS NULL OR expires_at > %s) ORDER BY id DESC",
            (partner_id, now),
        ).fetchall()


def use_assertion(tx: Tx, partner_id: int, jti: str, *, now: datetime, expires_at: datetime) -> bool:
    """Note that an assertion was shown; False if it was shown before."""
    tx.execute("DELETE FROM used_assertion WHERE expires_at < %s", (now,))
    try:
        with tx.transaction():
            tx.execute(
                "INSERT INTO used_assertion (partner_id, jti, expires_at) VALUES (%s, %s, %s)", (partner_id, jti, expires_at)
            )
    except errors.UniqueViolation:
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A signing key of the platform: `pem` is PKCS 8, encrypted; it signs from `signs_from`, is published until the end."""

    kid: str
    alg: str
    pem: bytes
    created_at: datetime
    signs_from: datetime
    published_until: datetime | None


def add_key(tx: Tx, *, kid: str, alg: str, pem: bytes, at: datetime, signs_from: datetime) -> None:
    """Record a signing key, its private part encrypted by the caller."""
    tx.execute(
        "INSERT INTO signing_key (kid, alg, pem, created_at, signs_from) VALUES (%s, %s, %s, %s, %s)",
        (kid, alg, pem, at, signs_from),
    )


def retire_keys(tx: Tx, *, but: str, alg: str, published_until: datetime) -> None:
    """Let the other keys of an algorithm be published until an instant, unless they end before anyway."""
    tx.execute(
        "UPDATE signing_key SET published_until = least(published_until, %s) WHERE alg = %s AND kid <> %s",
        (published_until, alg, but),
    )


def end_key(tx: Tx, kid: str, *, at: datetime) -> None:
    """Let a key be published no longer than until an instant."""
    tx.execute("UPDATE signing_key SET published_until = least(published_until, %s) WHERE kid = %s", (at, kid))


def keys(tx: Tx, now: datetime) -> list[SigningKey]:
    """The signing keys that are published now, newest first."""
    with tx.cursor(row_factory=class_row(SigningKey)) as cursor:
        return cursor.execute(
            "SELECT kid, alg, pem, created_at, signs_from, published_until FROM signing_key"
            " WHERE published_until IS NULL OR published_until > %s ORDER BY signs_from DESC, kid",
            (now,),
        ).fetchall()


def one_process_makes_keys(tx: Tx) -> None:
    """Keep two processes from making the first key at once, until this transaction ends."""
    tx.execute("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE")
