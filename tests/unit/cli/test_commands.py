"""The commands as an operator types them: what they print for programs, and the exit code when something is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clocks import Clock
from huanxin.acts import open_platform
from huanxin.cli.main import app
from huanxin.connect.todo import what_to_do
from huanxin.domain.accounts import checklist
from huanxin.domain.errors import Conflict
from huanxin.onboarding.accounts import open_onboarding
from huanxin.settings import read_settings
from huanxin.store.connect import accounts, partners
from huanxin.store.database import Database
from huanxin.store.notify import notices
from selling import SERVING, SPARE, open_shop

NUMBER = "+8613800138000"
LONG_AGO = f"{datetime.now(UTC) - timedelta(days=120):%Y-%m-%d}"
Run = Callable[..., Any]


def test_a_batch_from_report_to_release_by_commands_alone(run: Run, report: Callable[..., Path], tmp_path: Path) -> None:
    path = report(f"{NUMBER},cancelled,{LONG_AGO}", "+8613800138001,cancelled," + LONG_AGO)
    taken = run("report", "import", str(path), "--carrier", "cmcc", "--json")
    assert (taken["accepted"], taken["already"]) == (2, False)
    assert run("report", "import", str(path), "--carrier", "cmcc", "--json")["already"]
    assert run("partner", "add", "music", "--kind", "app", "--json")["client_secret"]
    batch = run("batch", "plan", "--json")["batch"]
    assert list(run("batch", "send", str(batch), "--json")["notices"]) == ["music"]
    assert run("batch", "status", str(batch), "--json")["partners"][0]["outstanding"] == 2
    assert run("gate", "--json")["clear"] == 0
    assert run("release", "--out", str(tmp_path / "lists"), "--json")["released"] == 0
    waiver = ("--batch", str(batch), "--partner", "music", "--reason", "closed down", "--by", "Li Lei", "--json")
    assert run("gate", "waive", *waiver)["waived"] == 2
    assert run("gate", "explain", NUMBER, "--json")["verdict"] == "clear"
    done = run("release", "--out", str(tmp_path / "lists"), "--json")
    assert done["released"] == 2
    assert NUMBER in Path(done["lists"][0]).read_text()
    assert run("gate", "explain", NUMBER, "--json")["verdict"] == "released"
    sold = report(f"{NUMBER},opened,{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", name="sold.csv")
    assert "numbers opened without a disclosure: 1" in run("report", "import", str(sold), "--carrier", "cmcc")


def test_a_withdrawn_partner_whose_name_another_has_now_is_waived_and_reminded_by_that_name(
    run: Run, report: Callable[..., Path], dsn: str
) -> None:
    """Else its numbers wait for ever for an answer of somebody who is no longer there."""
    run("report", "import", str(report(f"{NUMBER},cancelled,{LONG_AGO}")), "--carrier", "cmcc")
    run("partner", "add", "music", "--kind", "app")
    batch = str(run("batch", "plan", "--json")["batch"])
    run("batch", "send", batch)
    with Database(dsn) as database, database.transaction() as tx:
        partners.withdraw(tx, 1, reason="closed down", by="li", at=datetime.now(UTC))
    successor = run("partner", "add", "music", "--kind", "app", "--json")["client_id"]
    assert [one["partner"] for one in run("batch", "remind", batch, "--partner", "music", "--json")["reminded"]] == ["music"]
    waiver = ("gate", "waive", "--batch", batch, "--reason", "closed down", "--by", "Li Lei", "--partner")
    run("batch", "send", batch)
    assert "several partners of this name" in run(*waiver, "music", code=1), "both were told: which one is meant?"
    assert run(*waiver, successor, "--json")["waived"] == 1
    assert run("gate", "--json")["clear"] == 0, "the former one is still waited for"
    with Database(dsn) as database, database.transaction() as tx:
        former = partners.get(tx, 1)
    assert former is not None
    assert run(*waiver, former.client_id, "--json")["waived"] == 1
    assert run("gate", "--json")["clear"] == 1
    assert "was not sent to nobody" not in run(*waiver, "nobody", code=1)


def test_a_token_for_a_shops_software_is_shown_once_and_can_be_revoked(run: Run) -> None:
    run("operator", "add", "shop", "--role", "desk", "--carrier", "cmcc")
    token = run("operator", "token", "shop", "--json")["token"]
    assert token.startswith("hxo_")
    assert token not in run("operator", "list", "--json"), "only its hash is kept"
    assert run("operator", "token", "shop", "--revoke", "--json")["ended"] == 1
    run("operator", "disable", "shop")
    assert "locked out" in run("operator", "token", "shop", code=1)
    assert "no operator nobody" in run("operator", "token", "nobody", code=1)


def test_the_first_two_supervisors_are_confirmed_by_command_and_the_third_by_one_of_them(run: Run) -> None:
    for login in ("li", "wang", "zhao"):
        assert f"huanxin operator confirm {login}" in run("operator", "add", login, "--role", "supervisor")
    for login in ("li", "wang"):
        assert not run("operator", "confirm", login, "--json")["waits"]
    assert "/console/approvals" in run("operator", "confirm", "zhao", code=1)
    assert "to be confirmed" in run("operator", "list")
    assert "no right that waits" in run("operator", "confirm", "wang", code=1)


def test_an_allocation_is_taken_whole_in_place_of_the_one_before_or_refused_with_its_lines(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "allotted.csv"
    path.write_text("from,to\n+8613800130000,+8613800139999\n+8613800140000,+8613800144999\n")
    assert "No allocation" in run("allocation", "list")
    assert run("allocation", "import", str(path), "--carrier", "cmcc", "--by", "li", "--json")["numbers"] == 15_000
    path.write_text("from,to\n+8613800139999,+8613800130000\n")
    refused = run("allocation", "import", str(path), "--carrier", "cmcc", code=1)
    assert "line 2" in refused
    assert "comes before" in refused
    (held,) = run("allocation", "list", "--json")["allocations"]
    assert (held["carrier"], held["count"], held["recorded_by"]) == ("cmcc", 15_000, "li"), (
        "what was refused changed nothing"
    )
    path.write_text("from,to\n+8613800130000,+8613800139999\n")
    assert run("allocation", "import", str(path), "--carrier", "cmcc", "--json")["numbers"] == 10_000
    assert "10,000" in run("allocation", "list")
    assert "no carrier is named" in run("allocation", "import", str(path), "--carrier", "nobody", code=1)


def test_a_bad_report_ends_with_exit_code_1_and_its_lines(run: Run, report: Callable[..., Path], tmp_path: Path) -> None:
    path = report(f"{NUMBER},cancelled,{LONG_AGO}", f"{NUMBER[1:]},vanished,{LONG_AGO}")
    said = run("report", "import", str(path), "--carrier", "cmcc", code=1)
    assert "line 3" in said
    assert "vanished" in said
    assert run("report", "list", "--json")["reports"] == []
    taken = run("report", "import", str(path), "--carrier", "cmcc", "--skip-bad", "--json")
    assert (taken["accepted"], taken["rejected"]) == (1, 1)
    assert "vanished" in Path(taken["rejects_file"]).read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("gate",), "no batch was planned yet"),
        (("batch", "send", "7"), "no renewal batch 7"),
        (("hold", "lift", "7", "--reason", "x"), "no hold 7"),
        (("gate", "explain", "1380013800"), "11 digits"),
        (("gate", "waive", "--batch", "1", "--partner", "nobody", "--reason", "x", "--by", "li"), "nobody"),
        (("partner", "add", "x", "--kind", "app", "--endpoint", "ftp://x"), "endpoint"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value[:2]),
)
def test_what_cannot_be_done_is_refused_in_words(run: Run, words: tuple[str, ...], says: str) -> None:
    assert says in run(*words, code=1)


def test_a_wrong_setting_is_named_and_ends_with_exit_code_3(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUANXIN_FREEZE_DAYS", "30")
    assert "HUANXIN_FREEZE_DAYS" in run("batch", "plan", code=3)
    monkeypatch.delenv("HUANXIN_FREEZE_DAYS")
    monkeypatch.setenv("HUANXIN_DATABASE_URL", "postgresql://li:secret@127.0.0.1:1/none")
    said = run("report", "list", code=3)
    assert "can't be reached" in said
    assert "secret" not in said


def test_a_hold_on_released_numbers_says_so_loudly_whoever_reads_it(run: Run, tmp_path: Path, dsn: str) -> None:
    """They are on a list that the carrier has: whoever isn't told takes them for frozen."""
    with open_platform(read_settings(), clock=(clock := Clock())) as platform:
        shop = open_shop(platform, clock, tmp_path)
    path = tmp_path / "held.csv"
    path.write_text(f"number\n+{SPARE[0]}\n+{SPARE[1]}\n+{SERVING}\n")
    days = ("--until", "2099-06-30", "--review", "2099-01-15")
    given = ("hold", "add", str(path), "--source", "police", "--order", "17", "--reason", "fraud", *days)
    said = run(*given)
    assert "2 of these numbers are RELEASED FOR SALE ALREADY" in " ".join(said.split())
    assert f"cmcc: 2 on the list of release 1 (batch {shop.batch})" in said
    told = run(*given, "--json")
    lists = [{"carrier": "cmcc", "batch": shop.batch, "release": 1, "count": 2}]
    assert (told["new"], told["released"], told["lists"]) == (False, 2, lists)
    assert [one["released"] for one in run("hold", "list", "--json")["holds"]] == [1, 2]
    back = tmp_path / "back.csv"
    back.write_text(f"number\n+{SPARE[2]}\n")
    retract = ("batch", "retract", str(shop.batch), str(back), "--reason", "wrong list")
    assert "1 of these numbers are RELEASED FOR SALE ALREADY" in " ".join(run(*retract).split())
    lists = run("release", "--out", str(tmp_path / "lists"), "--json")["lists"]
    assert [Path(one).name for one in lists] == ["release-1-cmcc.csv", "release-1-cmcc-stopped.csv"]
    assert f"+{SPARE[0]}" not in Path(lists[0]).read_text(), "held since"
    then = run("release", "--out", str(tmp_path / "then"), "--as-of", f"{clock.now:%Y-%m-%dT%H:%M:%SZ}", "--json")
    assert (then["released"], then["total"], then["releases"]) == (0, 16, [])
    assert f"+{SPARE[0]},2026-11-24" in Path(then["lists"][0]).read_text().split(), "as it was given back"
    assert "has not come yet" in run("release", "--as-of", "2999-01-01", code=1)
    assert "no day and no time" in run("release", "--as-of", "yesterday", code=1)


def test_a_hold_is_placed_listed_and_lifted(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "held.csv"
    path.write_text(f"number\n{NUMBER}\n")
    given = ("--source", "police", "--order", "17", "--reason", "fraud", "--until", "2099-06-30", "--review", "2099-01-15")
    held = run("hold", "add", str(path), *given, "--json")
    assert (held["count"], held["new"]) == (1, True)
    assert run("hold", "add", str(path), *given, "--json") == held | {"new": False}
    run("hold", "lift", str(held["hold"]), "--reason", "cleared", "--by", "Wang")
    (listed,) = run("hold", "list", "--json")["holds"]
    assert (listed["source"], listed["order_number"], listed["lifted_by"]) == ("police", "17", "Wang")


def test_an_admission_is_withdrawn_and_a_name_freed_with_reasons_that_the_checklist_shows(run: Run, dsn: str) -> None:
    with open_onboarding(read_settings()) as opened:
        account = opened.register(name="shop", kind="app", domain="shop.example").account
        with opened.live.database.transaction() as tx:
            accounts.note(tx, account.id, "admitted", detail={"required": True}, by="li", at=opened.live.now())
    said = run("partner", "free-name", "shop", "--reason", "squatted", code=1)
    assert "withdraw that first" in said
    run("partner", "withdraw", "shop", "--reason", "sold to others", "--by", "li")
    (told,) = run("partner", "accounts", "--json")["accounts"]
    assert told["state"] == "withdrawn"
    with open_onboarding(read_settings()) as opened:
        known = opened.known(account)
        item = next(one for one in checklist(known, opened.live.now()) if one.step == "admitted")
        assert (item.why, item.note) == ("withdrawn", "sold to others")
        assert "has withdrawn" in what_to_do(item)
        with pytest.raises(Conflict, match="registered already"):
            opened.register(name="Shop", kind="app", domain="other.example")
    assert "nothing to withdraw" in run("partner", "withdraw", "shop", "--reason", "again", code=1)
    run("partner", "free-name", "shop", "--reason", "closed down")
    with open_onboarding(read_settings()) as opened:
        other = opened.register(name="Shop", kind="app", domain="other.example").account
        assert opened.named("shop").id == other.id
        with pytest.raises(Conflict, match="is closed"):
            opened.admit(account, required=False, by="li")
    assert [one["state"] for one in run("partner", "accounts", "--json")["accounts"]] == ["closed", "sandbox"]


def test_a_simulation_is_the_same_byte_for_byte_when_it_is_run_again(run: Run, report: Callable[..., Path]) -> None:
    lines = [f"+86138001{n:05},cancelled,{datetime.now(UTC) - timedelta(days=n % 80):%Y-%m-%d}" for n in range(400)]
    run("report", "import", str(report(*lines)), "--carrier", "cmcc")
    wish = ("simulate", "plan", "--carrier", "cmcc", "--freeze", "90", "--freeze", "180", "--seed", "7")
    told = run(*wish, "--json")
    assert [one["freeze_days"] for one in told["scenarios"]] == [90, 180]
    assert told["scenarios"][0]["supply"] > told["scenarios"][1]["supply"] > 0
    assert CliRunner().invoke(app, [*wish, "--json"]).stdout == CliRunner().invoke(app, [*wish, "--json"]).stdout
    assert {"90", "180", "(days)"} <= set(run(*wish).split())
    assert "a freeze has 90 to 720 days" in run("simulate", "plan", "--carrier", "cmcc", "--freeze", "30", code=1)


def test_a_batch_that_is_sent_by_a_command_keeps_who_sent_it(run: Run, report: Callable[..., Path]) -> None:
    run("report", "import", str(report(f"{NUMBER},cancelled,{LONG_AGO}")), "--carrier", "cmcc")
    run("partner", "add", "music", "--kind", "app")
    run("batch", "plan")
    run("batch", "send", "1", "--by", "lin")
    with open_platform(read_settings()) as platform, platform.read() as seen:
        assert [one.sent_by for one in notices.of_batch(seen.tx, 1)] == ["lin"]


def test_scopes_may_be_divided_by_commas_and_the_help_lists_them(run: Run) -> None:
    made = run("partner", "add", "music", "--kind", "app", "--scopes", "notices,receipts", "--scopes", "notices", "--json")
    assert made["scopes"] == ["notices", "receipts"]
    assert "number-recycling:check" in run("partner", "add", "--help")


def test_counts_read_right_for_one_number_and_a_file_without_any_says_so(
    run: Run, report: Callable[..., Path], tmp_path: Path
) -> None:
    other = f"{NUMBER[:-1]}1"
    path = report(f"{NUMBER},cancelled,{LONG_AGO}", f"{other},cancelled,{LONG_AGO}")
    run("report", "import", str(path), "--carrier", "cmcc")
    run("partner", "add", "music", "--kind", "app")
    run("batch", "plan")
    run("batch", "send", "1")
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("number\n")
    assert "names no number" in run("batch", "retract", "1", str(numbers), "--reason", "x", code=1)
    numbers.write_text(f"number\n{NUMBER}\n")
    assert "numbers taken back from batch 1: 1 " in run("batch", "retract", "1", str(numbers), "--reason", "x")
    today = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    back = report(f"{other},reclaimed,{today}", name="back.csv")
    assert "numbers reclaimed: 1;" in run("report", "import", str(back), "--carrier", "cmcc")
