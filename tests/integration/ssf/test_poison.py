"""Whatever a partner answers, the attempt is on record and the next one waits: it was pushed to a hundred times a second."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from huanxin.store.notify import reminders
from huanxin.work.reminding import Escalator
from ssf_world import Caller, World

DEEP = b"[" * 60_000


class Raw:
    """A server that says exactly these bytes to whatever comes."""

    def __init__(self) -> None:
        self.answer, self.asked = b"", 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/events"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(5)
                head = b""
                while b"\r\n\r\n" not in head:
                    head += caller.recv(65_536)
                self.asked += 1
                caller.sendall(self.answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def raw() -> Iterator[Raw]:
    made = Raw()
    yield made
    made.close()


def said(body: bytes, *, status: bytes = b"400 Bad Request", kind: bytes = b"application/json") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        status, kind, len(body), body,
    )  # fmt: skip


ANSWERS: dict[str, bytes] = {
    "a NUL byte": said(b"no\0pe"),
    "a NUL in JSON": said(b'{"err": "invalid_key", "description": "no\\u0000pe"}'),
    "half a character": said(b'{"err": "invalid_key", "description": "\\ud800"}'),
    "deep JSON": said(DEEP),
    "deep objects": said(b'{"err":' * 20_000),
    "a huge number": said(b'{"err": ' + b"9" * 60_000 + b"}"),
    "charset idna": said(b"x" * 60_000, kind=b"text/plain; charset=idna"),
    "charset punycode": said(b"a-" + b"b" * 60_000, kind=b"text/plain; charset=punycode"),
    "charset utf-7": said(b"+2AA-", kind=b"text/plain; charset=utf-7"),
    "charset undefined": said(b"x", kind=b"text/plain; charset=undefined"),
    "charset zlib": said(b"x", kind=b"text/plain; charset=zlib_codec"),
    "charset unicode_escape": said(b"\\ud800", kind=b"text/plain; charset=unicode_escape"),
    "charset of bytes": said(b"x", kind=b"text/plain; charset=\xff\xfe\x00"),
    "charset of RFC 2231": said(b"x", kind=b"text/plain; charset*=undefined'en'%ff%00"),
    "charset utf-16": said(b"\x00\xd8", kind=b"text/plain; charset=utf-16le"),
    "bytes of no charset": said(bytes(range(256)) * 200),
    "no HTTP": b"\x00\xff\xfe\r\n\r\n",
    "a status of letters": b"HTTP/1.1 abc\r\n\r\n",
    "a status of 99": b"HTTP/1.1 99 x\r\n\r\n",
    "a length of less than nothing": b"HTTP/1.1 400 x\r\nContent-Length: -5\r\n\r\nx",
    "a length that is none": b"HTTP/1.1 400 x\r\nContent-Length: \xb2\r\n\r\nx",
    "chunks that are none": b"HTTP/1.1 400 x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "an endless header": b"HTTP/1.1 400 x\r\nA: " + b"a" * 70_000,
    "a thousand headers": b"HTTP/1.1 400 x\r\n" + b"A: a\r\n" * 1000 + b"\r\n",
    "nothing": b"",
    "switching": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "continue for ever": b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_cant_be_read_is_one_attempt_on_record(world: World, raw: Raw, answer: str) -> None:
    one = world.partner(endpoint=raw.url)
    one.verify()
    raw.answer = ANSWERS[answer]
    (event,) = one.events()
    for attempt in (1, 2):
        assert world.pusher().one_job()
        assert not world.pusher().one_job(), "it waits"
        assert (raw.asked, len(one.attempts(event.jti))) == (attempt, attempt)
        world.clock.forward(minutes=1)
    assert one.events()[0].tries == 2


def test_words_of_a_poll_that_the_database_cant_hold_are_on_record_too(world: World, music: Caller) -> None:
    music.verify()
    (jti,) = music.poll()["sets"]
    body = b'{"maxEvents": 0, "setErrs": {"%s": {"err": "invalid_key", "description": "\\ud800 half"}}}' % jti.encode()
    answer = music.call("POST", "/ssf/poll", content=body)
    assert answer.status_code in (200, 400)
    if answer.status_code == httpx.codes.OK:
        assert "half" in music.attempts(jti)[0].answer


def test_a_login_that_cant_be_opened_any_more_is_an_attempt_on_record(world: World, raw: Raw) -> None:
    """The passphrase was changed: each push failed before it began, again and again."""
    one = world.partner(endpoint=raw.url)
    delivery = {"method": "urn:ietf:rfc:8935", "endpoint_url": raw.url, "authorization_header": "Bearer of theirs"}
    one.call("PATCH", "/ssf/streams", json={"stream_id": one.stream()["stream_id"], "delivery": delivery})
    one.verify()
    with world.live.database.transaction() as tx:
        tx.execute("UPDATE stream SET \"authorization\" = 'sealed with another'")
    assert world.pusher().one_job()
    assert not world.pusher().one_job()
    (event,) = one.events()
    assert "the platform failed" in one.attempts(event.jti)[0].answer


def test_what_the_operators_webhook_answers_is_on_record_whatever_it_is(world: World, raw: Raw) -> None:
    with world.live.database.transaction() as tx:
        tx.execute("INSERT INTO batch (purpose, count, cutoff, answer_by, freeze_days, seen_report, files, planned_by,"
                   " planned_at) VALUES ('renewal', 1, now(), now(), 90, 0, '{}', 'li', now())")  # fmt: skip
        reminders.add_escalation(tx, batch_id=1, body={"kind": "answers-late"}, at=world.clock())
    raw.answer = ANSWERS["a NUL byte"]
    with httpx.Client() as client:
        job = Escalator(platform=world.live, client=client, url=raw.url)
        assert job.one_job()
        assert not job.one_job()
    assert raw.asked == 1
