"""`huanxin certificate NUMBER`, and under it `revoke` and `verify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from huanxin.acts.desk import certify
from huanxin.cli.console import EXIT_REFUSED, By, Json, done, explained, me, platform
from huanxin.disclose import certificate, verifying
from huanxin.disclose.certificate import Reason, statement_of
from huanxin.disclose.printing import address, certificate_pdf
from huanxin.disclose.verifying import Verdict
from huanxin.domain.clock import system_clock
from huanxin.domain.errors import BadInput
from huanxin.domain.shown import read_json
from huanxin.onboarding.opening import open_signer


class NumberFirst(TyperGroup):
    """A group whose command `issue` needn't be written: what is no command is its number."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self.spelled_out(args))

    def spelled_out(self, args: list[str]) -> list[str]:
        """The arguments with `issue` in front, where it was left out."""
        known = {*self.commands, "--help"}
        return args if not args or args[0] in known else ["issue", *args]


app = typer.Typer(cls=NumberFirst, no_args_is_help=True)


@app.command()
def issue(
    number: Annotated[str, typer.Argument(help="+8613800138000")],
    pdf: Annotated[Path | None, typer.Option(help="Write the sheet of paper here.")] = None,
    text: Annotated[Path | None, typer.Option(help="Write the signed text here.")] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Issue a number's certificate (易主证明), or give the one that is good already: `huanxin certificate NUMBER`."""
    with platform() as (opened, settings):
        try:
            wanted = opened.plan.typed(number)
        except ValueError as error:
            raise BadInput(str(error)) from error
        made = certify(opened, wanted, open_signer(opened, settings).signed, by=by or me())
        if pdf:
            pdf.write_bytes(certificate_pdf(made, issuer=opened.issuer, carrier=opened.plan.carriers[made.carrier]))
        if text:
            text.write_text(made.token, encoding="utf-8")
    said, where = statement_of(made), address(opened.issuer, made.id)
    say = f"{said.chinese()}\n{said.english()}\n\n{made.id}, good until {made.expires_at:%Y-%m-%d %H:%M} UTC\n{where}"
    facts = {"id": made.id, "opened_on": made.opened_on, "before": made.before, "issued_at": made.issued_at,
             "expires_at": made.expires_at, "address": where, "token": made.token}  # fmt: skip
    done(as_json, facts, "\n".join([say, *(f"✓ {file}" for file in (pdf, text) if file)]))


@app.command()
def revoke(
    certificate_id: Annotated[str, typer.Argument(metavar="ID", help="The number on the certificate, like ce_…")],
    reason: Annotated[Reason, typer.Option(help="Shown to whoever checks it.")],
    note: Annotated[str, typer.Option(help="More about it; recorded, and shown to nobody.")] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Revoke a certificate for good. After a dispute, its number gets no other in this tenure."""
    with platform() as (opened, _), opened.act(by or me()) as act:
        done_now = certificate.revoke(act, certificate_id, reason=reason, note=note)
    say = f"✓ {certificate_id} is revoked since {done_now.revoked_at:%Y-%m-%d %H:%M} UTC ({done_now.reason})"
    done(as_json, {"id": certificate_id, "reason": done_now.reason, "revoked_at": done_now.revoked_at}, say)


@app.command()
def verify(
    file: Annotated[str, typer.Argument(help="The file with the signed text; - reads standard input.")],
    jwks: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Check by these public keys alone, without the platform."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say whether a certificate is good: by the record, or with --jwks by its signature alone. Exit code 1 if it isn't."""
    with explained():
        text = _given(file)
    good, facts, say = _offline(text, jwks) if jwks else _by_record(text)
    done(as_json, facts, say)
    if not good:
        raise typer.Exit(EXIT_REFUSED)


def _given(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} can't be read as text; give the file that holds the signed text") from error


def _by_record(text: str) -> tuple[bool, dict[str, Any], str]:
    with platform() as (opened, _), opened.read() as seen:
        finding = verifying.verify(seen, text)
    one, good = finding.certificate, finding.verdict is Verdict.VALID
    facts: dict[str, Any] = {"verdict": finding.verdict, "id": one.id if one else None}
    if finding.revocation:
        facts |= {"revoked_at": finding.revocation.revoked_at, "reason": finding.revocation.reason}
    said = f"\n{statement_of(one).chinese()}\n{statement_of(one).english()}" if one and finding.text_given else ""
    return good, facts, f"{'✓' if good else '✗'} {finding.verdict.value}: {_MEANING[finding.verdict]}{said}"


def _offline(text: str, jwks: Path) -> tuple[bool, dict[str, Any], str]:
    with explained():
        try:
            keys = read_json(jwks.read_bytes())
        except (OSError, ValueError) as error:
            raise BadInput(f"{jwks} is no key set (JWKS); get it from /jwks.json of the issuer") from error
        read = verifying.read_offline(text, keys)
    good = read.expires_at > system_clock()
    facts = {"verdict": "signed" if good else Verdict.EXPIRED, "id": read.id, "issuer": read.issuer,
             "opened_on": read.statement.opened_on, "before": read.statement.before,
             "expires_at": read.expires_at}  # fmt: skip
    state = f"signed by {read.issuer}, good until {read.expires_at:%Y-%m-%d %H:%M} UTC"
    say = f"{'✓' if good else '✗'} {state}\n{read.statement.chinese()}\n{read.statement.english()}"
    return good, facts, say + "\nWhether it was revoked, or the number changed hands since, only its issuer can say."


_MEANING = {
    Verdict.VALID: "issued here, not changed, and the number has not changed hands since",
    Verdict.EXPIRED: "issued here, and its time is over; its holder can get a new one",
    Verdict.REVOKED: "issued here, and revoked",
    Verdict.ENDED: "the number was cancelled or passed on since, as its carrier reported",
    Verdict.CORRECTED: "carriers' reports no longer say what it says",
    Verdict.MOVED: "the number was taken to another carrier, which has not reported it yet",
    Verdict.NOT_OURS: "not issued here, altered, or cut off",
}
