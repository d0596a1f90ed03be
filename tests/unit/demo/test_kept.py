"""Which world a folder holds: opening one that was made from something else would show another world's figures."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from huanxin.demo.kept import Kept, find, keep, made_from
from huanxin.demo.own_servers import PartnerProcess

WORLD = Kept(
    made_at=datetime(2026, 11, 24, 8, 0, tzinfo=UTC), told={"released": 7},
    partners=(PartnerProcess(name="music", behaviour="music", client_id="c", client_secret="s", port=20001),),
)  # fmt: skip


def test_a_kept_world_comes_back_as_it_was_and_only_for_the_same_wishes(tmp_path: Path) -> None:
    wanted = made_from(numbers=4000, partners=9, seed=1, reports=None)
    assert find(tmp_path, wanted) is None
    keep(tmp_path, WORLD, wanted)
    assert find(tmp_path, wanted) == WORLD
    for numbers, partners, seed in ((5000, 9, 1), (4000, 10, 1), (4000, 9, 2)):
        assert find(tmp_path, made_from(numbers=numbers, partners=partners, seed=seed, reports=None)) is None


def test_reports_are_told_apart_by_their_content(tmp_path: Path) -> None:
    reports, out = tmp_path / "reports", tmp_path / "out"
    reports.mkdir()
    out.mkdir()
    (reports / "cmcc.csv").write_text("number,event,at\n")
    keep(out, WORLD, made_from(numbers=1, partners=9, seed=1, reports=reports))
    assert find(out, made_from(numbers=2, partners=9, seed=1, reports=reports)) == WORLD  # the reports say how many
    (reports / "cmcc.csv").write_text("number,event,at\n+8613800138000,cancelled,2026-01-01\n")
    assert find(out, made_from(numbers=1, partners=9, seed=1, reports=reports)) is None


def test_nobody_else_can_read_the_partners_secrets_and_half_a_file_is_no_world(tmp_path: Path) -> None:
    wanted = made_from(numbers=4000, partners=9, seed=1, reports=None)
    keep(tmp_path, WORLD, wanted)
    (kept,) = tmp_path.iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_text(kept.read_text()[:50])
    assert find(tmp_path, wanted) is None
