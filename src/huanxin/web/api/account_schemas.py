"""What connecting takes and answers, for OpenAPI and its readers."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from huanxin.domain.partners import Kind

_LONG = 500  # characters: beyond, nothing of it could be right


class Registration(BaseModel):
    """Who wants to connect."""

    name: str = Field(max_length=_LONG, description="the company's or service's name, at most 80 characters")
    kind: Kind = Field(description="what it keeps on a number: app (accounts), labeler (caller labels), sender (contacts)")
    domain: str = Field(
        max_length=_LONG, description="a domain of the company's own, which it then proves", examples=["example.com"]
    )
    endpoint: str | None = Field(
        None, max_length=2000, description="where the sandbox pushes events to (RFC 8935); may be set later by the SSF API",
        examples=["https://test.example.com/huanxin/events/"],
    )  # fmt: skip


class Challenge(BaseModel):
    """What proves the domain: either the file or the TXT entry."""

    text: str
    file: str = Field(description="where the file is looked for; it contains `text` and nothing else")
    dns_name: str = Field(examples=["_huanxin-challenge.example.com"])
    dns_txt: str = Field(examples=["huanxin-challenge=huanxin_…"])


class Access(BaseModel):
    """How a program gets in: client credentials at `issuer`/oauth/token."""

    issuer: str
    client_id: str
    client_secret: str = Field(description="shown this once")


class Welcome(BaseModel):
    """A new account."""

    account: str
    challenge: Challenge
    sandbox: Access


class CheckItem(BaseModel):
    """One line of the checklist."""

    step: str = Field(description="registered, domain, endpoint, selftest, admitted, live, live-endpoint")
    done: bool
    at: str | None = Field(description="RFC 3339")
    why: str | None = Field(
        description="not-yet, running, failed, interrupted, other-endpoint, too-old, not-verified, withdrawn; null if done"
    )
    todo: str = Field(description="what to do, in words; empty if it is done")
    note: str = Field(description="what the operator wrote, such as why an admission was withdrawn; mostly empty")


class RunShort(BaseModel):
    """A self-test in short."""

    run: str
    state: str = Field(description="running, passed, failed, interrupted")
    endpoint: str
    started_at: str
    ended_at: str | None


class Endpoint(BaseModel):
    """Where events are pushed to, `poll` if they are polled, null if neither."""

    endpoint: str | None


class SandboxEndpoint(Endpoint):
    """The same in the sandbox."""

    client_id: str


class AccountView(BaseModel):
    """An account and what is still to do."""

    account: str
    name: str
    kind: Kind
    domain: str
    state: str = Field(description="sandbox, admitted, live, withdrawn, closed")
    sandbox: SandboxEndpoint
    live: Endpoint
    checklist: list[CheckItem]
    selftests: list[RunShort] = Field(description="newest first")
    challenge: Challenge


class Started(BaseModel):
    """A self-test that was started."""

    run: str


class TwoLanguages(BaseModel):
    """A text in Chinese and English."""

    zh: str
    en: str


class ScenarioView(BaseModel):
    """What came of one scenario."""

    scenario: str = Field(description="stable", examples=["on-cutoff"])
    title: TwoLanguages
    state: str = Field(description="passed, warning, failed")
    seconds: float
    seen: TwoLanguages
    mend: str | None = Field(description="stable code of how to mend it; null if there is nothing to mend")
    how: TwoLanguages | None


class RunView(RunShort):
    """A self-test: scenarios stand here as soon as they are done."""

    of: int = Field(description="how many scenarios there are")
    scenarios: list[ScenarioView]


class Rehearsal(BaseModel):
    """A rehearsal notice that is on its way."""

    notice: str
    rehearsal: bool
    expected: dict[str, list[str]] = Field(description="magic number -> outcomes that may be answered")


class GoLive(BaseModel):
    """How to go live."""

    endpoint: str | None = Field(None, max_length=2000, description="where live events are pushed to; not the sandbox's")


class FolderLogin(BaseModel):
    """What lets the platform into the folders; kept encrypted. Nothing for a directory of the platform's machine."""

    model_config = ConfigDict(extra="forbid")

    password: str = Field("", description="SFTP")
    private_key: str = Field("", description="SFTP, in place of a password: PEM or OpenSSH, without a passphrase")
    host_key: str = Field("", description="SFTP: the server's public key", examples=["ssh-ed25519 AAAA..."])
    access_key: str = Field("", description="S3")
    secret_key: str = Field("", description="S3")
    s3_endpoint: str = Field("", examples=["https://oss-cn-hangzhou.aliyuncs.com"])
    s3_region: str = ""


class Folders(BaseModel):
    """Two folders of the partner's, both reached with the same login."""

    model_config = ConfigDict(extra="forbid")

    out: str = Field(description="the platform writes notices here", examples=["sftp://huanxin@files.example.com/OUT"])
    into: str = Field(alias="in", description="the platform reads receipts here")
    login: FolderLogin = Field(default_factory=lambda: FolderLogin.model_validate({}))


class FoldersChosen(BaseModel):
    """The folders that are used from now on."""

    out: str
    into: str = Field(alias="in")
    login: list[str] = Field(description="which members of the login are stored")


class Live(Access):
    """Live credentials."""

    required: bool = Field(description="whether numbers wait for this partner's answers")
    scopes: list[str]


def takes(model: type[BaseModel]) -> dict[str, Any]:
    """The body that an operation takes, as JSON."""
    return {"requestBody": {"content": {"application/json": {"schema": model.model_json_schema()}}}}
