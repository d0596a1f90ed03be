"""Whoever runs it sees what is set and where that came from, and a slip of the pen is no other platform."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from huanxin.cli.main import app
from huanxin.domain.errors import BadSetting
from huanxin.settings import Settings, read_settings
from huanxin.settings.home import by_default, settle
from huanxin.settings.telling import markdown, told

DOCS = Path(__file__).parents[3] / "docs/settings.md"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user of their own, in a folder that is no checkout."""
    for name in [one for one in os.environ if one.startswith("HUANXIN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def test_the_page_of_settings_is_made_from_them_and_each_says_what_it_means() -> None:
    assert DOCS.read_text(encoding="utf-8") == markdown(), "huanxin settings --markdown > docs/settings.md"
    assert [name for name, one in Settings.model_fields.items() if not one.description] == []


def test_all_are_printed_with_where_they_came_from_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "huanxin.toml"
    file.write_text('freeze_days = 120\n[oidc.cmcc]\nissuer = "https://i"\nclient_id = "x"\nclient_secret = "hush"\n')
    monkeypatch.setenv("HUANXIN_CONFIG", str(file))
    monkeypatch.setenv("HUANXIN_LEAD_DAYS", "20")
    monkeypatch.setenv("HUANXIN_KEY_PASSPHRASE", "never shown")
    found = {one.name: one for one in told(read_settings(), os.environ)}
    assert (found["HUANXIN_FREEZE_DAYS"].value, found["HUANXIN_FREEZE_DAYS"].source) == ("120", str(file))
    assert (found["HUANXIN_LEAD_DAYS"].value, found["HUANXIN_LEAD_DAYS"].source) == ("20", "environment")
    assert (found["HUANXIN_ANSWER_DAYS"].value, found["HUANXIN_ANSWER_DAYS"].source) == ("5", "default")
    printed = CliRunner().invoke(app, ["settings", "--json"])
    assert printed.exit_code == 0
    assert "hush" not in printed.output
    assert "never shown" not in printed.output


@pytest.mark.parametrize(("slip", "meant"), [
    ("HUANXIN_FREEZ_DAYS", "HUANXIN_FREEZE_DAYS"), ("HUANXIN_DATABASEURL", "HUANXIN_DATABASE_URL"),
    ("HUANXIN_CARIERS__X__NAME", "HUANXIN_CARRIERS"), ("HUANXIN_CONFG", "HUANXIN_CONFIG"),
])  # fmt: skip
def test_a_misspelt_setting_is_named_with_the_one_that_was_meant(
    slip: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a platform would run on another database, with another freeze, and nobody would know."""
    monkeypatch.setenv(slip, "1")
    with pytest.raises(BadSetting, match=rf"{slip} is no setting; did you mean {meant}\?"):
        read_settings()


def test_what_is_no_setting_and_near_to_none_is_somebody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HUANXIN_OPERATOR", "HUANXIN_PARTNER_CLIENT_SECRET", "HUANXIN_TEST_DATABASE_URL", "HUANXIN_SCREENSHOTS"):
        monkeypatch.setenv(name, "x")
    assert read_settings().freeze_days == 90


@pytest.mark.parametrize("issuer", [None, "http://huanxin.example"])
def test_production_needs_an_https_address_of_its_own(issuer: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in certificates and tokens: with another they lead to nobody, or in the clear."""
    monkeypatch.setenv("HUANXIN_MODE", "production")
    if issuer:
        monkeypatch.setenv("HUANXIN_ISSUER", issuer)
    with pytest.raises(BadSetting, match="HUANXIN_ISSUER"):
        read_settings()
    monkeypatch.setenv("HUANXIN_ISSUER", "https://huanxin.example")
    assert not read_settings().development


def test_the_home_is_one_wherever_a_command_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert by_default() == tmp_path / "data/huanxin"
    assert "a new home was made" in settle(by_default(), chosen=False)
    assert settle(by_default(), chosen=False) == "", "it is told once"
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert by_default() == tmp_path / "data/huanxin"


def test_a_checkout_and_a_folder_that_has_one_keep_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DOCS.parents[1])
    assert by_default() == Path(".huanxin")
    monkeypatch.chdir(tmp_path / "work")
    Path(".huanxin").mkdir()
    assert by_default() == Path(".huanxin")


def test_no_second_home_is_made_by_mistake(tmp_path: Path) -> None:
    """Somebody set HUANXIN_HOME yesterday and forgot it today: an empty platform would answer that nothing is known."""
    first, second = tmp_path / "first", tmp_path / "second"
    settle(first, chosen=True)
    with pytest.raises(BadSetting, match=f"the last one that was used is {first}"):
        settle(second, chosen=False)
    assert not second.exists()
    assert "a new home was made" in settle(second, chosen=True)
    first.rmdir()
    second.rmdir()
    assert "a new home was made" in settle(first, chosen=False), "the last one is gone"


def test_the_version_and_the_short_help() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.strip()
    assert CliRunner().invoke(app, ["-h"]).exit_code == 0
    assert CliRunner().invoke(app, ["batch", "-h"]).exit_code == 0
