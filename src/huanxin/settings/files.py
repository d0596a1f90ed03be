"""Files of settings: the TOML file that names some, and small files that are written whole."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from pydantic_settings import BaseSettings, TomlConfigSettingsSource

from huanxin.domain.errors import BadSetting

CONFIG = "HUANXIN_CONFIG"


def from_file(settings: type[BaseSettings], file: Path) -> TomlConfigSettingsSource:
    """The settings of a TOML file. Raises BadSetting if it can't be read or has a key that is no setting: run without it,
    a platform would be on another database, in development."""
    if not file.is_file():
        raise BadSetting(f"{CONFIG} names {file}, and there is no such file")
    try:
        source = TomlConfigSettingsSource(settings, file)
    except (OSError, ValueError) as error:
        raise BadSetting(f"{file}, which {CONFIG} names, can't be read as TOML: {error}") from error
    for key in source.toml_data:
        if key not in settings.model_fields:
            near = get_close_matches(key, settings.model_fields, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise BadSetting(f"{file}, which {CONFIG} names, has a key {key}, which is no setting{meant}")
    return source


def whole(file: Path, text: str, *, instead: bool) -> None:
    """Write a file that others may read at any instant: they find all of it or none, even if we are killed on the way. Put
    `instead` of one that is there, or left out for it."""
    descriptor, made = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")  # for us alone to read
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            written.write(text)
        if instead:
            os.replace(made, file)
            return
        with suppress(FileExistsError):
            os.link(made, file)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(made)
