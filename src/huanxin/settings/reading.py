"""Settings read from the environment (`HUANXIN_*`) or a TOML file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches

from pydantic import ValidationError

from huanxin.domain.errors import BadSetting
from huanxin.settings.fields import Settings
from huanxin.settings.files import CONFIG, whole

_SERVED = "served-at"
_PREFIX = "HUANXIN_"
_OTHERS = (CONFIG, f"{_PREFIX}OPERATOR")
"""What the environment may say beside settings: who orders at the command line, and the partner's package has its own."""
_OTHERS_BEGIN = (f"{_PREFIX}PARTNER_", f"{_PREFIX}TEST_")


def read_settings() -> Settings:
    """The settings. Raises BadSetting naming each that can't be used, is misspelt, or is missing in production."""
    settings = _read()
    _refuse_misspelt(os.environ)
    _refuse_unfit(settings)
    if settings.development and "issuer" not in settings.model_fields_set and (address := served_at(settings)):
        return settings.model_copy(update={"issuer": address})
    return settings


def note_served(host: str, port: int) -> str:
    """Remember where development is served, so that what is sent from another terminal names the same issuer; a warning if
    HUANXIN_ISSUER says another address than this one, else empty. Production's issuer is set, and stands before a proxy."""
    settings = _read()
    if not settings.development:
        return ""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # compared
    address, warning = f"http://{host}:{port}", ""
    if "issuer" in settings.model_fields_set and settings.issuer.rstrip("/") != address:
        warning = (
            f"HUANXIN_ISSUER is {settings.issuer}: partners and pages are sent there, and this server is at {address}. Set "
            "HUANXIN_ISSUER to where it is reached, or leave it out"
        )
        address = settings.issuer
    settings.home.mkdir(parents=True, exist_ok=True)
    whole(settings.home / _SERVED, address + "\n", instead=True)
    return warning


def served_at(settings: Settings) -> str:
    """The issuer of the last `huanxin serve` in development on this home; empty before the first."""
    try:
        return (settings.home / _SERVED).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _read() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"HUANXIN_{'__'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in error.errors())
        if file := os.environ.get(CONFIG):
            wrong += f" (of the environment or of {file})"
        raise BadSetting(wrong) from error


def unknown(environment: Mapping[str, str]) -> dict[str, str]:
    """What the environment says under our prefix that is no setting, each with the setting it is near to, or nothing."""
    names = {f"{_PREFIX}{name.upper()}": name for name in Settings.model_fields}
    found = {}
    for one in sorted(environment):
        name = one.split("__", 1)[0]
        if one.startswith(_PREFIX) and name not in names and one not in _OTHERS and not one.startswith(_OTHERS_BEGIN):
            found[one] = next(iter(get_close_matches(name, [*names, *_OTHERS], n=1, cutoff=0.8)), "")
    return found


def _refuse_misspelt(environment: Mapping[str, str]) -> None:
    meant = "; ".join(f"{one} is no setting; did you mean {near}?" for one, near in unknown(environment).items() if near)
    if meant:
        raise BadSetting(meant)


def _refuse_unfit(settings: Settings) -> None:
    """What strangers would be sent to, and sign under, has to be theirs to reach."""
    if settings.development:
        return
    if "issuer" not in settings.model_fields_set:
        raise BadSetting(
            "set HUANXIN_ISSUER to the https address at which this platform is reached: it stands in every token, link and"
            " certificate. HUANXIN_MODE=development goes without"
        )
    if not settings.issuer.startswith("https://"):
        raise BadSetting(f"HUANXIN_ISSUER is {settings.issuer}; in production it begins with https://")
