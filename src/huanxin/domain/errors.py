"""The kinds of error, each mapped once to an HTTP status (web/problems.py) and once to an exit code (cli/main.py).

A message says what happened, to which line or number (masked), and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huanxin.words.sentences import Sentence


class HuanxinError(Exception):
    """Something that a person can mend; its text is shown to that person."""

    code = "error"

    @property
    def said(self) -> str:
        """What it says: a Sentence (huanxin.words.sentences) wherever a page shows it, plain English elsewhere."""
        said: str = self.args[0] if self.args else ""
        return said


class NotFound(HuanxinError):
    """What was named does not exist, or is not the caller's to see."""

    code = "not-found"


class Conflict(HuanxinError):
    """The call contradicts a recorded fact."""

    code = "conflict"


class Unauthorized(HuanxinError):
    """Who calls is not known: the credentials are missing, wrong or expired."""

    code = "unauthorized"


class Forbidden(HuanxinError):
    """Who calls is known and may not do this."""

    code = "forbidden"


class LacksScope(Forbidden):
    """The access token is good but does not allow this (RFC 6750, section 3.1); `scope` would."""

    def __init__(self, message: str, scope: str) -> None:
        super().__init__(message)
        self.scope = scope


class BadSetting(HuanxinError):
    """A setting is missing or can't be used."""

    code = "setting"


class BadRequest(HuanxinError):
    """The call itself is malformed."""

    code = "bad-request"


class UnsupportedForm(HuanxinError):
    """The content type or encoding is not one that is read here."""

    code = "unsupported-form"


class TooLarge(HuanxinError):
    """The input is larger than what is taken in one piece."""

    code = "too-large"


class TooSlow(HuanxinError):
    """The input came too slowly, or stopped coming."""

    code = "too-slow"


class TooMany(HuanxinError):
    """The caller asked too often; `retry_after` is the seconds to wait before the next try."""

    code = "too-many"

    def __init__(self, message: str, retry_after: int = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(HuanxinError):
    """Something outside that is needed, like the gateway for SMS, does not answer."""

    code = "unavailable"


class ClockInDoubt(Unavailable):
    """What can't be taken back waits until the clock is right, or somebody says that it is."""

    code = "clock"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One bad line of an input: `line` counts from 1, the header included; 0 means the whole input."""

    line: int
    reason: str
    text: str = ""


class BadInput(HuanxinError):
    """An input was refused whole. `faults` are its bad lines, in order; nothing of it was taken. `kinds`: the same in fewer,
    where many are alike."""

    code = "bad-input"

    def __init__(
        self, message: str, faults: Sequence[Fault] = (), total: int | None = None, *, kinds: Sequence[Fault] = ()
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.faults = tuple(faults)
        self.total = len(self.faults) if total is None else total
        self.kinds = tuple(kinds) or self.faults


def unreadable(name: str, reason: str, line: int = 0) -> BadInput:
    """A file called `name` that is refused as a whole: its `line`, where that can be named, is part of the sentence."""
    if line:
        return BadInput(Sentence("%(name)s, line %(line)s: %(reason)s", name=name, line=line, reason=reason))
    return BadInput(Sentence("%(name)s: %(reason)s", name=name, reason=reason))


MOST_FAULTS = 100_000
"""Bad lines that a file is read for: nobody mends more by hand, and each takes a thousand bytes of memory."""


def stop_at(most: int | None, faults: Sequence[Fault], *, name: str) -> None:
    """Raise BadInput once a file called `name` has more bad lines than are read for."""
    if most is not None and len(faults) > most:
        raise BadInput(
            Sentence(
                "%(name)s: more than %(most)s lines can't be taken, so none was, and reading ended there; look at how the"
                " file was made, the first of them say what is wrong",
                name=name, most=f"{most:,}",
            ),
            faults[:most],
        )  # fmt: skip
