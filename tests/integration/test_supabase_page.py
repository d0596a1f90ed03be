"""The SQL and the store of docs/partners/supabase.md, run as they stand there, on tables with the columns that they use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

PAGE = (Path(__file__).parents[2] / "docs/partners/supabase.md").read_text(encoding="utf-8")
NUMBER, OTHER = "+8613800138000", "+8613800138001"
FORMER, FRESH = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
AUTH = """
CREATE SCHEMA auth;
CREATE TABLE auth.users (
    id uuid PRIMARY KEY, email text, phone text UNIQUE, phone_confirmed_at timestamptz, phone_change text DEFAULT '',
    phone_change_token text DEFAULT '', phone_change_sent_at timestamptz, raw_app_meta_data jsonb, deleted_at timestamptz);
CREATE TABLE auth.identities (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), provider_id text NOT NULL, user_id uuid NOT NULL REFERENCES auth.users,
    identity_data jsonb NOT NULL, provider text NOT NULL, last_sign_in_at timestamptz, created_at timestamptz,
    updated_at timestamptz, UNIQUE (provider_id, provider));
CREATE TABLE auth.sessions (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid NOT NULL REFERENCES auth.users);
CREATE TABLE auth.one_time_tokens (user_id uuid NOT NULL, relates_to text NOT NULL, created_at timestamp DEFAULT now());
CREATE TABLE auth.mfa_factors (user_id uuid NOT NULL, factor_type text, phone text, created_at timestamptz DEFAULT now());
"""


def block(name: str, language: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```{language}\n(.+?)```\n<!-- /{name} -->", PAGE, re.DOTALL)
    assert found, f"the page has no {name}"
    return found[1]


def sign_up(db: psycopg.Connection[Any], user: str, number: str) -> None:
    """As Supabase Auth records an account by phone, with an e-mail address beside it."""
    phone = number.removeprefix("+")
    db.execute(
        "INSERT INTO auth.users (id, email, phone, phone_confirmed_at, raw_app_meta_data)"
        """ VALUES (%s, %s, %s, now(), '{"provider": "email", "providers": ["email", "phone"]}')""",
        (user, f"{user}@mail.example", phone),
    )
    db.execute(
        "INSERT INTO auth.identities (provider_id, user_id, identity_data, provider, created_at, updated_at)"
        " VALUES (%s, %s, jsonb_build_object('phone', %s::text), 'phone', now(), now())",
        (user, user, phone),
    )
    db.execute("INSERT INTO auth.sessions (user_id) VALUES (%s)", (user,))


@pytest.fixture
def db(empty_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(empty_dsn, autocommit=True) as connection:
        connection.execute(AUTH)
        sign_up(connection, FORMER, NUMBER)
        connection.execute(block("sql", "sql"))
        yield connection


@pytest.fixture
def ties(db: psycopg.Connection[Any], empty_dsn: str) -> Any:
    found: dict[str, Any] = {}
    exec(block("store", "python"), found)
    return found["SupabaseTies"](empty_dsn)


def said(answers: Any) -> dict[str, str]:
    return {answer.number: answer.outcome for answer in answers}


def counted(db: psycopg.Connection[Any], table: str, user: str) -> int:
    row = db.execute(f"SELECT count(*) FROM auth.{table} WHERE user_id = %s", (user,)).fetchone()
    assert row
    return int(row[0])


def test_the_former_owner_loses_the_number_and_keeps_the_account(db: psycopg.Connection[Any], ties: Any) -> None:
    cutoff = datetime.now(UTC)
    db.execute("INSERT INTO auth.mfa_factors VALUES (%s, 'phone', '8613800138000', now() - interval '1 day')", (FORMER,))
    assert said(ties.unbind([NUMBER, OTHER], cutoff)) == {NUMBER: "unbound", OTHER: "absent"}
    row = db.execute("SELECT email, phone, raw_app_meta_data -> 'providers' FROM auth.users").fetchone()
    assert row == (f"{FORMER}@mail.example", None, ["email"])
    assert [counted(db, table, FORMER) for table in ("sessions", "identities", "mfa_factors")] == [0, 0, 0]
    sign_up(db, FRESH, NUMBER)
    assert said(ties.unbind([NUMBER], cutoff)) == {NUMBER: "unbound"}, "asked again"
    assert counted(db, "sessions", FRESH) == 1
    assert ties.bound(NUMBER)


def test_a_number_bound_after_the_cutoff_is_kept_though_its_account_is_older(db: psycopg.Connection[Any], ties: Any) -> None:
    cutoff = datetime.now(UTC)
    db.execute("UPDATE auth.users SET phone = %s, phone_confirmed_at = now()", (OTHER.removeprefix("+"),))
    assert said(ties.unbind([OTHER], cutoff)) == {OTHER: "kept"}
    assert counted(db, "sessions", FORMER) == 1


def test_a_login_by_the_next_owner_does_not_make_the_tie_look_new(db: psycopg.Connection[Any], ties: Any) -> None:
    cutoff = datetime.now(UTC)
    db.execute("UPDATE auth.users SET phone_confirmed_at = now()")
    assert said(ties.unbind([NUMBER], cutoff)) == {NUMBER: "unbound"}


def test_a_change_to_the_number_that_was_never_confirmed_can_not_be_confirmed_later(
    db: psycopg.Connection[Any], ties: Any
) -> None:
    sign_up(db, FRESH, OTHER)
    begun = datetime.now(UTC)
    db.execute(
        "UPDATE auth.users SET phone_change = '8613800138000', phone_change_sent_at = %s WHERE id = %s", (begun, FRESH)
    )
    ties.unbind([NUMBER], begun + timedelta(seconds=1))
    assert db.execute("SELECT phone_change FROM auth.users WHERE id = %s", (FRESH,)).fetchone() == ("",)


def test_a_retracted_number_returns_as_old_as_it_was(db: psycopg.Connection[Any], ties: Any) -> None:
    cutoff = datetime.now(UTC)
    ties.unbind([NUMBER], cutoff)
    assert said(ties.restore([NUMBER, OTHER], cutoff)) == said(ties.restore([NUMBER], cutoff)) == {NUMBER: "restored"}
    assert counted(db, "identities", FORMER) == 1
    assert said(ties.unbind([NUMBER], cutoff)) == {NUMBER: "kept"}, "the renewal that was retracted"
    assert said(ties.unbind([NUMBER], cutoff + timedelta(microseconds=1))) == {NUMBER: "unbound"}, "the next one"


def test_a_number_that_somebody_has_meanwhile_stays_his(db: psycopg.Connection[Any], ties: Any) -> None:
    cutoff = datetime.now(UTC)
    ties.unbind([NUMBER], cutoff)
    sign_up(db, FRESH, NUMBER)
    assert said(ties.restore([NUMBER], cutoff)) == {NUMBER: "irreversible"}
    assert db.execute("SELECT id::text FROM auth.users WHERE phone IS NOT NULL").fetchall() == [(FRESH,)]


def test_of_two_that_lost_a_number_the_last_has_it_back_and_that_is_not_called_restored(
    db: psycopg.Connection[Any], ties: Any
) -> None:
    cutoff = datetime.now(UTC) + timedelta(days=1)
    for user, years in ((FORMER, 3), (FRESH, 2)):
        if user == FRESH:
            sign_up(db, FRESH, NUMBER)
        db.execute("UPDATE huanxin.phones SET bound_at = now() - %s * interval '1 year' WHERE user_id = %s", (years, user))
        assert said(ties.unbind([NUMBER], cutoff)) == {NUMBER: "unbound"}
    for _ in range(2):
        assert said(ties.restore([NUMBER], cutoff)) == {NUMBER: "irreversible"}
        assert db.execute("SELECT id::text FROM auth.users WHERE phone IS NOT NULL").fetchall() == [(FRESH,)]


def test_a_zero_time_among_those_that_are_there_already_cuts_nothing(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as connection:
        connection.execute(AUTH)
        sign_up(connection, FORMER, NUMBER)
        connection.execute("UPDATE auth.identities SET updated_at = '0001-01-01 00:00:00+00'")  # as Go writes none
        cutoff = datetime.now(UTC)
        connection.execute(block("sql", "sql"))
        found: dict[str, Any] = {}
        exec(block("store", "python"), found)
        assert said(found["SupabaseTies"](empty_dsn).unbind([NUMBER], cutoff)) == {NUMBER: "kept"}
