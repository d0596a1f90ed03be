"""What is made of a sample so that it is nearly what was meant: whoever reads it gets past its first look."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

DEEP = 3000
ODD = [
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udcff",
    "\u202e",
    "\ufeff",
    "\u2028",
    "\x85",
    "'",
    '"',
    "\\",
    "%",
    "%00",
    "%zz",
    "..",
    "../../etc/passwd",
    "<b>",
    "𝟙𝟛𝟠",
    "１３８",
    "٣",
    "²",
    "Ⅷ",
    "👩‍👩‍👧",
    "ﬁ",
    "İ",
    "\x1b[2J",
    "\r\nX: y",
    "=1+1",
    "1e5",
    "1e999",
    "-0",
    "+0",
    "0x10",
    "1_000",
    "NaN",
    "Infinity",
    "-Infinity",
    "null",
    "true",
    "9" * 30,
    "-" + "9" * 30,
    "9" * 5000,
    "a" * 9000,
    "2026-02-30",
    "0000-00-00",
    "9999-12-31T23:59:60Z",
    "2026-11-24T05:08:00+99:99",
    "2026-W07-1",
    "24:00",
    "+8613800138000",
    "8613800138000",
    "13800138000",
    "1.38E+10",
    "http://[::1",
    "http://a:99999/",
    "//",
    "file:///etc/passwd",
    "https://\ud800/",
]
"""Texts that hurt whoever believes that a text is a name, a number, a day or an address."""
NUMBERS = [0, -1, 1, 2**31, 2**32, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 0.5, -0.0, 1e308]
CHARSETS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gb18030", "latin-1", "utf-7", "cp037"]
BYTES = [
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xfe\xff",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\n",
    b"\r",
    b'"',
    b",",
    b"\t",
    b"\x1a",
    b"\x80\x81",
    b"\xff" * 8,
    b"\0" * 64,
    b"[" * DEEP,
    b'{"a":' * DEEP,
    b"9" * 5000,
    b'"' * 999,
    b"," * 999,
]

texts = st.one_of(
    st.sampled_from(ODD), st.text(max_size=30), st.text(st.characters(categories=["Nd", "Cs", "Cf", "Zs"]), max_size=8)
)


@st.composite
def mangled(draw: st.DrawFn, samples: Sequence[bytes], odd: Sequence[bytes] = BYTES) -> bytes:
    """A sample cut, repeated, turned in some bits, spliced with another or with something odd, or in another charset."""
    made = draw(st.sampled_from(samples))
    for how in draw(st.lists(st.sampled_from(sorted(_WAYS)), max_size=4)):
        made = _WAYS[how](draw, made, samples, odd)
    return made[: 1 << 16]


def _place(draw: st.DrawFn, made: bytes) -> int:
    return draw(st.integers(0, len(made)))


def _turned(draw: st.DrawFn, made: bytes, *_: object) -> bytes:
    found = bytearray(made)
    for at in draw(st.lists(st.integers(0, max(len(made) - 1, 0)), min_size=1, max_size=8)):
        if found:
            found[at] ^= draw(st.integers(1, 255))
    return bytes(found)


def _repeated(draw: st.DrawFn, made: bytes, *_: object) -> bytes:
    first, last = sorted((_place(draw, made), _place(draw, made)))
    return made[:first] + made[first:last] * draw(st.sampled_from([0, 2, 3, 50])) + made[last:]


def _spliced(draw: st.DrawFn, made: bytes, samples: Sequence[bytes], _: object) -> bytes:
    other = draw(st.sampled_from(samples))
    return made[: _place(draw, made)] + other[_place(draw, other) :]


def _filled(draw: st.DrawFn, made: bytes, _: object, odd: Sequence[bytes]) -> bytes:
    at = _place(draw, made)
    return made[:at] + draw(st.one_of(st.sampled_from(odd), st.binary(max_size=8))) + made[at:]


def _in_a_charset(draw: st.DrawFn, made: bytes, *_: object) -> bytes:
    return made.decode("utf-8", "replace").encode(draw(st.sampled_from(CHARSETS)), "replace")


_WAYS: dict[str, Callable[..., bytes]] = {
    "turned": _turned,
    "repeated": _repeated,
    "spliced": _spliced,
    "filled": _filled,
    "charset": _in_a_charset,
    "cut": lambda draw, made, *_: made[: _place(draw, made)],
}

scalars = st.one_of(st.none(), st.booleans(), st.sampled_from(NUMBERS), st.integers(), st.floats(), texts)
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)), max_leaves=6
)
"""What JSON can say, and half characters, which Python's reader takes too."""


@st.composite
def altered(draw: st.DrawFn, sample: Any) -> Any:
    """A JSON value with some of its members left out, replaced, repeated or added."""
    made = json.loads(json.dumps(sample))
    for _ in range(draw(st.integers(0, 3))):
        made = _altered(draw, made, draw(st.integers(1, 5)))
    return made


def _altered(draw: st.DrawFn, made: Any, depth: int) -> Any:
    if depth and isinstance(made, dict) and made:
        name = draw(st.sampled_from(sorted(made, key=repr)))
        how = draw(st.sampled_from(("in", "in", "drop", "add")))
        if how == "drop":
            return {key: value for key, value in made.items() if key != name}
        return made | {draw(texts) if how == "add" else name: _altered(draw, made[name], depth - 1)}
    if depth and isinstance(made, list) and made:
        at = draw(st.integers(0, len(made) - 1))
        return [*made[:at], _altered(draw, made[at], depth - 1), *made[at:]]
    return draw(values)


def as_json(value: Any) -> bytes:
    """A value as JSON; half characters as their escapes."""
    return json.dumps(value).encode()


@st.composite
def documents(draw: st.DrawFn, *samples: Any) -> bytes:
    """JSON that is nearly one of the samples, in what it says or in how it is written."""
    written = as_json(draw(altered(draw(st.sampled_from(samples)))))
    return draw(mangled([written])) if draw(st.booleans()) else written
