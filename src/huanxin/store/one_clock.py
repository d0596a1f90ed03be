"""The one clock by which everything is judged: the database's, as a process carries it on between two looks at it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import psycopg

from huanxin.domain.clock import APART, Clock, system_clock
from huanxin.domain.errors import BadSetting, ClockInDoubt
from huanxin.store import clocks
from huanxin.store.clocks import SureTime
from huanxin.store.database import Database, Tx
from huanxin.store.server import outages
from huanxin.words.sentences import Sentence

DRIFT = 0.0005
"""What two good clocks may come apart in a second, beside that."""
LONGEST_PAUSE = timedelta(days=1)
"""How long nothing may have been seen of the clock before a person has to look at it, where nobody counted how long."""
LONGEST_KNOWN_PAUSE = timedelta(days=30)
"""The same where the machine has run all the time, and counted."""
_EVERY = 30.0  # seconds between looks
_AGAIN = 1.0  # the same for who wants to decide while the clock is in doubt: once it is right, nobody waits longer


class OneClock:
    """Gives the database's time. It is read at the start and every half minute, and carried on by the seconds since the
    machine started, which nobody can set: a clock that is put ahead or back meanwhile changes nothing that this process
    does.

    `sure` is for what can't be taken back: it refuses while the clock is in doubt. `own` is the clock of this machine,
    `elapsed` gives its seconds since `boot`.
    """

    def __init__(
        self, database: Database, *, own: Clock = system_clock, elapsed: Callable[[], float] | None = None,
        boot: str | None = None,
    ) -> None:  # fmt: skip
        self._database, self._own = database, own
        self._elapsed, self._boot = elapsed or since_boot, boot or this_boot()
        self._looking, self._ending = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="clock", daemon=True)
        self._doubt: Sentence | None = None
        with database.transaction() as tx:
            told, counted = clocks.database_clock(tx), self._elapsed()
            self._confirmation, self._looked_at = told.confirmation, counted
            expected = told.at if told.simulated else self._expected(tx, told.at, counted)
        self._known, self._begun_well = (expected, counted), expected == told.at
        self.look()

    def __call__(self) -> datetime:
        at, counted = self._known
        return at + timedelta(seconds=self._elapsed() - counted)

    def __enter__(self) -> OneClock:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(1)

    @property
    def doubt(self) -> Sentence | None:
        """Why nothing may be decided by this clock, if so."""
        return self._doubt

    def sure(self, within: float = 2 * _EVERY) -> datetime:
        """Now, by a clock that was looked at within so many seconds. Raises ClockInDoubt."""
        if self._elapsed() - self._looked_at > (within if self._doubt is None else min(within, _AGAIN)):
            self.look()
        if self._doubt is not None:
            raise ClockInDoubt(self._doubt)
        return self()

    def look(self) -> None:
        """Compare the clocks, and go by the database's if it says what it should."""
        with self._looking, self._database.transaction() as tx:
            before = self._elapsed()
            told, self._looked_at = clocks.database_clock(tx), self._elapsed()
            slack = APART + timedelta(seconds=self._looked_at - before)
            jumped = told.confirmation == self._confirmation and _apart(told.at, self(), slack)
            if jumped and not self._begun_well:  # what it is compared with may be the last that was seen, long ago
                jumped = self._expected(tx, told.at, self._looked_at) != told.at
            doubt = None
            if told.simulated:
                jumped = False
            elif _apart(told.at, self._own(), slack):
                doubt = _two_clocks(self._own(), told.at)
            elif jumped:
                doubt = _jumped(told.at, self())
            else:
                clocks.note_seen(tx, self._boot, at=told.at, elapsed=self._looked_at)
            if not jumped:
                self._known, self._confirmation = (told.at, self._looked_at), told.confirmation
                self._begun_well = True
        self._doubt = doubt
        if doubt is not None:
            outages.noted(ClockInDoubt(doubt))

    def _expected(self, tx: Tx, at: datetime, counted: float) -> datetime:
        return _expected(at, counted, clocks.seen(tx, self._boot), tx)

    def confirm(self, *, reason: str, by: str) -> tuple[datetime, datetime]:
        """Record that a person says that the database's clock is right; what it says, and what it should have said. Raises
        ClockInDoubt if this machine's says something else: then one of them has to be set."""
        with self._database.transaction() as tx:
            at, expected = clocks.database_clock(tx).at, self()
            if _apart(at, self._own(), APART):
                raise ClockInDoubt(_two_clocks(self._own(), at))
            clocks.confirm(tx, self._boot, at=at, expected=expected, elapsed=self._elapsed(), reason=reason, by=by)
        self.look()
        return at, expected

    def _watch(self) -> None:
        while not self._ending.wait(_EVERY):
            try:
                self.look()
            except psycopg.Error as error:
                outages.noted(error)


def sure(clock: Clock, within: float = 2 * _EVERY) -> datetime:
    """Now, for what can't be taken back. Raises ClockInDoubt. A simulated clock is always sure."""
    return clock.sure(within) if isinstance(clock, OneClock) else clock()


def may_be_simulated(database: Database) -> None:
    """Raise BadSetting if a database isn't one on which a process may come with a clock of its own."""
    with database.single() as tx:
        if not clocks.database_clock(tx).simulated:
            raise BadSetting(
                "this database was not made for simulated clocks; what is decided on it goes by its own time alone"
            )


def since_boot() -> float:
    """Seconds since this machine started, the time that it slept included; nobody can set them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def this_boot() -> str:
    """What names this start of this machine, as long as it runs; something of this process alone where nothing does."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"process-{uuid.uuid4()}"


def _expected(at: datetime, counted: float, last: SureTime, tx: Tx) -> datetime:
    """What the database's clock should say instead of `at`: that, unless it can't be. Time never runs back; how far it has
    run on is known where this machine has counted since, and else believed for a day."""
    newest = max(filter(None, (last.at, clocks.newest_fact(tx))))
    gone = timedelta(seconds=counted - last.elapsed) if last.elapsed is not None and counted >= last.elapsed else None
    if gone is not None and gone <= LONGEST_KNOWN_PAUSE:
        return at if not _apart(at, last.at + gone, APART + gone * DRIFT) else last.at + gone
    return at if newest - APART <= at <= newest + LONGEST_PAUSE else newest


def _apart(one: datetime, other: datetime, most: timedelta) -> bool:
    return abs(one - other) > most


def _two_clocks(own: datetime, database: datetime) -> Sentence:
    return Sentence(
        "this machine's clock says %(own)s and the database's %(database)s; nothing is planned, released or signed until "
        "they agree within a minute. Let the network set both (NTP)",
        own=_moment(own), database=_moment(database),
    )  # fmt: skip


def _jumped(now: datetime, expected: datetime) -> Sentence:
    return Sentence(
        "the clock says %(now)s, and by what was seen of it before it should be about %(expected)s; nothing is planned, "
        "released or signed until it is. If the clock is right, say so with `huanxin clock confirm`",
        now=_moment(now), expected=_moment(expected),
    )  # fmt: skip


def _moment(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
