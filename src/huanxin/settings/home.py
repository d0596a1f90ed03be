"""Where a platform keeps its files: one folder for each user and system, unless HUANXIN_HOME says another."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import platformdirs

from huanxin.domain.errors import BadSetting

_HERE = Path(".huanxin")
_NAME = "huanxin"


def by_default() -> Path:
    """`.huanxin` of a checkout or where there is one already; else the user's own folder, wherever the command is run."""
    checkout = (Path("src") / _NAME).is_dir() and Path("pyproject.toml").is_file()
    return _HERE if _HERE.exists() or checkout else Path(platformdirs.user_data_dir(_NAME, appauthor=False))


def settle(home: Path, *, chosen: bool) -> str:
    """Make a home that isn't there, and remember it as the last that was used; what to tell whoever made it, else empty.

    chosen: HUANXIN_HOME says so. If not, and the last one is another that is there still, a second home would be made by
    mistake: raises BadSetting, with both.
    """
    place = home.absolute()
    last = _last()
    if place.is_dir():
        _remember(place)
        return ""
    if not chosen and last and last != place and last.is_dir():
        raise BadSetting(
            f"there is no home at {place}, and the last one that was used is {last}. Set HUANXIN_HOME={last} to go on with"
            f" it, or HUANXIN_HOME={place} to make another"
        )
    place.mkdir(parents=True)
    _remember(place)
    return f"a new home was made at {place} (HUANXIN_HOME): what this platform keeps beside its database is there"


def _note() -> Path:
    return Path(platformdirs.user_state_dir(_NAME, appauthor=False)) / "last-home"


def _last() -> Path | None:
    try:
        return Path(_note().read_text(encoding="utf-8").strip())
    except (OSError, UnicodeError):
        return None


def _remember(place: Path) -> None:
    """A user without a folder of their own goes without: nothing stands on it."""
    if _last() != place:
        with suppress(OSError):
            _note().parent.mkdir(parents=True, exist_ok=True)
            _note().write_text(f"{place}\n", encoding="utf-8")
