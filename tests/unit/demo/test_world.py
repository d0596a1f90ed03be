"""The demo's world is the same for the same seed, and its files say what its truth says."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np
import pytest

from huanxin.demo.allotments import CARRIERS, blocks, carrier_of
from huanxin.demo.world import WorldReports, load_reports, make_reports
from huanxin.demo.world_broken import OF_EACH, SORTS
from huanxin.demo.world_numbers import FREEZE_DAYS, State, day_number
from huanxin.domain.acceptance import judge
from huanxin.domain.lifecycle import fold
from huanxin.domain.numbers import chinese_plan
from huanxin.numbersets import tables
from huanxin.report.grouping import by_shard, in_layers
from huanxin.report.lines import Lines, read_lines

TODAY = date(2026, 11, 24)
EPOCH = date(1970, 1, 1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> WorldReports:
    return make_reports(tmp_path_factory.mktemp("world"), numbers=20_000, seed=7, today=TODAY)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("packed", [False, True])
def test_the_same_seed_makes_the_same_bytes(tmp_path: Path, packed: bool) -> None:
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        make_reports(tmp_path / name, numbers=2_000, seed=seed, today=TODAY, packed=packed)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert digests(tmp_path / "one") != digests(tmp_path / "other")


def test_shares_are_as_promised(world: WorldReports) -> None:
    count = len(world.truth.number)
    assert len(np.unique(world.truth.number)) == count == 20_000
    assert world.truth.sellable(TODAY).sum() == pytest.approx(0.2 * count, rel=0.1)
    assert world.truth.due(TODAY).sum() == pytest.approx(0.3 * count, rel=0.1)
    assert np.any(world.truth.frozen() & ~world.truth.due(TODAY))
    assert np.any(world.truth.state == State.PORTED_OUT)
    assert 20 <= len(np.unique(world.truth.number // 10_000)) * 5 <= 40


def test_every_block_belongs_to_its_carrier() -> None:
    plan, known = chinese_plan(), blocks()
    for start, carrier in zip(known.start.tolist(), known.carrier.tolist(), strict=True):
        assert plan.owner(start // 1_000_000) == CARRIERS[carrier] == carrier_of(str(start)[:9])


def test_the_singer_s_number_is_ready_to_be_sold_and_not_held(world: WorldReports) -> None:
    place = world.truth.where(np.array([world.singer_number]))
    assert world.truth.sellable(TODAY)[place].all()
    assert world.singer_number not in world.holds.numbers.tolist()
    assert np.all(world.truth.due(TODAY)[world.truth.where(world.holds.numbers)])
    assert len(world.holds.numbers) == pytest.approx(0.005 * world.truth.due(TODAY).sum(), abs=1)


def test_forms_are_those_of_real_files(world: WorldReports) -> None:
    by_carrier = {file.carrier: file.path for file in world.files}
    assert by_carrier["cmcc"].read_bytes()[:2] == b"\x1f\x8b"
    assert by_carrier["cucc"].read_bytes().startswith(b"\xef\xbb\xbfnumber,event,at\r\n+86")
    assert by_carrier["ctcc"].read_bytes().decode("gb18030").startswith("号码,省份,事件,时间\n861")
    assert by_carrier["cbn"].read_bytes()[:4] == b"PAR1"


def test_the_platform_reads_every_good_line_and_refuses_exactly_the_broken_ones(world: WorldReports) -> None:
    plan, now = chinese_plan(), datetime.combine(TODAY, time(1), UTC)
    frozen: set[tuple[int, int]] = set()
    for file in world.files:
        parts, bad = [], []
        source = tables.inspect(file.path)
        for lines, faults in read_lines(source, carrier=plan.carriers[file.carrier], plan=plan, now=now):
            parts.append(lines)
            bad += [fault.line for fault in faults]
        layers = in_layers(Lines.joined(parts))
        refused = 0
        for shard, facts in by_shard(layers, file.carrier):
            verdict = judge([], facts, plan.owner(shard))
            refused += sum(len(refusal.numbers) for refusal in verdict.refusals)
            for (_, day), places in fold(verdict.accepted).frozen().items():
                frozen |= {(shard * 1_000_000 + place, (day - EPOCH).days) for place in places}
        impossible = {"other_carrier", "reclaimed_in_service", "cancelled_twice"}
        assert sorted(bad) == [line.line for line in file.broken if line.sort not in impossible]
        assert refused == sum(line.sort in impossible for line in file.broken)
        assert layers.repeated == file.repeated
        assert sum(map(len, parts)) + len(bad) == file.lines
    truth = world.truth
    assert frozen == set(zip(truth.number[truth.frozen()].tolist(), truth.closed[truth.frozen()].tolist(), strict=True))


def test_one_file_is_broken_in_every_way(world: WorldReports, tmp_path: Path) -> None:
    small = make_reports(tmp_path, numbers=200, seed=1, today=TODAY)
    assert sum(len(file.broken) for file in small.files) == len(SORTS) * OF_EACH
    broken = {file.carrier: Counter(line.sort for line in file.broken) for file in world.files}
    assert broken.pop("cucc") == Counter(dict.fromkeys(SORTS, OF_EACH))
    assert not any(broken.values())


def test_broken_lines_stand_where_they_are_said_to(world: WorldReports) -> None:
    file = next(file for file in world.files if file.broken)
    lines = file.path.read_bytes().decode("utf-8-sig").split("\r\n")
    assert [lines[broken.line - 1] for broken in file.broken] == [broken.text for broken in file.broken]


def test_files_are_sorted_by_time_and_end_yesterday(world: WorldReports) -> None:
    text = next(file.path for file in world.files if file.carrier == "ctcc").read_bytes().decode("gb18030")
    days = [line.split(",")[3] for line in text.splitlines()[1:]]
    assert days == sorted(days)
    assert date.fromisoformat(days[-1]) < TODAY
    assert day_number(TODAY) - world.truth.closed[world.truth.sellable(TODAY)].max() == FREEZE_DAYS + 1


def test_a_written_world_can_be_loaded(world: WorldReports) -> None:
    again = load_reports(world.holds.path.parent)
    assert again.files == world.files
    assert (again.seed, again.today, again.singer_number) == (world.seed, world.today, world.singer_number)
    assert np.array_equal(again.truth.closed, world.truth.closed)
    assert np.array_equal(again.holds.numbers, world.holds.numbers)


def test_too_large_and_too_small_worlds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has room for"):
        make_reports(tmp_path, numbers=30_000_000, seed=1, today=TODAY)
    with pytest.raises(ValueError, match="too small"):
        make_reports(tmp_path, numbers=1, seed=3, today=TODAY)
