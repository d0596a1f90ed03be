"""The house rules that a linter doesn't know. A rule with exceptions names each, with its reason."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from huanxin.store import as_of

HOUSE = Path(__file__).parents[2]
FOLDERS = ("src", "tests", "docs", "examples", "packaging", ".ci")
CODE = {".py", ".sql", ".js", ".mjs", ".css", ".html", ".sh"}
TEXT = CODE | {".svg", ".po", ".md", ".txt", ".in", ".toml", ".json", ".yaml", ".yml", ".cfg", ""}
MOST_LINES = 400

STORE = Path("src/huanxin/store")
OTHER_DATABASES = {
    "src/huanxin/demo/partner_store.py": "a demo partner's own SQLite",
    "src/huanxin/demo/audit.py": "reads the demo partners' SQLite files, and must share nothing with the platform",
    "src/huanxin/bench/builds.py": "the obvious builds that ours is timed beside",
    "src/huanxin/bench/shops.py": "the accounts of the benchmark's partners, in their own SQLite",
}
SQL = re.compile(
    r"\s*(SELECT\b|INSERT INTO\b|UPDATE \S+ SET\b|DELETE FROM\b|CREATE (TEMP |UNIQUE )?(TABLE|INDEX|VIEW)\b"
    r"|ALTER TABLE\b|DROP TABLE\b|TRUNCATE\b|COPY \S+ (\(|FROM|TO)|WITH \w+ AS\b|BEGIN\b|COMMIT\b|ROLLBACK\b)"
)

ACTS = "src/huanxin/acts/"
OTHER_TRANSACTIONS = {
    "src/huanxin/notify/files.py": "decision 3: the transaction holds the rows of the events that are being written",
    "src/huanxin/notify/pushing.py": "decision 3: the transaction holds the rows of the events that are being pushed",
    "src/huanxin/notify/polling.py": "decision 13: a poll notes and gives in one transaction, thousands a second",
    "src/huanxin/signing/keys.py": "decision 19: signers stand below acts, and read their keys again every minute",
    "src/huanxin/store/one_clock.py": "decision 17: the clock by which acts are dated",
    "src/huanxin/web/context.py": "decision 13: one statement before each call of a partner, at a third of the messages",
    "src/huanxin/work/loop.py": "decision 3: workers ask when the next event falls due",
}
"""What opens a transaction beside `acts` (decision 19), and why."""

# Written in pieces, or this file would be the first to break the rule.
HOSTS = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "mirror.com")
INDEX = re.compile(r"https?://[^\s\"']*/(simple|pack" + r"ages)/|--(extra-)?index-" + r"url|--find-" + "links")
MACHINE = re.compile(r"(?<![\w.])/(ro" + r"ot|wo" + r"rk|ho" + r"me/\w+|Use" + r"rs/\w+)/\w")


def text_files() -> Iterator[Path]:
    """Every text file of the project that we wrote, vendored and built things left out."""
    yield from (file for file in HOUSE.iterdir() if file.is_file() and file.suffix in TEXT)
    for folder in FOLDERS:
        for file in (HOUSE / folder).rglob("*"):
            inside = file.relative_to(HOUSE).parts
            if file.is_file() and file.suffix in TEXT and not any(_is_made(part) for part in inside):
                yield file


def _is_made(part: str) -> bool:
    return part in ("__pycache__", "vendor", "node_modules", ".git") or part.endswith(("_cache", ".egg-info"))


def platform_modules() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted((HOUSE / "src/huanxin").rglob("*.py")):
        inside = file.relative_to(HOUSE)
        if STORE not in inside.parents:
            yield inside.as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def sql_in(tree: ast.Module) -> list[int]:
    """The lines on which a string that is SQL begins."""
    return sorted({node.lineno for node in ast.walk(tree) if isinstance(node, ast.expr) and SQL.match(text_of(node))})


def text_of(node: ast.expr) -> str:
    """The text of a string, with an `x` for each value that is put into it; empty for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "x" for part in node.values)
    return ""


def commits_in(tree: ast.Module) -> list[int]:
    """The lines on which a transaction is ended by hand."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
    return [
        node.lineno for node in calls if isinstance(node.func, ast.Attribute) and node.func.attr in ("commit", "rollback")
    ]


def test_no_file_is_longer_than_one_sitting() -> None:
    code = (file for file in text_files() if file.suffix in CODE)
    lengths = {str(file.relative_to(HOUSE)): file.read_text(encoding="utf-8").count("\n") for file in code}
    assert lengths, "no file was found"
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_file_names_a_package_index_or_a_path_of_somebodys_machine() -> None:
    found = [
        f"{file.relative_to(HOUSE)}:{number}: {line.strip()[:100]}"
        for file in text_files()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if any(host in line for host in HOSTS) or INDEX.search(line) or MACHINE.search(line)
    ]
    assert found == []


def test_sql_stands_in_the_store_only() -> None:
    found = {name: lines for name, tree in platform_modules() if (lines := sql_in(tree))}
    assert {name: lines for name, lines in found.items() if name not in OTHER_DATABASES} == {}


def test_each_exception_to_the_rule_about_sql_is_still_needed() -> None:
    with_sql = {name for name, tree in platform_modules() if sql_in(tree)}
    assert set(OTHER_DATABASES) <= with_sql


def test_only_the_store_ends_transactions() -> None:
    assert {name: lines for name, tree in platform_modules() if (lines := commits_in(tree))} == {}


def transactions_in(tree: ast.Module) -> list[int]:
    """The lines on which a transaction is opened. One that is opened within another, by `tx`, is a part of it."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("transaction", "single", "reading") and not node.args
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id == "tx")
    ]  # fmt: skip


def opened_by_others() -> dict[str, list[int]]:
    """By file, where a transaction is opened that is neither a reading nor an act."""
    files = sorted((HOUSE / "src/huanxin").rglob("*.py"))
    found = {file.relative_to(HOUSE).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in files}
    return {name: lines for name, tree in found.items() if not name.startswith(ACTS) and (lines := transactions_in(tree))}


def test_whoever_reads_or_orders_does_so_by_a_reading_or_an_act() -> None:
    assert {name: lines for name, lines in opened_by_others().items() if name not in OTHER_TRANSACTIONS} == {}


def test_each_exception_to_the_one_way_is_still_needed() -> None:
    assert set(OTHER_TRANSACTIONS) <= set(opened_by_others())


def imported(package: str) -> set[str]:
    """The distributions that a package of ours takes from, by their names on an index."""
    found = set()
    for file in (HOUSE / "src" / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    others = found - sys.stdlib_module_names - {"huanxin", "huanxin_partner"}
    by_name = packages_distributions()
    return {by_name.get(name, [name])[0].lower().replace("_", "-") for name in others}


def declared(project: Path) -> set[str]:
    """What a project says it needs, always or for an extra."""
    said = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    lines = [*said.get("dependencies", ()), *(name for names in said["optional-dependencies"].values() for name in names)]
    if "dependencies" in said.get("dynamic", ()):
        lines += (project.parent / "requirements.in").read_text(encoding="utf-8").split("\n")
    names = [re.split("[<>=; ]", line.lower())[0] for line in lines if line]
    with_extras = [(name, *extras.rstrip("]").split(",")) for name, _, extras in (one.partition("[") for one in names)]
    return {name for name, *_ in with_extras} | {f"{name}-{extra}" for name, *extras in with_extras for extra in extras}


@pytest.mark.parametrize(
    ("package", "project"), [("huanxin", "pyproject.toml"), ("huanxin_partner", "packaging/huanxin-partner/pyproject.toml")]
)
def test_what_is_imported_is_declared(package: str, project: str) -> None:
    """Else it is there by chance, until a library that we use stops using it."""
    assert imported(package) - declared(HOUSE / project) == set()


@pytest.mark.parametrize(
    "code",
    [
        'tx.execute("SELECT 1")',
        'ASK = """\n  INSERT INTO hold (id) VALUES (1)"""',
        'tx.execute(f"UPDATE {table} SET id = 1")',
    ],
)
def test_sql_is_recognised(code: str) -> None:
    assert sql_in(ast.parse(code)) != []


def test_words_are_not_taken_for_sql() -> None:
    assert sql_in(ast.parse('say("Update the report", "with the numbers", "Selected: 3")')) == []


def test_commits_are_recognised() -> None:
    assert commits_in(ast.parse("tx.commit()")) == [1]


FACTS = (
    "report", "report_set", "report_void", "allocation", "allocation_range", "hold", "hold_set", "hold_lift", "batch",
    "batch_call_off", "batch_set", "batch_span", "notice", "receipt", "receipt_set", "waiver", "waiver_withdrawal",
    "release", "release_set", "disclosure", "disclosure_withdrawal", "request", "request_notice", "request_answer",
    "request_call_off",
)  # fmt: skip
"""Tables of what may change what happens to a number."""


def test_whatever_may_change_what_happens_is_recorded_through_one_seam_and_never_edited() -> None:
    writes = re.compile(rf"\b(INSERT INTO|COPY|UPDATE|DELETE FROM) ({'|'.join(FACTS)})\b(?! AS SELECT)")
    found = {
        (file.relative_to(HOUSE / "src/huanxin").as_posix(), *match.groups())
        for file in (HOUSE / "src/huanxin").rglob("*.py")
        for match in writes.finditer(file.read_text(encoding="utf-8"))
    }
    assert {(how, table) for file, how, table in found if file == "store/facts.py"} >= {
        ("INSERT INTO", "hold"),
        ("COPY", "batch_set"),
    }
    assert {one for one in found if one[0] not in ("store/facts.py", "store/facts_undone.py")} == set()
    # What is taken back of a set is kept beside it: the database refuses to let a set lose anything else.
    mended = {("store/facts.py", "UPDATE", "report_set"), ("store/facts.py", "DELETE FROM", "report_set")}
    assert {how for _, how, _ in found - mended} <= {"INSERT INTO", "COPY"}


def test_a_look_back_leaves_out_what_came_later_of_every_fact_but_owners_orders() -> None:
    """Whoever adds a table of facts says how it was at an instant, or lists of then would have what nobody knew."""
    assert {table for table in FACTS if not table.startswith("request")} - as_of.KNOWN == set()


def test_sql_of_more_than_two_lines_can_be_read_as_sql() -> None:
    """It stands in triple quotes, a clause a line, and not in pieces of Python strings."""
    found = []
    for file in (HOUSE / "src/huanxin/store").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                given = node.args[0]
                pieces = isinstance(given, ast.Constant | ast.JoinedStr) and (given.end_lineno or 0) - given.lineno >= 2
                source = (ast.get_source_segment(text, given) or "").lstrip("f")
                if node.func.attr in ("execute", "executemany", "copy") and pieces and not source.startswith('"""'):
                    found.append(f"{file.relative_to(HOUSE)}:{given.lineno}")
    assert found == []


OF_FIGURES = ("huanxin.figures", "huanxin.store.figures", "huanxin.simulate", "huanxin.web.pages.gate_view")
OTHER_VALUES = {"src/huanxin/web/pages/partner/views.py": "what was noted of a partner, as it was noted; no figure is in it"}


def untyped_in(tree: ast.Module) -> list[int]:
    """The lines on which something is said to be a dictionary of anything."""
    pairs = [
        (node, node.slice.elts[-1]) for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and isinstance(node.value, ast.Name)
        and node.value.id in ("dict", "Mapping", "MutableMapping", "defaultdict")
    ]  # fmt: skip
    return sorted({node.lineno for node, held in pairs if isinstance(held, ast.Name) and held.id == "Any"})


def modules_of_figures() -> dict[str, ast.Module]:
    """Where figures are counted and kept, and the pages that take something from there."""
    found = {}
    for file in sorted((HOUSE / "src/huanxin").rglob("*.py")):
        name, tree = file.relative_to(HOUSE).as_posix(), ast.parse(file.read_text(encoding="utf-8"))
        itself = ".".join(file.relative_to(HOUSE / "src").with_suffix("").parts)
        taken = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        page = itself.startswith("huanxin.web.") and any(one.startswith(OF_FIGURES) for one in taken)
        if page or itself.startswith(OF_FIGURES):
            found[name] = tree
    return found


def test_nothing_between_a_figure_and_its_page_is_a_dictionary_of_anything() -> None:
    """A name that is mistyped in one would be a page that breaks in front of whoever reads it; a type says so before."""
    found = {name: lines for name, tree in modules_of_figures().items() if (lines := untyped_in(tree))}
    assert {"src/huanxin/figures/batch_figures.py", "src/huanxin/web/pages/console/watch.py"} <= set(modules_of_figures())
    assert {name: lines for name, lines in found.items() if name not in OTHER_VALUES} == {}
    assert set(OTHER_VALUES) <= set(found), "each exception is still needed"
