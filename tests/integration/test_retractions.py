"""Numbers taken back (rule 3): told once to everyone who was told of the renewal, answered, shown, and never released."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clocks import Clock
from exchanging import NUMBERS, Shop, cancelled, notice_of, planned, reader_of, register, writer_of
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.cli.main import app
from huanxin.domain.errors import BadInput, Conflict, NotFound
from huanxin.domain.numbers import parse
from huanxin.domain.partners import RETRACTION
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.explain import explain
from huanxin.release.gate import load_gate
from huanxin.settings import Mode, Settings
from huanxin.store.notify import attempts, notices
from huanxin.store.plan import batches
from huanxin.web.app import create_app
from operators import signed_in
from ordering import imported, lists_written, plan_now, retracted, send_now
from serving import served

Report = Callable[..., Path]


def some(*indices: int) -> NumberSet:
    return NumberSet.of([parse(NUMBERS[index]) for index in indices])


def retractions(platform: Platform, batch: int) -> list[tuple[int, int]]:
    """(numbers, notices) of each retraction of a batch."""
    with platform.database.transaction() as tx:
        return [(one.count, len(notices.of_batch(tx, one.id))) for one in batches.retractions_of(tx, batch)]


def write_all(platform: Platform) -> None:
    writer = writer_of(platform)
    while writer.one_job():
        pass


@pytest.fixture
def shop(platform: Platform, tmp_path: Path, report: Report) -> Shop:
    made = Shop.opened(platform, "shop", tmp_path)
    cancelled(platform, report)
    return made


def test_an_operator_takes_numbers_back_for_good(shop: Shop, platform: Platform, tmp_path: Path) -> None:
    batch = planned(platform)
    send_now(platform, batch)
    retracted(platform, batch, some(0, 1), reason="wrong list", by="wang")
    write_all(platform)
    shop.answer([f"{NUMBERS[2]},unbound,,"], notice=notice_of(platform, shop.partner, batch))
    reader_of(platform).one_job()
    release(platform, by="li")
    lists = "".join(path.read_text() for path in lists_written(platform, tmp_path / "lists"))
    assert [number in lists for number in NUMBERS] == [False, False, True, True]
    with platform.read() as reading:
        why = explain(reading, parse(NUMBERS[0]))
    assert [one.text for one in why.findings if not one.ok] == ["wang took it back for good: wrong list"]
    assert plan_now(platform, by="li") is None  # nor is it renewed again in this tenure


def test_what_a_partner_did_about_a_retraction_is_taken_and_counted(
    shop: Shop, platform: Platform, clock: Clock, tmp_path: Path
) -> None:
    batch = planned(platform)
    send_now(platform, batch)
    made = retracted(platform, batch, some(0, 1, 2), reason="wrong list", by="wang")
    write_all(platform)
    notice = notice_of(platform, shop.partner, made.id)
    manifest = json.loads((shop.out / f"{notice}.notice.json").read_text())
    assert (manifest["purpose"], manifest["of"]) == ("retraction", notice_of(platform, shop.partner, batch))
    shop.answer([f"{NUMBERS[0]},unbound,,"], notice=notice)
    lines = [f"{NUMBERS[0]},restored,,", f"{NUMBERS[1]},irreversible,,"]
    shop.answer(lines, notice=notice, part=2, complete=False, replaces=[1])
    reader_of(platform).one_job()
    assert "can't answer a retraction" in shop.result(notice)["problem"]["errors"][0]["reason"]
    assert shop.result(notice, 2)["accepted"] == {"restored": 1, "irreversible": 1}
    settings = Settings(home=tmp_path / "home", mode=Mode.DEVELOPMENT, key_passphrase="test")
    with served(create_app(platform, settings, run_workers=False)) as http:
        public = http.get(f"/batches/{batch}?lang=en").text
        with closing(signed_in(str(http.base_url).rstrip("/"), platform, "supervisor")) as console:
            english, chinese = (console.get(f"/console/batches/{batch}?lang={lang}").text for lang in ("en", "zh_CN"))
        clock.forward(days=9)
        with closing(signed_in(str(http.base_url).rstrip("/"), platform, "supervisor")) as console:
            overdue = console.get(f"/console/batches/{batch}?lang=en").text
    assert "Ordered by wang: wrong list" in english
    assert not any(word in public for word in ("wrong list", "Retraction", shop.partner.name)), "that is for the console"
    assert "无法恢复" in chinese
    assert ("Who is late" in english, "Who is late" in overdue) == (False, True)


def test_the_command_takes_back_what_a_file_names_and_status_shows_it(
    dsn: str, shop: Shop, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = planned(platform)
    send_now(platform, batch)
    for name, value in {"DATABASE_URL": dsn, "MODE": "development", "HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(f"HUANXIN_{name}", value)
    numbers = tmp_path / "back.csv"
    numbers.write_text(f"number\n{NUMBERS[0]}\n")

    def run(*words: str) -> dict[str, object]:
        done = CliRunner().invoke(app, [*words, "--json"])
        assert done.exit_code == 0, done.output
        found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return found

    assert run("batch", "retract", str(batch), str(numbers), "--reason", "wrong list", "--by", "wang")["count"] == 1
    shown = run("batch", "status", str(batch))["retractions"]
    assert isinstance(shown, list)
    assert [(one["count"], one["reason"], one["by"]) for one in shown] == [(1, "wrong list", "wang")]
    assert [(one["partner"], one["outstanding"]) for one in shown[0]["partners"]] == [("shop", 1)]
    reminded = run("batch", "remind", str(batch), "--partner", "shop")["reminded"]
    assert isinstance(reminded, list)
    assert [one["outstanding"] for one in reminded] == [3]
    told = run("batch", "status", str(batch))["partners"]
    assert isinstance(told, list)
    assert [one["reminded"] for one in told] == [1]
    made = run(
        "partner", "add", "new", "--kind", "app", "--files-out", str(tmp_path / "a"), "--files-in", str(tmp_path / "b")
    )
    assert made["name"] == "new"


def test_a_number_is_taken_back_once_however_often_it_is_said(shop: Shop, platform: Platform, report: Report) -> None:
    batch = planned(platform)
    send_now(platform, batch)
    assert retracted(platform, batch, some(0), reason="wrong list", by="wang").count == 1
    assert retracted(platform, batch, some(0, 1), reason="wrong list", by="wang").count == 1  # only the new one
    with pytest.raises(Conflict, match="taken back"):
        retracted(platform, batch, some(0, 1), reason="wrong list", by="wang")
    later = report(
        f"{NUMBERS[0]},reclaimed,2026-11-24T00:30:00Z", f"{NUMBERS[2]},reclaimed,2026-11-24T00:30:00Z", name="r.csv"
    )
    assert [one.count for one in imported(platform, later, carrier="cmcc", by="li").retractions] == [1]
    assert retractions(platform, batch) == [(1, 1), (1, 1), (1, 1)]


def test_numbers_of_no_or_another_batch_are_refused_whole(shop: Shop, platform: Platform) -> None:
    batch = planned(platform)
    send_now(platform, batch)
    with pytest.raises(BadInput, match="1 of the numbers are not in batch"):
        retracted(platform, batch, some(0) | NumberSet.of([8613900139000]), reason="x", by="wang")
    with pytest.raises(BadInput, match="who orders it and why"):
        retracted(platform, batch, some(0), reason=" ", by="wang")
    made = retracted(platform, batch, some(0), reason="x", by="wang")
    with pytest.raises(NotFound):
        retracted(platform, made.id, some(0), reason="x", by="wang")
    with pytest.raises(NotFound):
        send_now(platform, made.id)
    assert retractions(platform, batch) == [(1, 1)]


def test_a_number_taken_back_before_the_batch_is_sent_is_retracted_right_after_the_notice(
    shop: Shop, platform: Platform, report: Report
) -> None:
    """The notice names it still, since its numbers were fixed when it was planned. Without this the ties would stay cut."""
    batch = planned(platform)
    retracted(platform, batch, some(0), reason="wrong list", by="wang")
    later = report(f"{NUMBERS[1]},reclaimed,2026-11-24T00:30:00Z", name="r.csv")
    imported(platform, later, carrier="cmcc", by="li")
    assert retractions(platform, batch) == [(1, 0)]
    send_now(platform, batch)
    assert retractions(platform, batch) == [(1, 1), (1, 1)]
    write_all(platform)
    assert len(list(shop.out.glob("*.notice.json"))) == 3


def test_a_partner_that_joins_late_hears_of_earlier_retractions_after_its_notice(shop: Shop, platform: Platform) -> None:
    batch = planned(platform)
    send_now(platform, batch)
    retracted(platform, batch, some(0), reason="wrong list", by="wang")
    late = register(platform, "late")
    send_now(platform, batch)
    send_now(platform, batch)
    with platform.database.transaction() as tx:
        told = [one.event for one in attempts.latest(tx, late.id)[::-1]]
    assert [event.rpartition(":")[2] for event in told] == ["renewal", "retraction"]
    assert retractions(platform, batch) == [(1, 2)]


def test_a_retraction_waits_for_a_notice_that_could_not_be_delivered_yet(
    shop: Shop, platform: Platform, clock: Clock, tmp_path: Path
) -> None:
    batch = planned(platform)
    send_now(platform, batch)
    shop.out.rename(tmp_path / "moved")
    writer = writer_of(platform)
    assert writer.one_job()
    made = retracted(platform, batch, some(0), reason="wrong list", by="wang")
    assert not writer.one_job()
    (tmp_path / "moved").rename(shop.out)
    clock.forward(minutes=1)
    assert writer.one_job()
    assert shop.manifest()["purpose"] == "renewal"
    assert writer.one_job()
    assert (shop.out / f"{notice_of(platform, shop.partner, made.id)}.notice.json").exists()
    with platform.act("li") as act:
        (event,) = [one for one in attempts.latest(act.tx, shop.partner.id) if one.event == RETRACTION]
        loaded = load_gate(act, batch)
    assert event.delivered_at is not None
    assert len(loaded.gate.retracted_places()) == 1
