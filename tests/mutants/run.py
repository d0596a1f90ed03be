"""Changes the rules' files one place at a time, and sees whether a test notices (`make mutants`).

Two kinds: what mutmut makes of every function of the files in GROUPS, with tests that are quick; and changes of our own
(own.toml), for comparisons that stand in SQL and for what somebody once got wrong. Of the platform's files, whose tests need
a database each, mutmut changes operators, constants and words like `not` only. A change that no test notices and that
harmless.toml doesn't explain is a failure: a rule could be lost without anybody knowing.

All of it happens in a copy below var/mutants. An argument names one group, or `own`.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from huanxin.store.database import LIVE, SANDBOX
from huanxin.store.migrate import migrate
from huanxin.store.server.embedded import embedded_dsn, leave

HERE = Path(__file__).parent
HOUSE = HERE.parent.parent
COPY = HOUSE / "var" / "mutants"
TEMPLATE = "huanxin_template_mutants"
CHILDREN = os.environ.get("MUTANT_CHILDREN", "2")
_MISSED = (0, 5, 33)  # mutmut's exit codes of tests that pass, and where there are none
_OFTEN = 60.0  # seconds between two lines that say how far it is
_STARTS = 5  # of mutmut, which ends with a mutant that is killed for its memory
_MOST_MEMORY = 8 << 30
_PYTEST = ["-p", "no:cacheprovider", "--hypothesis-profile", "unshrunk"]
_OPERATORS = ["and", "or", "not", "in", "is", "min", "max", "any", "all", "break", "continue", "return", "True", "False"]
_TYPES = [sys.executable, "-m", "mypy", "-O", "json", "--config-file", "../types.ini", "src/huanxin"]
"""What types forbid needs no test: `make lint` refuses it. What mutmut writes around the functions is not typed."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Files below src/huanxin, and the tests that have to notice their changes."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    operators_only: bool = False


GROUPS = {
    "domain": Group(
        files=(
            "domain/gate", "domain/answers", "domain/lifecycle", "domain/acceptance", "domain/same_day", "domain/tenures",
            "domain/clock", "domain/parts", "report/grouping",
        ),
        tests=("tests/unit/domain", "tests/unit/report/test_grouping.py"),
    ),
    "platform": Group(
        files=(
            "plan/batches", "release/gate", "release/waiving", "release/early_sales", "release/stopped", "request/ending",
            "disclose/breaches", "domain/disclosure",
        ),
        tests=(
            "tests/unit/domain/test_disclosure.py", "tests/unit/plan", "tests/unit/release", "tests/unit/disclose",
            "tests/unit/request",
            "tests/integration/test_edges_of_rules.py", "tests/integration/test_cancelled_again.py",
            "tests/integration/test_another_freeze.py", "tests/integration/test_stopped.py",
            "tests/integration/test_repeats.py",
        ),
        operators_only=True,
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, order=True)
class Mutant:
    """One change: the file below src/huanxin, and the lines before and after."""

    file: str
    old: str
    new: str

    @property
    def is_operator(self) -> bool:
        """Whether it changes nothing but operators, constants and words like `not`."""
        old, new = (re.findall(r"\w+|[-+*/|&^<>=!]+|\S", line) for line in (self.old, self.new))
        steps = difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()
        changed = [word for step, a, b, c, d in steps if step != "equal" for word in (*old[a:b], *new[c:d])]
        return all(word.isdigit() or word in _OPERATORS or not word[0].isalnum() for word in changed)

    def __str__(self) -> str:
        return f"{self.file}\n  - {self.old}\n  + {self.new}"


def copied() -> None:
    """A copy of what git knows of, as it lies here."""
    shutil.rmtree(COPY, ignore_errors=True)
    names = subprocess.run(["git", "ls-files", "-z"], cwd=HOUSE, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (HOUSE / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(HOUSE / name, COPY / name)


@contextmanager
def database() -> Iterator[dict[str, str]]:
    """A server and a database with the present schema for all tests of a run: each would else make its own."""
    home = COPY / "home"
    dsn = embedded_dsn(home)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(TEMPLATE)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    for schema in (LIVE, SANDBOX):
        migrate(make_conninfo(dsn, dbname=TEMPLATE), schema, simulated=True)
    try:
        yield {"HUANXIN_TEST_DATABASE_URL": dsn, "HUANXIN_TEST_TEMPLATE": TEMPLATE}
    finally:
        leave(home)


# mutmut ---------------------------------------------------------------------------------------------------------------
def by_mutmut(group: str, given: dict[str, str]) -> list[Mutant]:
    """The mutants of a group that its tests did not notice."""
    chosen = GROUPS[group]
    paths = [f"src/huanxin/{name}.py" for name in chosen.files]
    listed = {"source_paths": ["src"], "only_mutate": paths, "pytest_add_cli_args_test_selection": chosen.tests,
              "pytest_add_cli_args": [*_PYTEST, "-p", "no:xdist"],
              "type_check_command": _TYPES}  # fmt: skip
    lines = [f"{name} =\n    " + "\n    ".join(values) for name, values in listed.items()]
    (COPY / "types.ini").write_text(
        "[mypy]\nmypy_path = src\nexplicit_package_bases = true\nignore_missing_imports = true\n"
    )
    # A machine at work must not make a slow mutant look like one that hangs.
    (COPY / "setup.cfg").write_text("\n".join(["[mutmut]", *lines, "timeout_multiplier = 30", "timeout_constant = 30", ""]))
    shutil.rmtree(COPY / "mutants", ignore_errors=True)
    log = COPY / f"{group}.log"
    mutmut(given, log, ["none-yet"], lambda: None)  # makes them, then finds none of this name
    made = list(verdicts_of())
    wanted = {name for name, one in zip(made, diffs(made), strict=True) if not chosen.operators_only or one.is_operator}
    for _ in range(_STARTS):
        if not (left := [name for name in wanted if verdicts_of()[name] is None]):
            break
        mutmut(given, log, left, lambda: say(group, wanted))
    verdicts = {name: code for name, code in verdicts_of().items() if name in wanted}
    if not verdicts or None in verdicts.values():
        sys.exit(f"mutmut did not come to its end: {log} says why")
    say(group, wanted)
    return diffs([name for name, code in verdicts.items() if code in _MISSED])


def say(group: str, wanted: Collection[str]) -> None:
    """How far a group has come, in one line."""
    tried = [code for name, code in verdicts_of().items() if name in wanted and code is not None]
    missed = sum(code in _MISSED for code in tried)
    left = len(wanted) - len(tried)
    print(f"{group}: {len(tried)} mutants tried, {left} left, {missed} not noticed", flush=True)


def verdicts_of() -> dict[str, int | None]:
    """What came of each mutant: the exit code of its tests, None of one that was not tried."""
    kept = sorted((COPY / "mutants" / "src").rglob("*.meta"))
    return {name: code for meta in kept for name, code in json.loads(meta.read_text())["exit_code_by_key"].items()}


def mutmut(given: dict[str, str], log: Path, names: list[str], each_minute: Callable[[], None]) -> None:
    """Try these mutants. One that takes all memory must not take the machine's."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | given
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", CHILDREN, *names]
    with log.open("ab") as out, subprocess.Popen(
        command, cwd=COPY, stdout=out, stderr=out, env=environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY)),
    ) as running:  # fmt: skip
        while running.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                running.wait(_OFTEN)
            each_minute()
    log.write_bytes(re.sub(rb"[^\n]*\r", b"", log.read_bytes()))  # of what it wrote over itself, the last


def diffs(names: list[str]) -> list[Mutant]:
    """Mutants as their diffs have them: the number of one changes whenever something above it does."""
    code = (
        "import sys; from mutmut.mutation.diff_apply import get_diff_for_mutant as diff;"
        " [print(name, diff(name), sep='\\n', end='\\n\\0') for name in sys.argv[1:]]"
    )
    done = subprocess.run([sys.executable, "-c", code, *names], cwd=COPY, capture_output=True, text=True, check=True)
    return [shown(one) for one in done.stdout.split("\0") if one.strip()]


def shown(diff: str) -> Mutant:
    file = re.search(r"^--- \S*src/huanxin/(\S+)", diff, re.M)
    assert file, diff
    old, new = (
        " ".join(line.strip() for line in re.findall(rf"^{sign}(?!{sign})(.*)$", diff, re.M)) for sign in ("-", "\\+")
    )
    return Mutant(file=file[1], old=old, new=new)


# Our own --------------------------------------------------------------------------------------------------------------
def by_hand(given: dict[str, str]) -> list[Mutant]:
    """Our own mutants that their tests did not notice."""
    listed = tomllib.loads((HERE / "own.toml").read_text())["mutant"]
    if not passes(sorted({name for one in listed for name in one["tests"]}), given):
        sys.exit("own.toml: its tests fail without any change, so that a failure would say nothing")
    missed = []
    for one in listed:
        path = COPY / "src" / "huanxin" / one["file"]
        text = path.read_text()
        if text.count(one["old"]) != one.get("times", 1):
            sys.exit(f"own.toml: {one['file']} has {text.count(one['old'])} times: {one['old']}")
        path.write_text(text.replace(one["old"], one["new"]))
        noticed = not passes(one["tests"], given)
        path.write_text(text)
        print(f"{'noticed' if noticed else 'NOT NOTICED'}: {one['file']}: {one['loses']}", flush=True)
        if not noticed:
            missed.append(Mutant(file=one["file"], old=one["old"], new=one["new"]))
    print(f"own: {len(listed)} mutants, {len(missed)} not noticed", flush=True)
    return missed


def passes(tests: list[str], given: dict[str, str]) -> bool:
    environment = os.environ | given | {"PYTHONPATH": str(COPY / "src"), "HISTORIES": "120"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", *_PYTEST, *tests]
    return subprocess.run(command, cwd=COPY, env=environment, capture_output=True, check=False).returncode == 0


# ----------------------------------------------------------------------------------------------------------------------
def unexplained(missed: list[Mutant]) -> list[Mutant]:
    """Those that harmless.toml doesn't explain."""
    read = tomllib.loads((HERE / "harmless.toml").read_text())
    known = {Mutant(file=one["file"], old=one["old"], new=one["new"]) for one in read.get("mutant", [])}
    kinds = [re.compile(one["new"]) for one in read.get("kind", [])]
    return sorted(one for one in set(missed) - known if not any(kind.search(one.new) for kind in kinds))


def main(arguments: list[str]) -> None:
    wanted = arguments or [*GROUPS, "own"]
    copied()
    missed: list[Mutant] = []
    with database() as given:
        for group in wanted:
            missed += by_hand(given) if group == "own" else by_mutmut(group, given)
    left = unexplained(missed)
    for one in left:
        print(one)
    if left:
        sys.exit(
            f"{len(left)} changes would go unnoticed: test them, or say in tests/mutants/harmless.toml why each is harmless"
        )
    print("every change was noticed, or is known to be harmless")


if __name__ == "__main__":
    main(sys.argv[1:])
