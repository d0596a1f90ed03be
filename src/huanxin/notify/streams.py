"""Streams as their receivers manage them (OpenID SSF 1.0, section 8.1): one for each partner."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pyroaring import BitMap

from huanxin.domain.errors import BadRequest, Conflict, NotFound, TooMany
from huanxin.domain.numbers import parse, why_not_a_number
from huanxin.domain.partners import Partner
from huanxin.domain.rules import NewId, random_id
from huanxin.domain.streams import EVENTS_SUPPORTED, MIN_VERIFICATION_INTERVAL, Chosen, Method, Status, Stream
from huanxin.notify.events import stream_updated, verification
from huanxin.notify.wishes import METHODS, Delivery, Wishes
from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet, shard_of
from huanxin.signing.keys import ES256
from huanxin.signing.sealing import seal
from huanxin.store.acting import Act
from huanxin.store.connect import partners
from huanxin.store.database import Tx
from huanxin.store.notify import again, deliveries, streams
from huanxin.store.notify.deliveries import NewDelivery
from huanxin.words.sentences import Sentence

_POLL = Delivery(method=Method.POLL, endpoint=None, authorization=None)
_URNS = {method: urn for urn, method in METHODS.items()}


def configuration(stream: Stream, *, issuer: str, audience: str) -> dict[str, Any]:
    """A stream's configuration as its receiver reads it (section 8.1.1). The Authorization header is kept to ourselves."""
    endpoint = f"{issuer}/ssf/poll" if stream.method == Method.POLL else stream.endpoint
    found: dict[str, Any] = {
        "stream_id": stream.id, "iss": issuer, "aud": audience,
        "delivery": {"method": _URNS[Method(stream.method)], "endpoint_url": endpoint},
        "events_supported": list(EVENTS_SUPPORTED), "events_delivered": stream.events_delivered,
        "min_verification_interval": int(MIN_VERIFICATION_INTERVAL.total_seconds()), "signing_alg": stream.alg,
    }  # fmt: skip
    if stream.events_requested:
        found["events_requested"] = stream.events_requested
    if stream.description:
        found["description"] = stream.description
    return found


def stream_of(tx: Tx, partner: Partner, stream_id: str) -> Stream:
    """A partner's stream by its id. Raises NotFound, for another's as for none."""
    found = streams.of_partner(tx, partner.id)
    if found is None or found.id != stream_id:
        raise NotFound(Sentence("you have no stream of this stream_id; GET the configuration endpoint lists yours"))
    return found


def create(act: Act, partner: Partner, wishes: Wishes, *, passphrase: str, new_id: NewId = random_id) -> Stream:
    """Make a partner's stream. Raises Conflict if it has one."""
    streams.one_at_a_time(act.tx, partner.id)
    if streams.of_partner(act.tx, partner.id):
        raise Conflict(Sentence("you have a stream already; GET it, then PATCH or PUT it, or DELETE it first"))
    wanted = _settled(wishes, before=None, replace=True, passphrase=passphrase)
    made = streams.add(act.tx, wanted, stream_id=new_id("st"), partner_id=partner.id, at=act.now)
    again.afresh(act.tx, partner.id, act.now)
    partners.note(act.tx, partner.id, "stream-created", by=partner.client_id, at=act.now, detail=_noted(made))
    deliveries.wake_workers(act.tx)
    return made


def change(act: Act, partner: Partner, body: Mapping[str, Any], wishes: Wishes, *, replace: bool, passphrase: str) -> Stream:
    """Change what a request names of a stream, or with `replace` all that a receiver may choose.

    Raises NotFound for an unknown stream, BadRequest if a member that is the platform's to choose is not as it is.
    """
    streams.one_at_a_time(act.tx, partner.id)
    before = stream_of(act.tx, partner, str(body.get("stream_id")))
    _same(body, configuration(before, issuer=act.issuer, audience=partner.client_id))
    wanted = _settled(wishes, before=before, replace=replace, passphrase=passphrase)
    streams.change(act.tx, partner.id, wanted)
    after = stream_of(act.tx, partner, before.id)
    if _way(after) != _way(before):
        again.afresh(act.tx, partner.id, act.now)
    partners.note(act.tx, partner.id, "stream-changed", by=partner.client_id, at=act.now, detail=_noted(after))
    deliveries.wake_workers(act.tx)
    return after


_Way = tuple[str, str | None, str | None]
"""method, endpoint, the sealed authorization"""


def _settled(wishes: Wishes, *, before: Stream | None, replace: bool, passphrase: str) -> Chosen:
    """Every member that a receiver chooses, as stored: what is wished, else as before or, to replace, as usual."""
    old = None if replace else before
    delivery = wishes.delivery or (None if old else _POLL)
    if delivery is None:
        assert before is not None
        way = before.method, before.endpoint, before.sealed_authorization
    else:
        way = _stored(delivery, before, passphrase)
    events, description, alg = wishes.events_requested, wishes.description, wishes.alg
    method, endpoint, sealed = way
    return Chosen(
        method=method, endpoint=endpoint, inbox=before.inbox if before and method == Method.FILES else None,
        sealed_authorization=sealed,
        events_requested=events if events is not None else (old.events_requested if old else []),
        description=description if description is not None else (old.description if old else ""),
        alg=alg or (old.alg if old else ES256),
    )  # fmt: skip


def _stored(delivery: Delivery, before: Stream | None, passphrase: str) -> _Way:
    """A delivery as stored. An Authorization header that is not named stays while the endpoint does: a receiver that
    sends back the configuration it read, where the header does not stand, must not lose it."""
    same = before is not None and before.method == delivery.method and before.endpoint == delivery.endpoint
    if delivery.method is Method.FILES and not same:
        raise BadRequest(
            Sentence("folders are chosen with PUT /partner/v1/account/files, or on the partner pages; not here")
        )
    if delivery.method is not Method.PUSH:
        files = before if delivery.method is Method.FILES else None
        return delivery.method, files.endpoint if files else None, files.sealed_authorization if files else None
    sealed = seal(delivery.authorization, passphrase) if delivery.authorization else None
    if delivery.authorization is None and same and before is not None:
        sealed = before.sealed_authorization
    return delivery.method, delivery.endpoint, sealed


def _same(body: Mapping[str, Any], present: Mapping[str, Any]) -> None:
    """Sections 8.1.1.3 and 8.1.1.4: members that are the transmitter's may stand in a request, as they are."""
    for name in ("iss", "aud", "events_supported", "events_delivered", "min_verification_interval"):
        if name in body and _plain(body[name]) != _plain(present[name]):
            raise BadRequest(_unchangeable(name, present[name]))
    delivery = body.get("delivery")
    if isinstance(delivery, dict) and delivery.get("method") == _URNS[Method.POLL] and "endpoint_url" in delivery:
        expected = f"{present['iss']}/ssf/poll"
        if delivery["endpoint_url"] != expected:
            raise BadRequest(_unchangeable("delivery.endpoint_url", expected))


def _unchangeable(name: str, present: object) -> Sentence:
    return Sentence(
        "%(name)s is the platform's to choose and is %(value)s; leave it out or as it is", name=name, value=repr(present)
    )


def _plain(value: Any) -> Any:
    """A value to compare: lists of event types are sets."""
    return sorted(map(str, value)) if isinstance(value, list) else value


def _way(stream: Stream) -> tuple[str | None, ...]:
    """How and where events reach the partner."""
    return stream.method, stream.endpoint, stream.inbox, stream.sealed_authorization


def _noted(stream: Stream) -> dict[str, Any]:
    return {"stream": stream.id, "method": stream.method, "endpoint": stream.endpoint, "events": stream.events_delivered}


def remove(act: Act, partner: Partner, stream_id: str) -> None:
    """Take a stream away; events not taken yet stay, and go out on the partner's next stream. Raises NotFound."""
    streams.one_at_a_time(act.tx, partner.id)
    found = stream_of(act.tx, partner, stream_id)
    streams.remove(act.tx, partner.id)
    partners.note(act.tx, partner.id, "stream-deleted", by=partner.client_id, at=act.now, detail=_noted(found))


def set_status(act: Act, partner: Partner, *, status: Status, reason: str, new_id: NewId = random_id) -> Stream:
    """Give a stream a status. Disabling it gives up what is open. A status that the platform gives (`by` is not the
    partner) is told by a stream-updated event, whatever the status. Raises NotFound."""
    streams.one_at_a_time(act.tx, partner.id)
    found = streams.of_partner(act.tx, partner.id)
    if found is None:
        raise NotFound(Sentence("%(name)s has no stream", name=partner.name))
    streams.set_status(act.tx, partner.id, status=status, reason=reason)
    if status is Status.DISABLED:
        deliveries.drop_open(act.tx, partner.id)
    if status is Status.ENABLED and found.status != status:
        again.afresh(act.tx, partner.id, act.now)
    if act.by != partner.client_id and status != found.status:
        jti = new_id("ev")
        claims = stream_updated(found.id, status=status, reason=reason, audience=partner.client_id, jti=jti, now=act.now)
        _queue(act.tx, partner, claims, subject=found.id, at=act.now, always=True)
    partners.note(act.tx, partner.id, "stream-status", by=act.by, at=act.now, detail={"status": status, "reason": reason})
    deliveries.wake_workers(act.tx)
    return stream_of(act.tx, partner, found.id)


def verify(act: Act, partner: Partner, stream_id: str, *, state: str | None, new_id: NewId = random_id) -> None:
    """Queue a verification event. Raises NotFound, or TooMany before the least interval is over."""
    streams.one_at_a_time(act.tx, partner.id)
    found = stream_of(act.tx, partner, stream_id)
    if found.verified_at and act.now < found.verified_at + MIN_VERIFICATION_INTERVAL:
        wait = _seconds(found.verified_at + MIN_VERIFICATION_INTERVAL - act.now)
        raise TooMany(Sentence("a verification was asked for just now; ask again in %(wait)s seconds", wait=wait), wait)
    streams.set_verified(act.tx, partner.id, act.now)
    send_verification(act, partner, state=state, new_id=new_id)


def send_verification(act: Act, partner: Partner, *, state: str | None = None, new_id: NewId = random_id) -> None:
    """Queue a verification event on a partner's stream, whether or not one was sent just now."""
    found = streams.of_partner(act.tx, partner.id)
    assert found is not None, "the caller has just seen or made it"
    jti = new_id("ev")
    claims = verification(found.id, state=state, audience=partner.client_id, jti=jti, now=act.now)
    _queue(act.tx, partner, claims, subject=jti, at=act.now, kept=found.status != Status.DISABLED)
    deliveries.wake_workers(act.tx)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds()) + 1


def _queue(
    tx: Tx, partner: Partner, claims: dict[str, Any], *, subject: str, at: datetime, always: bool = False, kept: bool = True
) -> None:
    event = next(iter(claims["events"]))
    deliveries.add(
        tx,
        NewDelivery(
            jti=claims["jti"],
            partner_id=partner.id,
            notice_id=None,
            event=event,
            subject=subject,
            claims=claims,
            always=always,
            kept=kept,
        ),
        at=at,
    )


def set_subject(tx: Tx, partner: Partner, stream_id: str, subject: Any, *, wanted: bool) -> None:
    """Put a subject into a stream or take it out: of a number that is out, no identifier-recycled is sent.

    Subjects that can't be in an event here are taken as well and change nothing, so that an answer tells nothing of what
    the platform knows (section 9.1). Raises NotFound for an unknown stream, BadRequest for what is no subject.
    """
    number = _number(subject)
    streams.one_at_a_time(tx, partner.id)
    stream_of(tx, partner, stream_id)
    if number is None:
        return
    shard, place = shard_of(number), BitMap([number % SHARD_SIZE])
    out = streams.excluded(tx, partner.id, [shard]).shards.get(shard, BitMap())
    streams.set_excluded(tx, partner.id, shard, NumberSet({shard: out - place if wanted else out | place}))


def _number(subject: Any) -> int | None:
    """The number of a phone_number subject (RFC 9493, section 3.2.5; `phone` in an example of SSF); None for another."""
    if not isinstance(subject, dict) or not isinstance(subject.get("format"), str):
        raise BadRequest(
            Sentence('subject must be an object such as {"format": "phone_number", "phone_number": "+8613800138000"}')
        )
    if subject["format"] not in ("phone_number", "phone"):
        return None
    text = subject.get("phone_number")
    why = why_not_a_number(text) if isinstance(text, str) else "phone_number is missing"
    if why is not None or not isinstance(text, str):
        raise BadRequest(Sentence("the subject's phone_number can't be read: %(why)s", why=why))
    return parse(text)
