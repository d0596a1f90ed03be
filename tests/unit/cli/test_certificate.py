"""`huanxin certificate` as an operator, and as anyone with the public keys, uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner, Result

from huanxin.acts import open_platform
from huanxin.cli.main import app
from huanxin.onboarding.opening import open_signer
from huanxin.settings import read_settings
from ordering import imported

NUMBER = "+8613800138000"


@pytest.fixture(autouse=True)
def home(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A platform of its own, on which the number was sold again; what it publishes lies in jwks.json."""
    for name, value in (("DATABASE_URL", dsn), ("KEY_PASSPHRASE", "a test"), ("HOME", str(tmp_path / "home")),
                        ("MODE", "development"), ("OPERATOR", "值班长 林澈")):  # fmt: skip
        monkeypatch.setenv(f"HUANXIN_{name}", value)
    monkeypatch.chdir(tmp_path)
    report = tmp_path / "report.csv"
    report.write_text(f"number,event,at\n{NUMBER},cancelled,2025-01-10\n{NUMBER},opened,2025-10-01\n")
    with open_platform(read_settings()) as platform:
        imported(platform, report, carrier="cmcc", by="test")
        (tmp_path / "jwks.json").write_text(json.dumps(open_signer(platform, read_settings()).jwks()))
    return tmp_path


def run(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, ["certificate", *words], input=given)


def last_line(result: Result) -> dict[str, str]:
    found: dict[str, str] = json.loads(result.stdout.strip().splitlines()[-1])
    return found


def test_a_number_alone_is_enough_and_gives_the_paper_and_the_text(home: Path) -> None:
    result = run(NUMBER, "--pdf", "c.pdf", "--text", "c.jwt")
    assert result.exit_code == 0, result.output
    assert "在此之前，该号码属于他人" in result.output
    assert len(PdfReader(home / "c.pdf").pages) == 1
    again = run("--json", NUMBER)
    assert last_line(again)["token"] == (home / "c.jwt").read_text()
    assert last_line(again)["before"] == "another_subscriber"


def test_a_number_that_nobody_reported_is_refused_without_being_shown() -> None:
    result = run("+8613900139000")
    assert result.exit_code == 1
    assert "no carrier has reported 139****9000" in result.output
    assert "11 digits" in run("1380013800").output
    assert run("138 0013 8000").output == run("+8613800138000").output


def test_it_is_verified_by_the_record_until_it_is_revoked(home: Path) -> None:
    run(NUMBER, "--text", "c.jwt")
    good = run("verify", "c.jwt", "--json")
    assert (good.exit_code, last_line(good)["verdict"]) == (0, "valid")
    revoked = run("revoke", last_line(good)["id"], "--reason", "holder", "--note", "lost", "--json")
    assert revoked.exit_code == 0
    over = run("verify", "-", "--json", given=(home / "c.jwt").read_text() + "\n")
    assert (over.exit_code, last_line(over)["verdict"], last_line(over)["reason"]) == (1, "revoked", "holder")
    assert run("verify", last_line(good)["id"]).exit_code == 1, "a number is no file, and that is said"


def test_it_is_verified_offline_by_keys_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(NUMBER, "--text", "c.jwt")
    monkeypatch.setenv("HUANXIN_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    good = run("verify", "c.jwt", "--jwks", "jwks.json")
    assert good.exit_code == 0
    said = " ".join(good.output.split())
    assert "opened for its present subscriber on 1 October 2025" in said
    assert "only its issuer can say" in said
    token = (home / "c.jwt").read_text()
    (home / "altered.jwt").write_text(token.replace(".eyJ", ".eyK", 1))
    assert "altered" in run("verify", "altered.jwt", "--jwks", "jwks.json").output
    (home / "none.json").write_text("[]")
    for file in ("none.json", "c.jwt"):
        assert run("verify", "c.jwt", "--jwks", file).exit_code == 1


def test_the_lines_in_the_documents_verify_it(home: Path) -> None:
    run(NUMBER, "--text", "c.jwt")
    (home / "certificate.jwt").write_text((home / "c.jwt").read_text())
    page = (Path(__file__).parents[3] / "docs/certificate.md").read_text(encoding="utf-8")
    code = page.partition("```python\n")[2].partition("```")[0].replace("https://huanxin.example", "http://127.0.0.1:8600")
    ran = subprocess.run([sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=False)
    assert ran.stdout == f"{NUMBER} 2025-10-01 another_subscriber\n", ran.stderr
    (home / "certificate.jwt").write_text((home / "c.jwt").read_text()[:-4] + "AAAA")
    ran = subprocess.run([sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=False)
    assert "BadSignatureError" in ran.stderr
