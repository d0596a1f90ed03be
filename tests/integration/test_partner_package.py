"""`huanxin-partner` as a distribution of its own: it installs and runs without the platform and what that needs."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

HOUSE = Path(__file__).parents[2]
PACKAGE = HOUSE / "src/huanxin_partner"
PROJECT = tomllib.loads((HOUSE / "packaging/huanxin-partner/pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
OPTIONAL = {"sqlalchemy.py": "sqlalchemy", "django": "django", "adapters/allauth": "allauth", "folders.py": "files"}
"""the beginning of a path inside the package -> the extra that it needs"""
DISTRIBUTIONS = {"allauth": "django-allauth"}
"""what is imported -> what is installed, where the names differ"""

RUN = """
import importlib, json, sys
blocked, modules = json.load(sys.stdin)
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"{name} is not among what the package declares")
sys.meta_path.insert(0, Blocker())
sys.path.insert(0, sys.argv[1])
for module in modules:
    assert importlib.import_module(module).__file__.startswith(sys.argv[1]), module
print(len(modules))
"""


def named(dependencies: list[str]) -> set[str]:
    return {re.split(r"[<>=\[ ]", one)[0].lower() for one in dependencies}


def modules() -> list[Path]:
    return sorted(file.relative_to(PACKAGE) for file in PACKAGE.rglob("*.py"))


def extra_of(file: Path) -> str | None:
    return next((extra for start, extra in OPTIONAL.items() if f"{file.as_posix()}/".startswith(f"{start}/")), None)


def imported(file: Path) -> set[str]:
    """The names of the packages that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return {DISTRIBUTIONS.get(name, name) for name in found - sys.stdlib_module_names - {"huanxin_partner"}}


@pytest.mark.parametrize("file", modules(), ids=str)
def test_each_module_imports_only_what_the_package_declares(file: Path) -> None:
    needed = extra_of(file)
    extra = EXTRAS[needed] if needed else []
    assert imported(file) <= named([*PROJECT["dependencies"], *extra])


def closure(dependencies: list[str]) -> set[str]:
    """The distributions that an installation brings along."""
    found, waiting = set[str](), list(named(dependencies))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            try:
                needed = [Requirement(line) for line in requires(name) or []]
            except PackageNotFoundError:  # not needed on this Python or system
                continue
            waiting += [one.name.lower() for one in needed if not one.marker or one.marker.evaluate({"extra": ""})]
    return {name.replace("_", "-") for name in found}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as its wheel has it, built from a copy, since building leaves things in the source folder."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(HOUSE / "packaging", folder / "packaging", ignore=shutil.ignore_patterns("build"))
    shutil.copytree(PACKAGE, folder / "src/huanxin_partner", ignore=shutil.ignore_patterns("__pycache__"))
    command = [
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(folder),
    ]
    subprocess.run([sys.executable, *command, str(folder / "packaging/huanxin-partner")], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_the_package_and_nothing_of_the_platform(installed: Path) -> None:
    assert {path.name for path in installed.iterdir()} == {"huanxin_partner", "huanxin_partner-0.1.0.dist-info"}
    held = {file.relative_to(installed / "huanxin_partner") for file in (installed / "huanxin_partner").rglob("*.py")}
    assert held == set(modules())


def test_the_core_runs_on_what_it_declares_alone(installed: Path) -> None:
    allowed = closure(PROJECT["dependencies"])
    blocked = [
        name for name, distributions in packages_distributions().items()
        if name != "huanxin_partner" and not {one.lower().replace("_", "-") for one in distributions} & allowed
    ]  # fmt: skip
    assert {"huanxin", "numpy", "psycopg", "fastapi", "sqlalchemy", "django"} <= {*blocked, "huanxin"}
    core = ["huanxin_partner." + ".".join(file.with_suffix("").parts) for file in modules()
            if extra_of(file) is None and file.name not in ("__init__.py", "__main__.py")]  # fmt: skip
    given = json.dumps([[*blocked, "huanxin"], ["huanxin_partner", *core]])
    done = subprocess.run(
        [sys.executable, "-I", "-c", RUN, str(installed)], input=given, capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert int(done.stdout) == len(core) + 1
