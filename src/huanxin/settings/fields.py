"""What can be set, each with what it means: docs/settings.md and `huanxin settings` are made from this."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import replace
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from huanxin.domain.errors import BadSetting
from huanxin.domain.numbers import CHINA, Carrier, NumberingPlan, chinese_plan
from huanxin.domain.rules import LONGEST_LIFE, Rules
from huanxin.domain.trade import usual
from huanxin.settings.files import CONFIG, from_file, whole
from huanxin.settings.home import by_default
from huanxin.store.server.embedded import embedded_dsn

CONSOLE = "console"


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


def said(meaning: str, *, secret: bool = False, **bounds: Any) -> Any:
    """A setting's meaning and bounds; of one that is secret the value is shown nowhere."""
    return Field(description=meaning, json_schema_extra={"secret": secret}, **bounds)


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

    database_url: Annotated[
        str | None,
        said(
            "the address of a PostgreSQL server, like postgresql://user:password@host/database; without it "
            "the one that comes along runs in HUANXIN_HOME",
            secret=True,
        ),
    ] = None
    home: Annotated[
        Path,
        said(
            "the folder of what is kept beside the database: the embedded server, keys' passphrase in "
            "development, files and uploads on their way. Without it `.huanxin` in a checkout or where there "
            "is one, else a folder of the user's"
        ),
    ] = Field(default_factory=by_default)
    issuer: Annotated[
        str,
        said(
            "the https address at which everybody reaches this platform; it stands in tokens, certificates "
            "and links. In development it is where `huanxin serve` listens"
        ),
    ] = "http://127.0.0.1:8600"
    mode: Annotated[
        Mode | None,
        said(
            "development or production; without it production if HUANXIN_DATABASE_URL is set, else "
            "development, in which partners may be on loopback and plain HTTP"
        ),
    ] = None
    key_passphrase: Annotated[
        str | None,
        said(
            "the passphrase under which the signing keys are kept encrypted; needed in production, made once "
            "in HUANXIN_HOME in development",
            secret=True,
        ),
    ] = None
    freeze_days: Annotated[
        int, said("days after a cancellation before a number may be sold again; never fewer than the law's 90", ge=90)
    ] = 90
    lead_days: Annotated[int, said("so many days before a freeze ends, its number is put into a batch", ge=1, le=90)] = 15
    answer_days: Annotated[int, said("working days that partners have to answer a notice", ge=1, le=60)] = 5
    certificate_days: Annotated[int, said("days for which a certificate is good", ge=1, le=LONGEST_LIFE.days)] = 180
    max_receipt_mb: Annotated[int, said("MB of a receipt or an uploaded report, also once it is unpacked", ge=1)] = 1024
    upload_minutes: Annotated[int, said("minutes that a receipt or an upload may take", ge=1)] = 60
    upload_kb_per_second: Annotated[int, said("the slowest pace at which one may come, on the whole", ge=1)] = 16
    spare_disk_mb: Annotated[int, said("MB of the disk that uploads leave free; with less, they are refused", ge=0)] = 1024
    reminder_days: Annotated[
        str, said("working days before the last one at which partners are reminded, divided by commas; empty: never")
    ] = "2,1"
    escalate_url: Annotated[str | None, said("where late answers are POSTed to, for whoever watches")] = None
    inbox_seconds: Annotated[int, said("seconds between looks into the folders in which partners leave files", ge=1)] = 10
    local_folders: Annotated[
        Path | None, said("below this folder partners may exchange files on this machine's own disk")
    ] = None
    inventory_folder: Annotated[Path | None, said("where each carrier's inventory is written as files; empty: nowhere")] = (
        None
    )
    s3_services: Annotated[
        str, said("hosts of S3 services that partners may name, with stars for parts, divided by spaces")
    ] = "s3.*.amazonaws.com s3.*.amazonaws.com.cn oss-*.aliyuncs.com cos.*.myqcloud.com obs.*.myhuaweicloud.com"
    workers: Annotated[int, said("threads that deliver events in this process", ge=1, le=64)] = 8
    carriers: Annotated[
        dict[str, CarrierSetting], said("carriers beside China's four: HUANXIN_CARRIERS__CODE__NAME, __ZONE, __PREFIXES")
    ] = {}
    sms_gateway: Annotated[
        str | None, said("the https address of the SMS gateway; `console` (development's own) shows messages at /dev/sms")
    ] = None
    sms_gateway_token: Annotated[str | None, said("the bearer token for the SMS gateway", secret=True)] = None
    sms_gateway_seconds: Annotated[float, said("seconds that the SMS gateway may take", gt=0, le=60)] = 10
    cool_down_hours: Annotated[int, said("hours after an answer before an owner may order there again", ge=0)] = 24
    label_days: Annotated[
        int, said("days that a caller-label service needs after its answer, as owners are told", ge=0, le=60)
    ] = 5
    handover: Annotated[
        dict[str, str], said("by carrier: the file or address of the keys with which its app signs owners in")
    ] = {}
    totp_required: Annotated[
        bool | None, said("whether operators have to set up an authenticator; without it in production only")
    ] = None
    operators: Annotated[
        OperatorsOidc | None,
        said(
            "the OpenID provider at which operators sign in: HUANXIN_OPERATORS__ISSUER, __CLIENT_ID, "
            "__CLIENT_SECRET, __NAME, __SCOPE, __LOGIN_CLAIM",
            secret=True,
        ),
    ] = None
    oidc: Annotated[
        dict[str, CarrierOidc],
        said(
            "by carrier: the OpenID provider at which owners sign in: HUANXIN_OIDC__CODE__ISSUER, "
            "__CLIENT_ID, __CLIENT_SECRET, __SCOPE, __NUMBER_CLAIM, __VERIFIED_CLAIM",
            secret=True,
        ),
    ] = {}
    watch_threshold: Annotated[int, said("counts below this are not published", ge=3, le=1000)] = 10
    look_ups_an_hour: Annotated[int, said("numbers that one person may look up in an hour", ge=1)] = 600
    watch_licence: Annotated[str, said("the licence under which the bulletin's data are published, in words")] = ""
    trusted_proxies: Annotated[
        str,
        said(
            "addresses or networks of the proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, divided by "
            "commas; by what they say callers are told apart and limited"
        ),
    ] = "127.0.0.1"
    metrics_token: Annotated[
        str | None, said("the bearer token that /metrics asks for; without it only this machine may read them", secret=True)
    ] = None
    zone: Annotated[Zone, said("the time zone in which pages show times")] = CHINA.key
    words: Annotated[
        dict[str, dict[str, list[str]]],
        said('more ways in which files write headings, events and states: {"events": {"cancelled": ["强拆"]}}'),
    ] = {}

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """The environment goes before the TOML file that HUANXINCONFIG names."""
        file = os.environ.get(CONFIG)
        toml = (from_file(settings_cls, Path(file)),) if file else ()
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

    @field_validator("trusted_proxies")
    @classmethod
    def are_networks(cls, text: str) -> str:
        """Of IPv4 or IPv6. A star would have any caller say who they are."""
        for one in filter(None, (part.strip() for part in text.split(","))):
            try:
                ip_network(one)
            except ValueError as error:
                raise ValueError("write addresses or networks like 127.0.0.1, 10.0.0.0/8") from error
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
            whole(file, secrets.token_urlsafe(32), instead=False)
        return file.read_text().strip()
