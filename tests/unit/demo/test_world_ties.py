"""Partners and their ties: every behaviour is there, ties are as old as they must be, and a number's are always the same."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from huanxin.demo.allotments import CARRIERS
from huanxin.demo.world import WorldReports, make_reports
from huanxin.demo.world_later import later_reports, opened_report
from huanxin.demo.world_partners import BEHAVIOURS, PartnerSpec, partner_specs
from huanxin.demo.world_ties import SINGER, UNPAID, Ground, TieRow, ground, late_ties, ties

TODAY = date(2026, 11, 24)
CUTOFF = datetime(2026, 11, 24, 4, 0, 0, 123456, tzinfo=UTC)
NOW = CUTOFF + timedelta(seconds=3)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> WorldReports:
    return make_reports(tmp_path_factory.mktemp("world"), numbers=20_000, seed=7, today=TODAY)


@pytest.fixture(scope="module")
def land(world: WorldReports) -> Ground:
    return ground(world.truth, singer_number=world.singer_number)


@pytest.fixture(scope="module")
def rows(land: Ground) -> dict[PartnerSpec, list[TieRow]]:
    return {spec: list(ties(spec, seed=1, on=land, today=TODAY)) for spec in partner_specs(12, 1)}


@pytest.mark.parametrize("count", [9, 12, 239])
def test_partners_have_every_behaviour_and_names_of_their_own(count: int) -> None:
    specs = partner_specs(count, 1)
    assert specs == partner_specs(count, 1) != partner_specs(count, 2)
    assert {spec.behaviour for spec in specs} == set(BEHAVIOURS)
    assert {spec.kind for spec in specs} == {"app", "labeler", "sender"}
    assert len({spec.name for spec in specs}) == len({spec.zh_name for spec in specs}) == count
    assert sum(spec.share for spec in specs) == pytest.approx(4, abs=0.01)
    assert max(spec.share for spec in specs) <= 0.95
    assert [spec.share for spec in specs] == sorted((spec.share for spec in specs), reverse=True)


def test_what_holds_numbers_back_happens_at_one_partner_each() -> None:
    behaviours = [spec.behaviour for spec in partner_specs(100, 1)]
    assert all(behaviours.count(one) == 1 for one in ("music", "debt", "pending", "down", "silent", "late"))


@pytest.mark.parametrize("count", [0, 240])
def test_there_are_names_for_so_many_partners_only(count: int) -> None:
    with pytest.raises(ValueError, match="names for 1 to 239"):
        partner_specs(count, 1)


def test_a_due_number_has_about_four_ties(world: WorldReports, rows: dict[PartnerSpec, list[TieRow]]) -> None:
    due = set(world.truth.number[world.truth.due(TODAY)].tolist())
    assert sum(int(row.number) in due for found in rows.values() for row in found) == pytest.approx(4 * len(due), rel=0.03)


def test_ties_on_frozen_numbers_are_older_than_the_cancellation(land: Ground, rows: dict[PartnerSpec, list[TieRow]]) -> None:
    closed = dict(zip(land.frozen.tolist(), land.closed.tolist(), strict=True))
    serving = set(land.serving.tolist())
    seen = 0
    for row in (row for found in rows.values() for row in found):
        number, bound = int(row.number), datetime.fromisoformat(row.bound_at)
        if number in closed:
            day = (bound + timedelta(hours=8)).date()
            assert (day - date(1970, 1, 1)).days < closed[number]
            seen += 1
        else:
            assert number in serving
            assert bound < datetime(2026, 11, 23, 16, tzinfo=UTC)
        assert row.created_at <= row.bound_at
    assert seen > 0


def test_a_number_s_ties_do_not_depend_on_its_company(land: Ground, rows: dict[PartnerSpec, list[TieRow]]) -> None:
    few = slice(100, 200)
    some = Ground(
        frozen=land.frozen[few], closed=land.closed[few], serving=land.serving[few], singer_number=land.singer_number
    )
    for spec, found in rows.items():
        again = list(ties(spec, seed=1, on=some, today=TODAY))
        numbers = {f"+{number}" for number in [*some.frozen.tolist(), *some.serving.tolist()]}
        assert again == [row for row in found if row.number in numbers]


def test_the_singer_has_one_account_and_owes_nothing(world: WorldReports, rows: dict[PartnerSpec, list[TieRow]]) -> None:
    singers = {spec.behaviour: [row for row in found if row.owner == SINGER] for spec, found in rows.items()}
    assert [row.number for row in singers.pop("music")] == [f"+{world.singer_number}"]
    assert not any(singers.values())
    for spec, found in rows.items():
        owing = [row for row in found if row.note == UNPAID]
        assert bool(owing) == (spec.behaviour == "debt")
        assert f"+{world.singer_number}" not in {row.number for row in owing}


def test_late_ties_start_in_the_instant_of_the_cut_off(land: Ground) -> None:
    late = list(late_ties(partner_specs(9, 1)[6], land.frozen[:50], seed=1, cutoff=CUTOFF, until=NOW))
    assert late[0].bound_at == "2026-11-24T04:00:00.123456Z"
    assert all(CUTOFF <= datetime.fromisoformat(row.bound_at) < NOW for row in late)
    assert [row.number for row in late] == [f"+{number}" for number in land.frozen[:50].tolist()]


def test_one_in_a_hundred_is_reclaimed_after_the_cut_off_but_not_the_spared(tmp_path: Path, world: WorldReports) -> None:
    batch = world.truth.number[world.truth.due(TODAY)]
    found = read(
        later_reports(tmp_path, batch, truth=world.truth, seed=1, after=CUTOFF, until=NOW, spare=batch[500:]), world
    )
    back = [number for number, event, _ in found if event == "reclaimed"]
    assert len(back) == len(set(back)) == round(len(batch) / 100)
    assert set(back) <= set(batch[:500].tolist())
    gone = {number: at for number, event, at in found if event == "ported_out"}
    assert set(gone) & set(back)
    assert not (set(gone) - set(back)) & set(batch.tolist())
    assert all(gone[number] > at for number, event, at in found if event == "reclaimed" and number in gone)
    taken = {number: at for number, event, at in found if event == "ported_in"}
    assert taken
    assert all(gone[number] < at for number, at in taken.items()), "it goes on at the carrier that took it in"


def test_one_in_fifty_of_the_released_is_sold_the_singer_s_first(tmp_path: Path, world: WorldReports) -> None:
    released = world.truth.number[world.truth.sellable(TODAY)]
    for limit, count in ((300, round(len(released) / 50)), (7, 7)):
        files = opened_report(
            tmp_path, released, truth=world.truth, seed=1, after=CUTOFF, until=NOW, limit=limit, always=[world.singer_number]
        )
        found = read(files, world)
        assert len(found) == count
        assert {event for _, event, _ in found} == {"opened"}
        assert world.singer_number in {number for number, _, _ in found} <= set(released.tolist())


def read(files: object, world: WorldReports) -> list[tuple[int, str, datetime]]:
    """The lines of some later reports, each checked to be in its own carrier's file and after the cut-off."""
    found = []
    for file in files:  # type: ignore[attr-defined]
        with file.path.open(encoding="utf-8", newline="") as text:
            rows = [(int(row["number"]), row["event"], datetime.fromisoformat(row["at"])) for row in csv.DictReader(text)]
        assert len(rows) == file.lines
        places = world.truth.where(np.array([number for number, _, _ in rows]))
        own = {CARRIERS[code] for code, (_, event, _) in zip(world.truth.carrier[places], rows, strict=True)
               if event != "ported_in"}  # fmt: skip
        assert own <= {file.carrier}
        assert all(CUTOFF < at <= NOW for _, _, at in rows)
        assert [at for _, _, at in rows] == sorted(at for _, _, at in rows)
        found += rows
    return found
