"""`verify` names what is wrong with a token, and never disagrees with what the receiver would do."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey

from huanxin_partner import cli
from huanxin_partner.diagnosis import Check, Examiner, verified
from huanxin_partner.events import check
from huanxin_partner.tokens import KeysUnreachable, TokenError, Verifier
from partner_signing import ISSUER, NOW, RENEWAL, Served, claims, jwks, key, token

KEY, OTHER = key("k1"), key("k1")
GOOD = token(KEY, claims())
SHARED = jwt.encode({"alg": "HS256", "typ": "secevent+jwt", "kid": "k1"}, claims(), OctKey.generate_key(256))
CHECKS = [
    "form",
    "typ",
    "alg",
    "kid",
    "signature",
    "iss",
    "aud",
    "iat",
    "jti",
    "sub/exp",
    "sub_id",
    "one event",
    "event payload",
]
PAYLOAD = {"notice": "n1", "scope": "request"}


def examine(text: str) -> list[Check]:
    keys = KeySet([KEY])
    return Examiner(issuer=ISSUER, audience="pc_1", keys=lambda: keys, now=NOW).examine(text)


def wrong(text: str) -> set[str]:
    return {one.name for one in examine(text) if not one.holds}


def taken(text: str) -> bool:
    """What a receiver would say."""
    verifier = Verifier(issuer=ISSUER, audience="pc_1", client=Served(KEY).client, clock=lambda: NOW)
    try:
        check(verifier.verify(text), NOW)
    except TokenError:
        return False
    return True


def test_a_good_token_passes_every_check() -> None:
    checks = examine(GOOD)
    assert [one.name for one in checks] == CHECKS
    assert verified(checks)
    assert not any(one.mend for one in checks)
    assert taken(GOOD)


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"iss": "http://evil.example"}, "iss"), ({"iss": f"{ISSUER}/"}, "iss"), ({"aud": "pc_2"}, "aud"),
        ({"aud": None}, "aud"),
        ({"iat": NOW + 301}, "iat"), ({"iat": NOW - 31 * 86_400}, "iat"), ({"iat": True}, "iat"), ({"iat": None}, "iat"),
        ({"jti": None}, "jti"), ({"jti": 5}, "jti"), ({"sub": "x"}, "sub/exp"), ({"exp": NOW + 10}, "sub/exp"),
        ({"events": {"a": 1}}, "event payload"), ({"events": {RENEWAL: PAYLOAD}}, "event payload"),
        ({"events": {RENEWAL: PAYLOAD | {"cutoff": "2026-11-25T00:00:00Z"}}}, "event payload"),
    ],
)  # fmt: skip
def test_one_fault_is_named_alone_with_what_to_do(changed: dict[str, Any], name: str) -> None:
    text = token(KEY, claims(**changed))
    assert wrong(text) == {name}
    assert next(one.mend for one in examine(text) if one.name == name)
    assert not taken(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", {"form"}), ("a.b", {"form"}), ("not a token", {"form"}), (GOOD[:-12], {"signature"}),
        (token(KEY, claims(), typ="JWT"), {"typ"}), (token(OTHER, claims()), {"signature"}),
        (token(key("k2"), claims()), {"kid", "signature"}),
        (token(KEY, claims(events={})), {"one event", "event payload"}),
        (token(KEY, claims(events={"a": {}, "b": {}})), {"one event", "event payload"}),
        (token(KEY, claims(sub_id=None)), {"sub_id", "event payload"}),
        (SHARED, {"alg", "signature"}),
    ],
)  # fmt: skip
def test_faults_of_form_and_signature_are_named(text: str, names: set[str]) -> None:
    assert wrong(text) == names
    assert not taken(text)


def test_without_keys_the_rest_is_still_checked() -> None:
    def unreachable() -> KeySet:
        raise KeysUnreachable("no route")

    checks = Examiner(issuer=ISSUER, audience="pc_1", keys=unreachable, now=NOW).examine(GOOD)
    assert {one.name for one in checks if one.holds is None} == {"kid", "signature"}
    assert all(one.holds for one in checks if one.name not in ("kid", "signature"))
    assert not verified(checks)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(jwks(KEY)), encoding="utf-8")
    return file


def test_the_command_says_it_in_lines_and_by_its_exit_code(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--issuer", ISSUER, "--audience", "pc_1", "--jwks", str(keys)]
    assert cli.main(["verify", token(KEY, claims(iat=int(time.time()))), *arguments]) == 0
    assert "the token verifies" in capsys.readouterr().out
    assert cli.main(["verify", token(KEY, claims(iat=int(time.time()), aud="pc_2")), *arguments]) == 1
    said = capsys.readouterr().out
    assert "✗ aud: aud is 'pc_2'; here it is 'pc_1'\n    The token is for another client" in said
    assert "the token does not verify" in said


def test_the_command_reads_stdin_and_says_it_in_json(
    keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(token(OTHER, claims(iat=int(time.time()))) + "\n"))
    assert cli.main(["verify", "--issuer", f"{ISSUER}/", "--audience", "pc_1", "--jwks", str(keys), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["verified"] is False
    assert [one["name"] for one in said["checks"] if not one["holds"]] == ["signature"]


def test_the_command_needs_an_issuer_and_an_audience(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", GOOD, "--issuer", ISSUER]) == cli.WRONG_SETTING
    assert "--audience" in capsys.readouterr().err
