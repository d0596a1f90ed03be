"""Why events can't be taken: the reasons that carriers read, each with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyroaring import BitMap

from huanxin.domain.lifecycle import EVENTS_SAID, Event, SetFact, ShardState
from huanxin.words.sentences import Sentence


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Numbers (within the shard) whose event can't be taken, and why."""

    fact: SetFact
    numbers: BitMap
    reason: str


def stands_again(event: Event) -> Sentence:
    """Why an event is neither known nor taken, and what the carrier can do."""
    return Sentence(
        "%(event)s stands on this day already, with another event in between, and no time of its own says whether it"
        " happened twice; send all events of the number on this day in one file, each with its time",
        event=EVENTS_SAID[event],
    )


def reasons(state: ShardState, fact: SetFact, bad: BitMap, range_owner: str | None) -> Iterator[tuple[BitMap, Sentence]]:
    """Numbers for which an event can't come next, by the one reason that holds for them."""
    event = EVENTS_SAID[fact.event]
    if not bad:
        return
    for (carrier, day), places in state.frozen_on(bad).items():
        yield places, Sentence(
            "%(event)s can't follow: the number was cancelled on %(day)s, as %(carrier)s reported",
            event=event, day=day, carrier=carrier,
        )  # fmt: skip
    for carrier, places in state.in_service.items():
        if here := bad & places:
            yield here, _served(fact, carrier)
    for carrier, places in state.ported.items():
        if here := bad & places:
            yield here, Sentence(
                "%(event)s can't follow: the number was ported out of %(carrier)s; the carrier that took it in reports it"
                " now",
                event=event, carrier=carrier,
            )  # fmt: skip
    if unknown := bad - state.known:
        if fact.carrier != range_owner:
            yield unknown, Sentence(
                "the range belongs to %(owner)s, and no port-out of the number is on record; %(owner)s reports it, or its"
                " ported_out first",
                owner=range_owner,
            )  # fmt: skip
        else:
            yield unknown, Sentence("%(event)s can't come first: no cancellation of the number is on record", event=event)


def _served(fact: SetFact, carrier: str) -> Sentence:
    """Why an event can't follow where a carrier serves the number."""
    event = EVENTS_SAID[fact.event]
    if fact.event is Event.PORTED_IN and fact.carrier != carrier:
        return Sentence(
            "%(event)s can't follow yet: the number is in service at %(carrier)s, which has not reported ported_out; send it"
            " again once it has",
            event=event, carrier=carrier,
        )  # fmt: skip
    return Sentence("%(event)s can't follow: the number is in service at %(carrier)s", event=event, carrier=carrier)
