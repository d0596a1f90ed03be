"""Settings, read once from the environment (`HUANXIN_*`) or a TOML file, validated, and handed down as plain values."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from huanxin.domain.errors import BadSetting
from huanxin.domain.numbers import CHINA, Carrier, NumberingPlan, chinese_plan
from huanxin.domain.rules import LONGEST_LIFE, Rules
from huanxin.domain.trade import usual
from huanxin.store.server.embedded import embedded_dsn

CONSOLE = "console"
_CONFIG = "HUANXIN_CONFIG"
_SERVED = "served-at"


class Mode(StrEnum):
    """`development` allows partners on loopback and plain HTTP; it is the default with the embedded database."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class _Group(BaseModel):
    """Settings that belong together. One that is misspelt is refused, like those outside of groups."""

    model_config = ConfigDict(extra="forbid")


def _is_a_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of the database, say
        raise ValueError("write a zone of the tz database, like Asia/Shanghai") from error
    return name


Zone = Annotated[str, AfterValidator(_is_a_zone)]


class CarrierSetting(_Group):
    """A carrier added by configuration."""

    name: str
    zone: Zone = "UTC"
    prefixes: list[str]


class OidcSetting(_Group):
    """An OpenID provider: its issuer, exactly as it calls itself, and what it knows this platform by."""

    issuer: str
    client_id: str
    client_secret: str = Field(repr=False)


class CarrierOidc(OidcSetting):
    """A carrier's provider. The number stands in `number_claim`, and counts if `verified_claim` is true."""

    scope: str = "openid phone"
    number_claim: str = "phone_number"
    verified_claim: str = "phone_number_verified"


class OperatorsOidc(OidcSetting):
    """The provider at which operators sign in. Their login here is what `login_claim` says; their roles are ours to give."""

    name: str = "OpenID Connect"
    scope: str = "openid profile"
    login_claim: str = "preferred_username"


class Settings(BaseSettings):
    """Everything that can be set; the field names are the settings' names without `HUANXIN_`."""

    model_config = SettingsConfigDict(env_prefix="HUANXIN_", env_nested_delimiter="__", extra="ignore")

    database_url: str | None = None
    home: Path = Path(".huanxin")
    issuer: str = "http://127.0.0.1:8600"
    mode: Mode | None = None
    key_passphrase: str | None = None
    freeze_days: Annotated[int, Field(ge=90)] = 90
    lead_days: Annotated[int, Field(ge=1, le=90)] = 15
    answer_days: Annotated[int, Field(ge=1, le=60)] = 5
    certificate_days: Annotated[int, Field(ge=1, le=LONGEST_LIFE.days)] = 180
    max_receipt_mb: Annotated[int, Field(ge=1)] = 1024
    upload_minutes: Annotated[int, Field(ge=1)] = 60
    upload_kb_per_second: Annotated[int, Field(ge=1)] = 16
    spare_disk_mb: Annotated[int, Field(ge=0)] = 1024
    reminder_days: str = "2,1"
    escalate_url: str | None = None
    inbox_seconds: Annotated[int, Field(ge=1)] = 10
    local_folders: Path | None = None
    inventory_folder: Path | None = None
    s3_services: str = (
        "s3.*.amazonaws.com s3.*.amazonaws.com.cn oss-*.aliyuncs.com cos.*.myqcloud.com obs.*.myhuaweicloud.com"
    )
    workers: Annotated[int, Field(ge=1, le=64)] = 8
    carriers: dict[str, CarrierSetting] = {}
    sms_gateway: str | None = None
    sms_gateway_token: str | None = None
    sms_gateway_seconds: Annotated[float, Field(gt=0, le=60)] = 10
    cool_down_hours: Annotated[int, Field(ge=0)] = 24
    label_days: Annotated[int, Field(ge=0, le=60)] = 5
    handover: dict[str, str] = {}
    totp_required: bool | None = None
    operators: OperatorsOidc | None = None
    oidc: dict[str, CarrierOidc] = {}
    watch_threshold: Annotated[int, Field(ge=3, le=1000)] = 10
    look_ups_an_hour: Annotated[int, Field(ge=1)] = 600
    watch_licence: str = ""
    zone: Zone = CHINA.key
    words: dict[str, dict[str, list[str]]] = {}
    """more ways in which files write headings, events and states: {"events": {"cancelled": ["强拆"]}}"""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """The environment goes before the TOML file that HUANXIN_CONFIG names."""
        file = os.environ.get(_CONFIG)
        toml = (_from_file(settings_cls, Path(file)),) if file else ()
        return (init_settings, env_settings, *toml)

    @property
    def development(self) -> bool:
        return (self.mode or (Mode.PRODUCTION if self.database_url else Mode.DEVELOPMENT)) is Mode.DEVELOPMENT

    def gateway(self) -> str:
        """Where SMS go: `console` (development: a page shows them), an https address, or nowhere (empty)."""
        chosen = self.sms_gateway or (CONSOLE if self.development else "")
        local = self.development and chosen.startswith("http://")
        if not chosen or chosen.startswith("https://") or local or (chosen == CONSOLE and self.development):
            return chosen
        raise BadSetting("HUANXIN_SMS_GATEWAY must be the https address of your gateway; `console` is for development")

    def second_factor(self) -> bool:
        """Whether operators have to set up an authenticator; not by default in development."""
        return not self.development if self.totp_required is None else self.totp_required

    def rules(self) -> Rules:
        return Rules(
            freeze_days=self.freeze_days, lead_days=self.lead_days, answer_days=self.answer_days,
            certificate_days=self.certificate_days, watch_threshold=self.watch_threshold,
            look_ups_an_hour=self.look_ups_an_hour,
        )  # fmt: skip

    @field_validator("database_url")
    @classmethod
    def is_a_database(cls, address: str | None) -> str | None:
        """What libpq can read, before anything is started with it. Its own words may hold the password."""
        try:
            conninfo_to_dict(address or "")
        except (psycopg.Error, UnicodeError) as error:
            raise ValueError("write an address like postgresql://user:password@host/database") from error
        return address

    @field_validator("reminder_days")
    @classmethod
    def are_days(cls, text: str) -> str:
        """Working days, divided by commas; nothing for no reminders."""
        if not re.fullmatch(r"\s*|\s*[0-9]{1,2}\s*(,\s*[0-9]{1,2}\s*)*", text):
            raise ValueError("write working days like 2,1")
        return text

    @field_validator("words")
    @classmethod
    def are_words(cls, added: dict[str, dict[str, list[str]]]) -> dict[str, dict[str, list[str]]]:
        """Of what files use, and none that means something else already."""
        usual().extended(added)
        return added

    @field_validator("escalate_url")
    @classmethod
    def is_a_web_address(cls, url: str | None) -> str | None:
        if url and not re.match(r"https?://[^/]", url):
            raise ValueError("write an address like https://host/path")
        return url or None

    def days_to_remind(self) -> tuple[int, ...]:
        """Working days before the last day for the answer at which partners are reminded."""
        return tuple(int(day) for day in self.reminder_days.split(",") if day.strip())

    def plan(self) -> NumberingPlan:
        """The Chinese plan and the configured carriers."""
        extra = {
            code: Carrier(
                code=code, name=one.name, zone=ZoneInfo(one.zone), prefixes=tuple(p.lstrip("+") for p in one.prefixes)
            )
            for code, one in self.carriers.items()
        }
        return replace(chinese_plan(extra), words=usual().extended(self.words))

    def dsn(self) -> str:
        """The database's address; starts the embedded server if none is set."""
        return self.database_url or embedded_dsn(self.home)

    def passphrase(self) -> str:
        """The passphrase of the signing keys: the setting, or one made once in the home folder (development only)."""
        if self.key_passphrase:
            return self.key_passphrase
        if not self.development:
            raise BadSetting("set HUANXIN_KEY_PASSPHRASE: the signing keys are encrypted with it")
        self.home.mkdir(parents=True, exist_ok=True)
        file = self.home / "key-passphrase"
        if not file.exists():
            _whole(file, secrets.token_urlsafe(32), instead=False)
        return file.read_text().strip()


def _from_file(settings: type[BaseSettings], file: Path) -> TomlConfigSettingsSource:
    """The settings of a TOML file. Raises BadSetting if it can't be read or has a key that is no setting: run without it,
    a platform would be on another database, in development."""
    if not file.is_file():
        raise BadSetting(f"{_CONFIG} names {file}, and there is no such file")
    try:
        source = TomlConfigSettingsSource(settings, file)
    except (OSError, ValueError) as error:
        raise BadSetting(f"{file}, which {_CONFIG} names, can't be read as TOML: {error}") from error
    for key in source.toml_data:
        if key not in settings.model_fields:
            near = get_close_matches(key, settings.model_fields, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise BadSetting(f"{file}, which {_CONFIG} names, has a key {key}, which is no setting{meant}")
    return source


def read_settings() -> Settings:
    """The settings. Raises BadSetting naming each that can't be used."""
    settings = _read()
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
    _whole(settings.home / _SERVED, address + "\n", instead=True)
    return warning


def _whole(file: Path, text: str, *, instead: bool) -> None:
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
        if file := os.environ.get(_CONFIG):
            wrong += f" (of the environment or of {file})"
        raise BadSetting(wrong) from error
