"""Commands as an operator types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from huanxin.cli.main import app

Run = Callable[..., Any]


@pytest.fixture
def run(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on a fresh database; its exit code must be as expected. The JSON object of its last line, if asked."""
    monkeypatch.setenv("HUANXIN_DATABASE_URL", dsn)
    monkeypatch.setenv("HUANXIN_MODE", "development")
    monkeypatch.setenv("HUANXIN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: str, code: int = 0) -> Any:
        result = CliRunner().invoke(app, list(words), catch_exceptions=False)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout.splitlines()[-1]) if "--json" in words else result.output

    return call
