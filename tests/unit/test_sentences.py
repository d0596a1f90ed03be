"""What a company reads on a page when something is wrong, it reads whole in its own language."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from huanxin.domain import errors
from huanxin.domain.errors import Conflict
from huanxin.sentences import Sentence
from huanxin.web.pages.render import error_page, error_view, say

HOUSE = Path(__file__).parents[2] / "src/huanxin"
SHOWN = (
    "connect", "answer", "notify/partners.py", "notify/streams.py", "notify/wishes.py", "operations/onboarding.py",
    "operations/selftest.py", "store/accounts.py", "store/partners.py", "store/selftests.py", "web/limits.py",
    "web/pages/partner", "outbound.py", "access", "domain/operators.py", "release/proposals.py",
)  # fmt: skip
"""Whatever these raise may stand on a partner's page."""
KINDS = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.HuanxinError)}


def test_a_sentence_is_plain_english_to_programs_and_chinese_to_who_reads_chinese() -> None:
    said = Sentence("line %(line)s: %(reason)s", line=3, reason=Sentence("the number is empty"))
    assert said == "line 3: the number is empty"
    assert json.dumps(said) == '"line 3: the number is empty"'
    assert str(Conflict(said)) == said
    assert say(Conflict(said).said, "zh_CN") == "第 3 行：号码是空的"
    assert say(Conflict(said).said, "en") == said


def test_a_name_that_is_also_a_word_of_the_pages_is_not_translated() -> None:
    said = Sentence("%(name)s has no stream", name="Overview")
    assert say(said, "zh_CN") == "Overview 没有事件流"


def test_an_error_page_says_what_happened_in_the_readers_language() -> None:
    view = error_view(409, said=Sentence("%(name)s has no stream", name="贝壳"))
    assert "贝壳 没有事件流" in error_page("zh_CN", view)
    assert "贝壳 has no stream" in error_page("en", view)


def plain_errors(file: Path) -> list[int]:
    """The lines on which an error is raised with words that no page can translate."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        call = node.exc if isinstance(node, ast.Raise) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KINDS and call.args:
            first = call.args[0]
            if isinstance(first, ast.JoinedStr | ast.Constant):
                found.append(call.lineno)
    return found


@pytest.mark.parametrize("place", SHOWN)
def test_whatever_a_partners_page_may_show_can_be_said_in_both_languages(place: str) -> None:
    path = HOUSE / place
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert files
    assert {file.name: lines for file in files if (lines := plain_errors(file))} == {}
