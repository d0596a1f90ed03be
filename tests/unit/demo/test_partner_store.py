"""A demo partner's database: rule 2, retractions, logins, and a batch in well under a second."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from huanxin.demo.partner_store import UNPAID, AccountTies, add_ties, make_partner_db
from huanxin_partner.ties import Answer

CUTOFF = datetime(2026, 11, 24, 5, 8, 0, 123_456, tzinfo=UTC)
NUMBERS = [f"+861380013800{digit}" for digit in range(5)]
OLD = "2020-01-01T00:00:00Z"
NEW = "2026-11-24T05:08:01Z"


def made(folder: Path, *rows: tuple[str, str, str, str], refuse_unpaid: bool = False) -> AccountTies:
    """Ties given as number, bound_at, owner, note."""
    make_partner_db(folder / "p.db", [(*row, OLD) for row in rows])
    return AccountTies(folder / "p.db", refuse_unpaid=refuse_unpaid)


def said(answers: list[Answer]) -> dict[str, str]:
    return {answer.number: f"{answer.outcome} {answer.reason}".strip() for answer in answers}


def all_of(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "p.db")) as db:
        return db.execute(sql).fetchall()


def test_what_becomes_of_each_number(tmp_path: Path) -> None:
    a, b, c, d, _ = NUMBERS
    ties = made(
        tmp_path, (a, OLD, "甲", ""), (b, NEW, "乙", ""), (c, OLD, "丙", UNPAID), (d, OLD, "丁", ""), (d, NEW, "戊", ""),
        refuse_unpaid=True,
    )  # fmt: skip
    expected = {a: "unbound", b: "kept", c: "refused debt", d: "unbound"}
    assert said(ties.unbind(NUMBERS, CUTOFF)) == expected
    assert said(ties.unbind(NUMBERS, CUTOFF)) == expected
    assert [ties.bound(number) for number in NUMBERS] == [False, True, True, True, False]
    assert all_of(tmp_path, "SELECT count(*) FROM accounts") == [(5,)]
    ended = "SELECT account_id FROM sessions WHERE ended_at IS NOT NULL ORDER BY account_id"
    assert all_of(tmp_path, ended) == [(1,), (4,)]


def test_a_retraction_gives_back_unless_bound_anew(tmp_path: Path) -> None:
    a, b, c, *_ = NUMBERS
    ties = made(tmp_path, (a, OLD, "甲", ""), (b, OLD, "乙", ""), (c, NEW, "丙", ""))
    ties.unbind(NUMBERS, CUTOFF)
    add_ties(tmp_path / "p.db", [(b, NEW, "新", "", NEW)])
    assert said(ties.restore(NUMBERS, CUTOFF)) == {a: "restored", b: "irreversible"}
    assert all_of(tmp_path, "SELECT number FROM ties WHERE cut_at IS NOT NULL") == [(b,)]


def test_a_login_lands_with_the_former_owner_until_the_tie_is_cut(tmp_path: Path) -> None:
    number = NUMBERS[0]
    ties = made(tmp_path, (number, OLD, "歌手", ""))
    assert ties.log_in(number) == (1, "歌手", False)
    ties.unbind([number], CUTOFF)
    fresh = ties.log_in(number)
    assert (fresh.owner, fresh.fresh) == ("新用户", True)
    assert ties.log_in(number) == (fresh.account, fresh.owner, False)
    assert all_of(tmp_path, "SELECT owner FROM accounts WHERE id = 1") == [("歌手",)]


@settings(max_examples=40)
@given(
    rows=st.lists(st.tuples(st.sampled_from(NUMBERS), st.integers(-3, 3), st.booleans()), max_size=12),
    calls=st.lists(st.sampled_from(["unbind", "restore"]), max_size=4),
    refuse_unpaid=st.booleans(),
)
def test_no_tie_at_or_after_the_cutoff_is_ever_cut(
    rows: list[tuple[str, int, bool]], calls: list[str], refuse_unpaid: bool
) -> None:
    cutoff = CUTOFF.replace(microsecond=0)
    with TemporaryDirectory() as folder:
        bound = [(number, cutoff + timedelta(seconds=offset), unpaid) for number, offset, unpaid in rows]
        ties = made(
            Path(folder), *((number, f"{at:%Y-%m-%dT%H:%M:%SZ}", "人", UNPAID * unpaid) for number, at, unpaid in bound),
            refuse_unpaid=refuse_unpaid,
        )  # fmt: skip
        for call in [*calls, "unbind"]:
            getattr(ties, call)(NUMBERS, cutoff)
            cut = [at is not None for (at,) in all_of(Path(folder), "SELECT cut_at FROM ties ORDER BY id")]
            assert not any(is_cut and at >= cutoff for is_cut, (_, at, _) in zip(cut, bound, strict=True))
        stale = [at < cutoff and not (unpaid and refuse_unpaid) for _, at, unpaid in bound]
        assert cut == stale


def test_a_batch_of_fifty_thousand_numbers_is_cut_where_there_are_ties(tmp_path: Path) -> None:
    numbers = [f"+86138{place:08}" for place in range(0, 100_000, 2)]
    ties = made(tmp_path, *((f"+86138{place:08}", OLD, "人", "") for place in range(25_000)))
    assert len(ties.unbind(numbers, CUTOFF)) == 12_500
