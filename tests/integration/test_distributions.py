"""The platform and what partners install are two distributions: each whole, none in the other's way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
PLATFORM, PARTNER = "huanxin", "huanxin_partner"
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels, each built from its source distribution, which is built from a copy of the checkout."""
    folder = tmp_path_factory.mktemp("distributions")
    copy = folder / "checkout"
    shutil.copytree(HOUSE / "src", copy / "src", ignore=LEFT_OUT)
    shutil.copytree(HOUSE / "packaging", copy / "packaging", symlinks=True, ignore=LEFT_OUT)
    for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.in"):
        shutil.copy(HOUSE / name, copy / name)
    return {
        name: _wheel(_source(root, folder / "sources"), folder / "wheels")
        for name, root in ((PLATFORM, copy), (PARTNER, copy / "packaging/huanxin-partner"))
    }


def _source(root: Path, folder: Path) -> Path:
    packed = folder / _build(root, "sdist", folder)
    with tarfile.open(packed) as content:
        content.extractall(folder, filter="data")
    return packed.with_name(packed.name.removesuffix(".tar.gz"))


def _wheel(root: Path, folder: Path) -> Path:
    return folder / _build(root, "wheel", folder)


def _build(root: Path, kind: str, folder: Path) -> str:
    """The name of what setuptools makes of a project, as any front end has it do."""
    folder.mkdir(exist_ok=True)
    code = f"import sys; from setuptools import build_meta; print(build_meta.build_{kind}(sys.argv[1]), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-I", "-W", "ignore", "-c", code, str(folder)], cwd=root, capture_output=True,
                          text=True, check=True)  # fmt: skip
    return done.stderr.split()[-1]


def held(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as content:
        return set(content.namelist())


def installed(folder: Path, *wheels: Path) -> Path:
    for one in wheels:
        with zipfile.ZipFile(one) as content:
            content.extractall(folder)
    return folder


def run(site: Path, module: str, *words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command of what lies in a folder, and of nothing of this checkout."""
    script = f"import sys; sys.path.insert(0, {str(site)!r}); sys.argv[1:] = {list(words)!r}; " + (
        code or f"from {module} import main; sys.exit(main())"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HUANXIN_", "PYTHONPATH"))}
    return subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, cwd=site, check=False,
                          env=environment | {"HUANXIN_HOME": str(site / "home")})  # fmt: skip


def test_each_wheel_has_all_files_of_its_own_and_none_of_the_others(built: dict[str, Path]) -> None:
    """Both in one environment wrote over each other, and uninstalling one broke the other."""
    for name, wheel in built.items():
        files = {str(one.relative_to(HOUSE / "src")) for one in (HOUSE / "src" / name).rglob("*") if one.is_file()}
        kept = {one for one in held(wheel) if not one.startswith(f"{name}-")}
        assert kept == {one for one in files if "__pycache__" not in one}
    assert held(built[PLATFORM]) & held(built[PARTNER]) == set()


def test_they_run_together_and_what_partners_install_without_the_platform(built: dict[str, Path], tmp_path: Path) -> None:
    both = installed(tmp_path / "both", *built.values())
    settings = run(both, "huanxin.cli.main", "settings", "--json")
    assert settings.returncode == 0, settings.stderr
    assert json.loads(settings.stdout.splitlines()[-1])["settings"]
    code = "from huanxin.web.pages.render import environment; print(environment('zh_CN').get_template('home.html'))"
    page = run(both, "", code=code)
    assert (page.returncode, "home.html" in page.stdout) == (0, True)
    for site in (both, installed(tmp_path / "alone", built[PARTNER])):
        helped = run(site, "huanxin_partner.cli", "--help")
        assert (helped.returncode, helped.stderr) == (0, "")
        assert "huanxin-partner" in helped.stdout
    assert not (tmp_path / "alone/huanxin").exists()


def test_the_platform_asks_for_what_partners_install_of_its_own_version(built: dict[str, Path]) -> None:
    with zipfile.ZipFile(built[PLATFORM]) as content:
        name = next(one for one in content.namelist() if one.endswith(".dist-info/METADATA"))
        told = content.read(name).decode().splitlines()
    version = next(line.removeprefix("Version: ") for line in told if line.startswith("Version: "))
    assert f"Requires-Dist: huanxin-partner=={version}" in told
    assert f"huanxin_partner-{version}-" in built[PARTNER].name
