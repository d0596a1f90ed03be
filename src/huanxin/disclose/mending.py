"""Certificates that stood on a report that was wrong are revoked: they say what the record says no more."""

from __future__ import annotations

from huanxin.disclose.certificate import Reason, revoke
from huanxin.disclose.verifying import Verdict, by_record
from huanxin.numbersets.sharded import NumberSet
from huanxin.store.acting import Act
from huanxin.store.disclose import certificates


def revoke_corrected(act: Act, numbers: NumberSet, *, note: str) -> NumberSet:
    """Revoke the certificates of some numbers that what is on record now contradicts; of which numbers."""
    wrong = []
    for one in certificates.good_of(act.tx, numbers.numbers().tolist(), act.now):
        if by_record(act.tx, one) is Verdict.CORRECTED:
            revoke(act, one.id, reason=Reason.MISTAKE, note=note)
            wrong.append(one.number)
    return NumberSet.of(wrong)
