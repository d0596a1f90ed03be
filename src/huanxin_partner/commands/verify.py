"""`huanxin-partner verify`: say why a token does or doesn't verify."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from huanxin_partner.commands.settings import BadSettings, Settings, add_config, load
from huanxin_partner.diagnosis import Check, Examiner, verified
from huanxin_partner.tokens import fetch_keys

_MARKS = {True: "✓", False: "✗", None: "?"}


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("verify", help="say check by check why a token does or doesn't verify")
    command.add_argument(
        "token", nargs="?", default="-", metavar="TOKEN", help="the token; - or nothing reads it from stdin"
    )
    add_config(command, ("issuer", "client_id"))
    command.add_argument("--issuer", help="instead of the setting")
    command.add_argument("--audience", help="your client id; instead of the setting")
    command.add_argument("--jwks", type=Path, metavar="FILE", help="the issuer's keys, if they can't be fetched")
    command.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Print the checks; 0 if the token verifies, else 1."""
    settings = _settings(given)
    token = sys.stdin.read() if given.token == "-" else given.token
    with httpx.Client(timeout=10) as client:
        examiner = Examiner(
            issuer=settings["issuer"], audience=settings["audience"], now=time.time(),
            keys=lambda: fetch_keys(settings["issuer"], client, settings["jwks_file"]),
        )  # fmt: skip
        checks = examiner.examine(token)
    if given.json:
        print(json.dumps({"verified": verified(checks), "checks": [asdict(one) for one in checks]}, ensure_ascii=False))
    else:
        _print(checks)
    return 0 if verified(checks) else 1


def _settings(given: argparse.Namespace) -> Settings:
    found = load(given.config, ())
    issuer = (given.issuer or found.get("issuer") or "").rstrip("/")
    audience = given.audience or found.get("audience") or found.get("client_id")
    if not issuer or not audience:
        raise BadSettings("give --config, or --issuer and --audience: a token verifies for one issuer and one audience")
    jwks = given.jwks or found.get("jwks_file")
    return {"issuer": issuer, "audience": str(audience), "jwks_file": Path(jwks) if jwks else None}


def _print(checks: list[Check]) -> None:
    for one in checks:
        print(f"{_MARKS[one.holds]} {one.name}: {one.seen}")
        if one.mend:
            print(f"    {one.mend}")
    print("the token verifies" if verified(checks) else "the token does not verify")
