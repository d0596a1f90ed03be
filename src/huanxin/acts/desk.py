"""At the desk: what a person looks up counts, a buyer's acknowledgement, certificates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from huanxin.access import looking
from huanxin.acts.platform import Platform
from huanxin.disclose import acknowledging, certificate
from huanxin.disclose.acknowledging import Acknowledged, Acknowledgement
from huanxin.disclose.desk import look_up
from huanxin.domain.disclosure import Told
from huanxin.domain.errors import BadInput
from huanxin.domain.operators import Operator
from huanxin.store.disclose.certificates import Certificate

Sign = Callable[[str, dict[str, Any]], str]
"""Signs the claims of a token of a kind (`typ`)."""


def certify(platform: Platform, number: int, sign: Sign, *, by: str) -> Certificate:
    """The certificate of a number's present tenure, the same one for as long as it is good. The caller has made sure
    that the number is theirs who ask. Raises Conflict, in words for them, if nothing can be certified, or ClockInDoubt."""
    with platform.act(by, sure=True) as act:
        made = certificate.draft(act, number)
    if made.token:
        return made
    token = sign(certificate.KIND, certificate.claims(made))
    with platform.act(by) as act:
        return certificate.keep(act, made, token)


def looked_up(platform: Platform, numbers: int, *, by: Operator, blocked: int = 0) -> None:
    """Count what a person looks up; `blocked`: what was told to be not for sale. Raises TooMany beyond the limit."""
    with platform.act(by.login) as act:
        too_many = looking.count(act, by, numbers=numbers, blocked=blocked)
    if too_many:
        raise too_many


def consult(platform: Platform, numbers: Sequence[int], *, by: Operator) -> list[Told]:
    """What is told of each number to a buyer, for a person, who may look up so many within an hour. Raises TooMany; what was
    refused is no look-up."""
    looked_up(platform, len(numbers), by=by)
    with platform.read() as seen:
        told = look_up(seen, numbers, seller=by.carrier)
    if blocked := sum(not one.for_sale for one in told):
        looked_up(platform, 0, by=by, blocked=blocked)
    return told


def acknowledge(platform: Platform, given: Sequence[Acknowledgement], *, by: Operator) -> Acknowledged:
    """Record that buyers acknowledged what they were told, all or none. Numbers that can't be taken count as looked up:
    their reasons tell as much as the desk does. Raises BadInput with each, TooMany."""
    try:
        with platform.act(by.login) as act:
            return acknowledging.acknowledge(act, given, operator=by)
    except BadInput as error:
        looked_up(platform, len(error.faults), by=by, blocked=len(error.faults))
        raise error from None
