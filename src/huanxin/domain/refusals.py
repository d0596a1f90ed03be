"""Why events can't be taken: the reasons that carriers read, each with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pyroaring import BitMap

from huanxin.domain.lifecycle import EVENTS_SAID, Event, SetFact, ShardState
from huanxin.words.sentences import Sentence


class Cause(StrEnum):
    """What is wrong with a file of which many lines fail alike."""

    OTHERS = "others"
    """the numbers are another carrier's"""
    BEFORE = "before"
    """it follows on what no report told"""
    ORDER = "order"
    """it contradicts what is on record"""
    DOUBT = "doubt"
    """without times nobody can tell"""
    SINGLE = "single"
    """nothing that many lines share"""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Numbers (within the shard) whose event can't be taken, and why. `whose`: the carrier that has them by the record."""

    fact: SetFact
    numbers: BitMap
    reason: str
    cause: Cause = Cause.SINGLE
    whose: str = ""


@dataclass(frozen=True, kw_only=True)
class Why:
    """Why an event can't be taken: the words, what is behind it where many are, and whose the number is by the record."""

    reason: Sentence
    cause: Cause = Cause.SINGLE
    whose: str = ""


def stands_again(event: Event) -> Sentence:
    """Why an event is neither known nor taken, and what the carrier can do."""
    return Sentence(
        "%(event)s stands on this day already, with another event in between, and no time of its own says whether it"
        " happened twice; send all events of the number on this day in one file, each with its time",
        event=EVENTS_SAID[event],
    )


def reasons(
    state: ShardState, fact: SetFact, bad: BitMap, range_owner: str | None
) -> Iterator[tuple[BitMap, Why]]:  # fmt: skip
    """Numbers for which an event can't come next, by the one reason that holds for them."""
    event = EVENTS_SAID[fact.event]
    for (carrier, day), places in state.frozen_on(bad).items():
        reason = Sentence(
            "%(event)s can't follow: the number was cancelled on %(day)s, as %(carrier)s reported",
            event=event, day=day, carrier=carrier,
        )  # fmt: skip
        yield places, _why(fact, reason, carrier)
    for carrier, places in state.in_service.items():
        if here := bad & places:
            yield here, _served(fact, carrier)
    for carrier, places in state.ported.items():
        if here := bad & places:
            reason = Sentence(
                "%(event)s can't follow: the number was ported out of %(carrier)s; the carrier that took it in reports it"
                " now",
                event=event, carrier=carrier,
            )  # fmt: skip
            yield here, Why(reason=reason, cause=Cause.ORDER)
    if unknown := bad - state.known:
        yield unknown, _unknown(fact, range_owner)


def _why(fact: SetFact, reason: Sentence, carrier: str) -> Why:
    return Why(reason=reason, cause=Cause.ORDER if carrier == fact.carrier else Cause.OTHERS, whose=carrier)


def _unknown(fact: SetFact, range_owner: str | None) -> Why:
    """Why an event can't come first."""
    if fact.carrier == range_owner:
        reason = Sentence(
            "%(event)s can't come first: no cancellation of the number is on record", event=EVENTS_SAID[fact.event]
        )
        return Why(reason=reason, cause=Cause.BEFORE)
    reason = Sentence(
        "the range belongs to %(owner)s, and no port-out of the number is on record; %(owner)s reports it, or its"
        " ported_out first",
        owner=range_owner,
    )  # fmt: skip
    return Why(reason=reason, cause=Cause.OTHERS, whose=range_owner or "")


def _served(fact: SetFact, carrier: str) -> Why:
    """Why an event can't follow where a carrier serves the number."""
    event = EVENTS_SAID[fact.event]
    if fact.event is Event.PORTED_IN and fact.carrier != carrier:
        reason = Sentence(
            "%(event)s can't follow yet: the number is in service at %(carrier)s, which has not reported ported_out; send it"
            " again once it has",
            event=event, carrier=carrier,
        )  # fmt: skip
        return Why(reason=reason)
    reason = Sentence("%(event)s can't follow: the number is in service at %(carrier)s", event=event, carrier=carrier)
    return _why(fact, reason, carrier)
