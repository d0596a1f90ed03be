"""The codes of problems are what partners program against: the document lists each, and none that isn't there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from huanxin.domain import errors
from huanxin.operations import problems

HOUSE = Path(__file__).parents[3]
ROW = re.compile(r"^\| `([a-z-]+)` \| ([^|]+) \|", re.MULTILINE)


def kinds() -> dict[str, str]:
    """Code and status of every kind of error of the domain."""
    found = {errors.HuanxinError.code: "500"}
    for kind in errors.HuanxinError.__subclasses__():
        found[kind.code] = str(problems.STATUS.get(kind, 500))
    return found


def written() -> dict[str, str]:
    """Code and status of every problem that the web edge makes by hand."""
    found: dict[str, str] = {}
    for file in (HOUSE / "src/huanxin/web").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "problem":
                status, code = node.args[:2]
                if isinstance(code, ast.Constant):
                    found[str(code.value)] = str(status.value) if isinstance(status, ast.Constant) else "as given"
    return found


def test_every_code_stands_in_the_document_with_its_status() -> None:
    rows = dict(ROW.findall((HOUSE / "docs/partners/errors.md").read_text(encoding="utf-8")))
    assert rows == kinds() | written()


def test_no_two_kinds_share_a_code() -> None:
    codes = [kind.code for kind in errors.HuanxinError.__subclasses__()]
    assert len(codes) == len(set(codes))
