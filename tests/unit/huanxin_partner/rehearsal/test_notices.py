"""The stand-in refuses the receipts that the platform refuses, whole and with line and reason."""

from __future__ import annotations

import hashlib

import pytest

from huanxin_partner.rehearsal.notices import BadReceipt, PlayedNotice, UsedKey

NUMBERS = ["+8610000000001", "+8610000000002", "+8610000000003"]
HEAD = b"number,outcome,reason,until\n"


def test_parts_add_up_and_complete_says_absent_for_the_rest() -> None:
    notice = PlayedNotice(id="n1", numbers=NUMBERS)
    assert notice.file(HEAD + b"+8610000000001,unbound,,\n", complete=False) == (1, True)
    assert notice.outstanding() == 2
    assert notice.file(HEAD + b"+8610000000001,refused,debt,\n", complete=True) == (2, True)
    answers = notice.filed().answers
    assert {number: answers[number].outcome for number in NUMBERS} == {
        NUMBERS[0]: "refused", NUMBERS[1]: "absent", NUMBERS[2]: "absent",
    }  # fmt: skip


def test_the_same_content_again_is_the_same_receipt() -> None:
    notice = PlayedNotice(id="n1", numbers=NUMBERS)
    assert notice.file(HEAD, complete=True) == (1, True)
    assert notice.file(HEAD, complete=True) == (1, False)
    assert notice.filed().receipts == 1


def test_a_refusal_that_is_said_again_is_heard_and_a_retry_changes_nothing() -> None:
    notice = PlayedNotice(id="n1", numbers=NUMBERS[:1])
    refused, unbound = (HEAD + NUMBERS[0].encode() + line for line in (b",refused,debt,\n", b",unbound,,\n"))
    assert notice.file(refused, complete=True, key="a") == (1, True)
    assert notice.file(unbound, complete=True, key="b") == (2, True)
    assert notice.file(refused, complete=True, key="a") == (1, False)  # its reply was lost
    assert notice.filed().answers[NUMBERS[0]].outcome == "unbound"
    assert notice.file(refused, complete=True, key="c") == (3, True)
    assert notice.filed().answers[NUMBERS[0]].outcome == "refused"
    assert notice.file(unbound, complete=True) == (2, False)  # without a key only what closes is news
    assert notice.filed().answers[NUMBERS[0]].outcome == "refused"
    assert notice.file(unbound, complete=True, key="d") == (4, True)
    assert notice.file(refused, complete=True) == (5, True)
    with pytest.raises(UsedKey):
        notice.file(unbound, complete=True, key="c")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (b"+8610000000009,unbound,,\n", "line 2: the number is not in this notice"),
        (b"+8610000000001,unbound,,\n+8610000000001,kept,,\n", "line 3: the number stands here twice"),
        (b"+8610000000001,restored,,\n", "does not answer a renewal"),
        (b"+8610000000001,refused,,\n", "a refusal needs a reason"),
        (b"+8610000000001,kept,debt,\n", "a refusal needs a reason"),
        (b"+8610000000001,kept\n", "4 fields"),
        (b"\xff\n", "UTF-8"),
        (b"", "no lines"),
    ],
)
def test_a_bad_line_refuses_the_receipt_whole(lines: bytes, said: str) -> None:
    notice = PlayedNotice(id="n1", numbers=NUMBERS)
    with pytest.raises(BadReceipt, match=said):
        notice.file(HEAD + lines, complete=False)
    filed = notice.filed()
    assert (filed.receipts, filed.answers) == (0, {})
    assert said in filed.refused[0].en


def test_a_heading_of_another_kind_is_refused() -> None:
    with pytest.raises(BadReceipt, match="heading"):
        PlayedNotice(id="n1", numbers=NUMBERS).file(b"phone,result\n", complete=True)


def test_a_retraction_has_outcomes_of_its_own() -> None:
    notice = PlayedNotice(id="n2", numbers=NUMBERS, retracts="n1")
    with pytest.raises(BadReceipt, match="retraction"):
        notice.file(HEAD + b"+8610000000001,unbound,,\n", complete=True)
    assert notice.file(HEAD + b"+8610000000001,irreversible,,\n", complete=True) == (1, True)


def test_a_broken_file_does_not_hash_to_what_the_notice_says() -> None:
    notice = PlayedNotice(id="n1", numbers=NUMBERS)
    assert hashlib.sha256(notice.content).hexdigest() == notice.sha256
    notice.broken = True
    assert hashlib.sha256(notice.content).hexdigest() != notice.sha256
