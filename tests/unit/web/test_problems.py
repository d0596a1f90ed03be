"""The codes of problems are what partners program against: the document lists each, and none that isn't there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from huanxin.domain import errors, problems

HOUSE = Path(__file__).parents[3]
ROW = re.compile(r"^\| `([a-z-]+)` \| ([^|]+) \|", re.MULTILINE)


def of_the_domain() -> list[type[errors.HuanxinError]]:
    """The kinds that stand in domain.errors. A subclass without a code of its own is another word for it, or never reaches a
    partner."""
    found = (one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.HuanxinError))
    return [one for one in found if one.__base__ in (errors.HuanxinError, Exception) or "code" in vars(one)]


def kinds() -> dict[str, str]:
    """Code and status of every kind of error of the domain."""
    return {kind.code: str(next((problems.STATUS[one] for one in kind.__mro__ if one in problems.STATUS), 500))
            for kind in of_the_domain()}  # fmt: skip


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
    page, _, _ = (HOUSE / "docs/partners/errors.md").read_text(encoding="utf-8").partition("\n## ")
    rows = dict(ROW.findall(page))
    assert rows == kinds() | written()


def test_no_two_kinds_share_a_code() -> None:
    codes = [kind.code for kind in of_the_domain()]
    assert len(codes) == len(set(codes))
