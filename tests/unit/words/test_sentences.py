"""What a company reads on a page when something is wrong, it reads whole in its own language."""

from __future__ import annotations

import ast
import json
from datetime import date
from pathlib import Path

import pytest

from huanxin.domain import errors
from huanxin.domain.errors import Conflict
from huanxin.web.pages.render import error_page, error_view
from huanxin.words.saying import say
from huanxin.words.sentences import Sentence, packed, unpacked

HOUSE = Path(__file__).parents[3] / "src/huanxin"
SHOWN = (
    "connect", "answer", "notify/partners.py", "notify/streams.py", "notify/wishes.py", "onboarding/accounts.py",
    "onboarding/selftest.py", "store/connect/accounts.py", "store/connect/partners.py", "store/connect/selftests.py",
    "web/limits.py",
    "web/pages/partner", "outbound.py", "access", "domain", "numbersets", "report", "plan", "release", "notify/notices.py",
    "notify/reminders.py", "notify/retractions.py", "disclose/acknowledging.py", "disclose/desk.py", "web/pages/console",
    "web/pages/watch", "simulate", "web/pages/console/uploaded_reports.py",
)  # fmt: skip
"""Whatever these raise may stand on a page of a partner or in the console."""
KINDS = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.HuanxinError)}


def test_a_sentence_is_plain_english_to_programs_and_chinese_to_who_reads_chinese() -> None:
    said = Sentence("line %(line)s: %(reason)s", line=3, reason=Sentence("the number is empty"))
    assert said == "line 3: the number is empty"
    assert json.dumps(said) == '"line 3: the number is empty"'
    assert str(Conflict(said)) == said
    assert say(Conflict(said).said, "zh_CN") == "第 3 行：号码是空的"
    assert say(Conflict(said).said, "en") == said


def test_a_sentence_that_was_kept_is_said_in_the_language_of_whoever_reads_it_later() -> None:
    said = Sentence("line %(line)s: %(reason)s", line=3, reason=Sentence("the number is empty"))
    kept = unpacked(json.loads(json.dumps(packed(said))))
    assert (kept, say(kept, "zh_CN")) == (said, "第 3 行：号码是空的")
    assert unpacked(packed("as it was written")) == "as it was written"
    day = Sentence("%(event)s on %(day)s", event=Sentence("opened"), day=date(2026, 11, 24))
    assert unpacked(packed(day)) == "opened on 2026-11-24"


def test_a_name_that_is_also_a_word_of_the_pages_is_not_translated() -> None:
    said = Sentence("%(name)s has no stream", name="Overview")
    assert say(said, "zh_CN") == "Overview 没有事件流"


def test_an_error_page_says_what_happened_in_the_readers_language() -> None:
    view = error_view(409, said=Sentence("%(name)s has no stream", name="贝壳"))
    assert "贝壳 没有事件流" in error_page("zh_CN", view)
    assert "贝壳 has no stream" in error_page("en", view)


def plain_errors(file: Path) -> list[int]:
    """The lines on which an error is raised, or a line of an input found bad, with words that no page can translate."""
    found = []
    for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            continue
        said = call.args[:1] if call.func.id in KINDS else []
        if call.func.id == "Fault":
            said = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
        if any(isinstance(one, ast.JoinedStr | ast.Constant) or _is_text_of(one) for one in said):
            found.append(call.lineno)
    return found


def _is_text_of(one: ast.expr) -> bool:
    """Whether it is `str(...)`, which forgets how a Sentence was made."""
    return isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "str"


@pytest.mark.parametrize("place", SHOWN)
def test_whatever_a_partners_page_may_show_can_be_said_in_both_languages(place: str) -> None:
    path = HOUSE / place
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert files
    assert {file.name: lines for file in files if (lines := plain_errors(file))} == {}
