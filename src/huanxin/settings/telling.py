"""All settings with their values, where each came from, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from huanxin.settings.fields import Settings
from huanxin.settings.files import CONFIG, from_file

_HIDDEN = "(set; not shown)"
_HEAD = """# Settings

Each is an environment variable, or a key of the TOML file that `HUANXIN_CONFIG` names, written there in lower case
without `HUANXIN_`; the environment goes first. `huanxin settings` prints all with their values and where each came from.
A name under `HUANXIN_` that is near to a setting and is none is refused: a slip of the pen makes no other platform.
`huanxin settings --markdown` makes this page.

| Setting | Without it | What it means |
|---|---|---|
"""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One setting: its name in the environment, its value as it is shown, where that came from, what it is without, and what
    it means."""

    name: str
    value: str
    source: str
    default: str
    meaning: str


def told(settings: Settings, environment: Mapping[str, str]) -> Iterator[Told]:
    """Every setting, in the order of their meanings. What is secret is never shown, only whether it is set."""
    file = environment.get(CONFIG)
    in_file = from_file(Settings, Path(file)).toml_data if file else {}
    for field, info in Settings.model_fields.items():
        name = f"HUANXIN_{field.upper()}"
        extra: Any = info.json_schema_extra or {}
        value = getattr(settings, field)
        named = any(one == name or one.startswith(f"{name}__") for one in environment)
        yield Told(
            name=name,
            value=_HIDDEN if extra.get("secret") and value else _shown(value),
            source="environment" if named else str(file) if field in in_file else "default",
            default="" if info.default_factory else _shown(info.default),
            meaning=info.description or "",
        )


def _shown(value: object) -> str:
    if value is None or value == {}:
        return ""
    return str(value.value) if isinstance(value, Enum) else str(value)


def markdown() -> str:
    """docs/settings.md."""
    lines = _HEAD.splitlines()
    for field, info in Settings.model_fields.items():
        shown = "" if info.default_factory else _shown(info.default)
        default = f"`{shown}`" if shown else ""
        lines.append(f"| `HUANXIN_{field.upper()}` | {default} | {info.description} |")
    return "\n".join([*lines, ""])
