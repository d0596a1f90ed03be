"""The benchmark does what it says: the same work in every build, on data of the shape it names. Nothing is timed here."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from huanxin.bench import builds, data, shops
from huanxin.bench.days import STEPS as STEPS_OF_A_DAY
from huanxin.bench.days import run_days
from huanxin.bench.receipts import FORMS
from huanxin.bench.run import run_bench
from huanxin.cli.main import app
from huanxin.domain.numbers import chinese_plan
from huanxin_partner.sqlite_ties import SqliteTies

NUMBERS, PARTNERS = 3_000, 5
STEPS = {"import the report", "plan the batch", "notices and number file", "receipts parsed", "receipts stored",
         "reconcile and gate", "release list"}  # fmt: skip


def unsettled(everyone: list[data.Answers], numbers: int) -> set[int]:
    """Places below `numbers` that some partner answers with pending or a refusal."""
    stops = [data.OUTCOMES.index(word) for word in ("pending", "refused")]
    return {
        place for answer in everyone for place in answer.places[np.isin(answer.outcomes, stops)].tolist() if place < numbers
    }


def test_the_whole_run_says_what_it_did_and_every_build_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    """run_bench itself raises if ours and the sparse build differ on what is clear."""
    run_bench(numbers=NUMBERS, partners=PARTNERS, receipt_lines=20_000, as_json=True, forms=FORMS[-1:])
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    everyone = list(data.answers(NUMBERS, PARTNERS, 1))
    assert (told["numbers"], told["partners"]) == (NUMBERS, PARTNERS)
    assert told["ties"] == sum(len(answer.places) for answer in everyone)
    assert told["clear"] == NUMBERS - len(unsettled(everyone, NUMBERS))
    assert set(told["steps"]) == STEPS
    assert [(one["form"], one["lines"]) for one in told["receipts_at_size"]] == [(FORMS[-1].name, 20_000)]


def test_days_are_lived_through_and_each_step_is_told_at_each_mark(capsys: pytest.CaptureFixture[str]) -> None:
    """Each day releases the batch of the day before, else the run ends in an error; what is settled is made again."""
    run_days(marks=[1, 3], numbers=400, partners=2, as_json=True)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(told["seconds"]) == ["1", "3"]
    assert all(set(steps) == set(STEPS_OF_A_DAY) for steps in told["seconds"].values())
    assert all(told["seconds"]["3"][step] > 0 for step in STEPS_OF_A_DAY)
    assert told["facts"] > 90 * 300


def test_the_obvious_builds_hold_the_rows_they_stand_for(dsn: str) -> None:
    numbers = data.due_numbers(chinese_plan(), NUMBERS, 1)
    everyone = list(data.answers(NUMBERS, PARTNERS, 1))
    sparse = builds.sparse(dsn, numbers, everyone, PARTNERS)
    dense = builds.dense(dsn, numbers, everyone, 10)
    assert sparse.rows == sum(len(answer.places) for answer in everyone)
    assert sparse.clear == NUMBERS - len(unsettled(everyone, NUMBERS))
    assert dense.rows == NUMBERS // 10 * PARTNERS
    assert dense.clear == NUMBERS // 10 - len(unsettled(everyone, NUMBERS // 10))
    assert min(sparse.disk, dense.disk) > 0


def test_a_build_with_a_partner_missing_finds_nothing_clear(dsn: str) -> None:
    numbers = data.due_numbers(chinese_plan(), NUMBERS, 1)
    assert builds.sparse(dsn, numbers, list(data.answers(NUMBERS, PARTNERS, 1))[:-1], PARTNERS).clear == 0


def test_the_data_is_the_same_every_time_and_has_the_shape_that_it_names(tmp_path: Path) -> None:
    plan = chinese_plan()
    numbers = data.due_numbers(plan, NUMBERS, 1)
    assert len(np.unique(numbers)) == NUMBERS
    assert {plan.owner(int(shard)) for shard in np.unique(numbers // 1_000_000)} == {"cmcc"}
    assert np.array_equal(numbers, data.due_numbers(plan, NUMBERS, 1))
    data.write_report(tmp_path / "report.csv", numbers, date(2026, 11, 24), 1)
    assert len((tmp_path / "report.csv").read_text().splitlines()) == NUMBERS + 1
    many = list(data.answers(100_000, 239, 1))
    ties = sum(len(answer.places) for answer in many)
    assert ties == pytest.approx(100_000 * data.TIES_PER_NUMBER, rel=0.05)
    assert len(many) == 239
    assert len(many[0].places) > 20 * len(many[-1].places)


def test_the_shops_of_the_orders_benchmark_hold_an_old_tie_none_or_a_new_one(tmp_path: Path) -> None:
    """What it checks its outcomes against is what the partners' own stores say."""
    opened = datetime(2026, 11, 1, tzinfo=UTC)
    numbers = [f"+861380013800{place}" for place in range(6)]
    shops.make_accounts(tmp_path / "shop.db", 1, [(number, opened) for number in numbers])
    store = SqliteTies(tmp_path / "shop.db", table="accounts", number_column="phone", bound_at_column="bound_at")
    answers = {answer.number: answer.outcome for answer in store.unbind(numbers, opened)}
    expected = [shops.outcome_of(1, place) for place in range(6)]
    assert [answers.get(number, "absent") for number in numbers] == expected
    assert set(expected) == set(shops.OUTCOMES)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--numbers", "-5"), 2, "--numbers"), (("--partners", "0"), 2, "--partners"),
        (("orders", "--way", "nonsense"), 2, "'push', 'poll', 'both'"),
        (("--numbers", "1000000000000"), 1, "the carrier has no more than"),
    ],
)  # fmt: skip
def test_a_size_or_a_way_that_there_is_not_is_refused_before_anything_is_timed(
    words: tuple[str, ...], code: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ended = CliRunner().invoke(app, ["bench", *words], catch_exceptions=False)
    assert ended.exit_code == code
    assert says in ended.output
