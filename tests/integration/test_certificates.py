"""A certificate's life: issued once, verified by the record or by keys alone, and over when the number moves on."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from clocks import Clock
from huanxin.acts import Platform
from huanxin.acts.desk import certify as certify_now
from huanxin.disclose import certificate, verifying
from huanxin.disclose.certificate import KIND, Reason
from huanxin.disclose.verifying import Finding, Verdict
from huanxin.domain.errors import BadInput, Conflict, NotFound, TooMany
from huanxin.domain.numbers import parse
from huanxin.signing.keys import Signer, rotate, withdraw
from huanxin.store.disclose.certificates import Certificate
from ordering import imported

SOLD_AGAIN, FIRST_USE, FROZEN, PASSED_ON, ELSEWHERE, OLD, UNHEARD = (f"+861380013800{n}" for n in range(7))
Report = Callable[..., Path]


@pytest.fixture
def signer(platform: Platform) -> Signer:
    return Signer(issuer=platform.issuer, database=platform.database, passphrase="a test", clock=platform.clock)


@pytest.fixture
def numbers(platform: Platform, report: Report) -> None:
    """A number sold again on 2026-10-01, one sold for the first time, one frozen, one transferred, one ported out, and
    one whose opening lies before the first report."""
    lines = [f"{SOLD_AGAIN},opened,2024-01-05", f"{SOLD_AGAIN},cancelled,2026-06-01", f"{SOLD_AGAIN},opened,2026-10-01",
             f"{FIRST_USE},opened,2026-10-01", f"{FROZEN},cancelled,2026-10-01", f"{PASSED_ON},transferred,2026-10-02",
             f"{ELSEWHERE},opened,2026-10-01", f"{ELSEWHERE},ported_out,2026-11-01", f"{OLD},cancelled,2026-10-01",
             f"{OLD},reclaimed,2026-10-03"]  # fmt: skip
    imported(platform, report(*lines), carrier="cmcc", by="test")


def certify(platform: Platform, signer: Signer, number: str = SOLD_AGAIN) -> Certificate:
    return certify_now(platform, parse(number), signer.signed, by="test")


def check(platform: Platform, given: str) -> Finding:
    with platform.read() as reading:
        return verifying.verify(reading, given)


def revoke(platform: Platform, one: Certificate, reason: Reason, by: str = "值班长 林澈") -> None:
    with platform.act(by) as act:
        certificate.revoke(act, one.id, reason=reason, note="ticket 17")


pytestmark = pytest.mark.usefixtures("numbers")


def test_it_says_the_day_and_that_there_was_somebody_else_and_names_nobody(platform: Platform, signer: Signer) -> None:
    made = certify(platform, signer)
    claims = signer.verified(made.token, KIND)
    assert claims == {
        "iss": platform.issuer, "jti": made.id, "iat": 1795482000, "exp": 1795482000 + 180 * 86_400, "carrier": "cmcc",
        "sub_id": {"format": "phone_number", "phone_number": SOLD_AGAIN}, "opened_on": "2026-10-01",
        "before": "another_subscriber", "text": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("number", "before"), [(FIRST_USE, "nobody_reported"), (PASSED_ON, "another_subscriber")]
)  # fmt: skip
def test_a_first_owner_is_nobody_as_far_as_reported_and_a_transfer_is_a_change_of_hands(
    platform: Platform, signer: Signer, number: str, before: str
) -> None:
    assert certify(platform, signer, number).before == before


@pytest.mark.parametrize(
    ("number", "words"),
    [(UNHEARD, "no carrier has reported"), (FROZEN, "is not in service"), (ELSEWHERE, "taken to another carrier"),
     (OLD, "before the carrier's first report")],
)  # fmt: skip
def test_nothing_is_certified_that_is_not_known(platform: Platform, signer: Signer, number: str, words: str) -> None:
    with pytest.raises(Conflict, match=words) as refused:
        certify(platform, signer, number)
    assert number not in str(refused.value)


def test_asked_again_it_is_the_same_to_the_last_byte_until_it_expires(
    platform: Platform, signer: Signer, clock: Clock
) -> None:
    first, second = certify(platform, signer), certify(platform, signer)
    assert second == first
    clock.forward(days=180)
    assert check(platform, first.token).verdict is Verdict.EXPIRED
    assert certify(platform, signer).id != first.id


def test_two_who_ask_at_once_get_one_certificate(platform: Platform, signer: Signer) -> None:
    def drafted() -> Certificate:
        with platform.act("test") as act:
            return certificate.draft(act, parse(SOLD_AGAIN))

    def kept(one: Certificate) -> Certificate:
        with platform.act("li") as act:
            return certificate.keep(act, one, signer.signed(KIND, certificate.claims(one)))

    one, other = drafted(), drafted()
    assert one.id != other.id
    assert kept(one) == kept(other)


@pytest.mark.parametrize("form", ["{token}", "  {token}\n", "{id}", "https://huanxin.example/verify/{id}", "/verify/{id}/"])
def test_it_is_found_good_by_its_text_its_number_and_its_address(platform: Platform, signer: Signer, form: str) -> None:
    made = certify(platform, signer)
    found = check(platform, form.format(token=made.token, id=made.id))
    assert (found.verdict, found.certificate) == (Verdict.VALID, made)


def test_a_text_broken_into_lines_on_its_way_is_still_good(platform: Platform, signer: Signer) -> None:
    token = certify(platform, signer).token
    assert check(platform, token[:80] + "\r\n " + token[80:]).verdict is Verdict.VALID


def test_whatever_is_not_what_was_recorded_is_not_ours(platform: Platform, signer: Signer) -> None:
    made = certify(platform, signer)
    claims = certificate.claims(made) | {"iss": platform.issuer}
    stranger = ECKey.generate_key("P-256", private=True)
    head, body, signature = made.token.split(".")
    odd = urlsafe_b64encode(json.dumps({"jti": "\0\ud800"}).encode()).decode().rstrip("=")
    forged = {
        "altered": f"{head}.{body[:-4]}AAAA.{signature}",
        "cut off": made.token[:-10],
        "another's key": jwt.encode({"alg": "ES256", "typ": KIND, "kid": "mine"}, claims, stranger),
        "another's key under our kid": jwt.encode(
            {"alg": "ES256", "typ": KIND, "kid": signer.keys()[0].kid}, claims, stranger
        ),
        "our key, another kind": signer.signed("at+jwt", claims),
        "our key, another number": signer.signed(KIND, claims | {"sub_id": {"format": "phone_number", "phone_number": OLD}}),
        "an id that no database takes": f"{head}.{odd}.{signature}",
        "our key, never recorded": signer.signed(KIND, claims | {"jti": "ce_" + "A" * 20}),
        "unknown number": "ce_" + "A" * 20,
        "words": "<script>alert(1)</script>",
        "nothing": "",
        "a megabyte": made.token + "A" * 1_000_000,
        "binary": "\x00\ufffd\u202e" * 9,
    }
    assert {why: check(platform, text).verdict for why, text in forged.items()} == dict.fromkeys(forged, Verdict.NOT_OURS)


def test_when_the_number_changes_hands_again_it_is_over(
    platform: Platform, signer: Signer, report: Report, clock: Clock
) -> None:
    made = certify(platform, signer)
    clock.forward(days=10)
    imported(platform, report(f"{SOLD_AGAIN},cancelled,2026-11-30"), carrier="cmcc", by="test")
    assert check(platform, made.token).verdict is Verdict.ENDED
    clock.forward(days=100)
    imported(platform, report(f"{SOLD_AGAIN},opened,2027-03-10", name="b.csv"), carrier="cmcc", by="test")
    assert check(platform, made.id).verdict is Verdict.ENDED
    assert certify(platform, signer).opened_on.isoformat() == "2027-03-10"


def test_a_cancellation_that_was_taken_back_brings_the_same_certificate_back(
    platform: Platform, signer: Signer, report: Report, clock: Clock
) -> None:
    made = certify(platform, signer)
    clock.forward(days=10)
    lines = (f"{SOLD_AGAIN},cancelled,2026-11-30", f"{SOLD_AGAIN},reclaimed,2026-12-02")
    imported(platform, report(*lines), carrier="cmcc", by="test")
    assert check(platform, made.token).verdict is Verdict.VALID
    assert certify(platform, signer) == made


def test_after_a_port_out_nobody_knows(platform: Platform, signer: Signer, report: Report) -> None:
    made = certify(platform, signer)
    imported(platform, report(f"{SOLD_AGAIN},ported_out,2026-11-20"), carrier="cmcc", by="test")
    assert check(platform, made.token).verdict is Verdict.MOVED


def test_taken_along_a_second_time_it_is_moved_still_and_not_over(
    platform: Platform, signer: Signer, report: Report
) -> None:
    """Nobody reported that the owner lost the number: who verifies must not read that they did (rule 4)."""
    made = certify(platform, signer)
    for carrier, day in (("cmcc", "2026-11-20"), ("cucc", "2026-11-22")):
        line = f"{SOLD_AGAIN},ported_out,{day}"
        imported(platform, report(line, name=f"{carrier}.csv"), carrier=carrier, by="test")
    assert check(platform, made.token).verdict is Verdict.MOVED


def test_cancelled_and_reclaimed_at_the_carrier_that_took_it_in_it_is_the_same_owners_again(
    platform: Platform, signer: Signer, report: Report
) -> None:
    made = certify(platform, signer)
    imported(platform, report(f"{SOLD_AGAIN},ported_out,2026-11-20"), carrier="cmcc", by="test")
    told = []
    for event, day in (("cancelled", "2026-11-21"), ("reclaimed", "2026-11-23")):
        imported(platform, report(f"{SOLD_AGAIN},{event},{day}", name=f"{event}.csv"), carrier="cucc", by="test")
        told.append(check(platform, made.token).verdict)
    assert told == [Verdict.ENDED, Verdict.VALID]
    assert certify(platform, signer) == made
    revoke(platform, made, Reason.HOLDER)
    assert certify(platform, signer).carrier == "cmcc", "who reported the day on which it was opened, not who serves it now"


def test_revoked_it_is_over_says_why_and_can_not_be_undone(platform: Platform, signer: Signer, clock: Clock) -> None:
    made = certify(platform, signer)
    revoke(platform, made, Reason.HOLDER)
    clock.forward(hours=1)
    revoke(platform, made, Reason.MISTAKE)
    found = check(platform, made.token)
    assert found.verdict is Verdict.REVOKED
    assert found.revocation is not None
    assert (found.revocation.reason, found.revocation.revoked_by, found.revocation.note) == (
        "holder", "值班长 林澈", "ticket 17",
    )  # fmt: skip
    assert certify(platform, signer).id != made.id, "who lost their paper gets another"


def test_after_a_dispute_there_is_no_other_in_this_tenure(platform: Platform, signer: Signer) -> None:
    revoke(platform, certify(platform, signer), Reason.DISPUTE)
    with pytest.raises(Conflict, match="dispute"):
        certify(platform, signer)


def test_a_revocation_names_who_did_it_and_a_certificate_that_exists(platform: Platform, signer: Signer) -> None:
    made = certify(platform, signer)
    with pytest.raises(BadInput, match="who"):
        revoke(platform, made, Reason.MISTAKE, by=" ")
    with platform.act("x") as act, pytest.raises(NotFound, match="ce_none"):
        certificate.revoke(act, "ce_none", reason=Reason.MISTAKE, note="")


def test_a_certificate_and_its_revocation_are_facts(platform: Platform, signer: Signer) -> None:
    revoke(platform, certify(platform, signer), Reason.HOLDER)
    for table in ("certificate", "certificate_revocation"):
        with pytest.raises(psycopg.errors.RaiseException, match="never edited"), platform.database.transaction() as tx:
            tx.execute(f"DELETE FROM {table}")


def test_the_number_is_compared_and_not_found_by_trying(platform: Platform, signer: Signer, clock: Clock) -> None:
    made = certify(platform, signer)

    def same(number: str) -> bool:
        with platform.act("visitor") as act:
            return verifying.same_number(act, made, number)

    assert same("138 0013 8000")
    assert same("+86 (138) 0013-8000")
    with pytest.raises(BadInput):
        same("my number")
    assert [same(f"1380013{n:04}") for n in range(10)] == [False] * 10
    with pytest.raises(TooMany):
        same("138 0013 8000")
    clock.forward(days=1, seconds=1)
    assert same("138 0013 8000")


def test_it_is_verified_to_its_last_day_by_the_published_keys_however_often_they_are_replaced(
    platform: Platform, signer: Signer, clock: Clock
) -> None:
    made = certify(platform, signer)
    for _ in range(3):
        with platform.database.transaction() as tx:
            rotate(tx, passphrase="a test", now=clock())
        clock.forward(days=59)
    assert check(platform, made.token).verdict is Verdict.VALID
    read = verifying.read_offline(made.token, json.loads(json.dumps(signer.jwks())))
    assert (read.id, read.statement, read.issuer) == (made.id, certificate.statement_of(made), platform.issuer)
    assert read.expires_at == made.issued_at + timedelta(days=180)
    clock.forward(days=200)
    assert len([key for key in signer.jwks()["keys"] if key["kty"] == "EC"]) == 3, "the first key is gone at last"
    assert check(platform, made.token).verdict is Verdict.EXPIRED, "and it is still known for what it was"


def test_a_key_that_others_saw_is_withdrawn_and_forges_nothing_from_then_on(
    platform: Platform, signer: Signer, clock: Clock
) -> None:
    made = certify(platform, signer)
    seen = signer.keys()
    with platform.database.transaction() as tx:
        new = [withdraw(tx, one.kid, passphrase="a test", now=clock()) for one in seen]
        with pytest.raises(NotFound, match=seen[0].kid):
            withdraw(tx, seen[0].kid, passphrase="a test", now=clock())
    clock.forward(seconds=31)
    published = signer.keys()
    assert {one.kid for one in published} == set(new)
    assert signer.verified(signer.signed("at+jwt", {"sub": "x"}), "at+jwt") is not None, "the new key signs at once"
    with pytest.raises(BadInput, match="not signed with one of these keys"):
        verifying.read_offline(made.token, signer.jwks())
    assert check(platform, made.token).verdict is Verdict.VALID, "the record doesn't need the key"
    with platform.database.transaction() as tx:
        rotate(tx, passphrase="a test", now=clock())
        clock.forward(hours=1)
        assert withdraw(tx, new[0] or "", passphrase="a test", now=clock()) is None, "the next one signs already"


def test_offline_an_altered_text_other_keys_and_another_kind_are_refused(platform: Platform, signer: Signer) -> None:
    made = certify(platform, signer)
    head, body, signature = made.token.split(".")
    other = {"keys": [ECKey.generate_key("P-256").as_dict(private=False) | {"kid": signer.keys()[0].kid}]}
    for text, keys in ((f"{head}.{body[:-4]}AAAA.{signature}", signer.jwks()), (made.token, other), ("x", signer.jwks()),
                       (made.token, {"keys": []}), (made.token, {})):  # fmt: skip
        with pytest.raises(BadInput, match="altered or cut off"):
            verifying.read_offline(text, keys)
    with pytest.raises(BadInput, match="not a certificate"):
        verifying.read_offline(signer.event_token({"jti": "x"}), signer.jwks())
