"""Everything that happened in one history, in plain lists and dicts, and nothing that could be derived from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from oracle.histories import Histories, Line, Said

Number = int
NEVER = datetime(1, 1, 1, tzinfo=UTC)
Answer = tuple[str, str, date | None]
"""outcome, reason, until"""


@dataclass(eq=False)
class Partner:
    """Whoever holds ties. `way`: poll, push or files; `asks`: whether it wants to hear of every number with a new owner."""

    key: int
    name: str
    required: bool
    way: str
    asks: bool
    added_at: datetime
    status: str = "enabled"
    withdrawn: bool = False
    told: list[Told] = field(default_factory=list)
    """every event that was made for it, in order"""
    recycled: list[Recycled] = field(default_factory=list)
    received: list[tuple[str, object]] = field(default_factory=list)
    """what it took, in the order in which it came: event, and the key of what it is about"""

    @property
    def waiting(self) -> list[Told | Recycled]:
        """What it was not given yet."""
        everything: list[Told | Recycled] = [*self.told, *self.recycled]
        return [one for one in everything if one.state == "open"]


@dataclass(eq=False)
class Told:
    """One event for one partner. `about`: the batch, retraction or order; `state`: `open` until the partner took it, or
    `dropped` since its stream was disabled."""

    event: str
    about: object
    at: datetime
    state: str = "open"
    tried: set[date] = field(default_factory=set)
    """the days on which it was tried in vain"""


@dataclass(eq=False)
class Recycled:
    """A number with a new owner, of which one partner is told: since the beginning of which day, at which carrier."""

    number: Number
    day: date
    carrier: str
    state: str = "open"


@dataclass(eq=False)
class Hold:
    key: int
    numbers: frozenset[Number]
    until: date
    placed_at: datetime
    order: str
    lifted_at: datetime | None = None

    @property
    def lifted(self) -> bool:
        return self.lifted_at is not None


@dataclass(eq=False)
class Filed:
    """A receipt that was taken. `content`: as its partner sent it; `said`: what of it was news."""

    key: str
    idempotency: str
    content: dict[Number, Answer]
    said: dict[Number, Answer]
    complete: bool
    at: datetime


@dataclass(eq=False)
class Waived:
    """A decision to go on without one partner's answer for some numbers."""

    numbers: frozenset[Number]
    at: datetime
    withdrawn: bool = False


@dataclass(eq=False)
class Notice:
    """What one partner was told for one batch, and what it and operators said since, in the order in which they did."""

    partner: Partner
    required: bool
    sent_at: datetime
    answer_by: datetime
    entries: list[Filed | Waived] = field(default_factory=list)
    refused: set[Number] = field(default_factory=set)
    """numbers that stood in a receipt that was refused"""
    parts: dict[int, Part] = field(default_factory=dict)
    """of a partner that answers by files"""
    looked: set[str] = field(default_factory=set)
    """when it was looked whether the answer is missing"""
    reminded: int = 0
    escalated_at: datetime | None = None


@dataclass(eq=False)
class Part:
    """A numbered receipt in a folder. `bad`: a line of it can't be read; `miscounted`: its manifest says another number of
    lines; `state`: waiting, taken or refused."""

    number: int
    said: dict[Number, Answer]
    complete: bool
    replaces: frozenset[int]
    bad: bool
    state: str = "waiting"
    miscounted: bool = False


@dataclass(eq=False)
class Report:
    """A file as it was sent, or a mend of what files said. `nth`: by which its content is another than that of a file which
    says the same. `day`: of a baseline, on which it came."""

    key: int
    carrier: str
    lines: list[Line]
    nth: int
    kind: str = "report"
    withdrawn: bool = False
    day: date | None = None


@dataclass(eq=False)
class Batch:
    """Numbers that are renewed together. `stands_on`: the cancellation of each that it was planned for, or that was put in
    its place; `before`: those in whose place one was put."""

    key: int
    stands_on: dict[Number, Said]
    planned_at: datetime
    answer_by: datetime
    freeze: int
    before: dict[Number, list[Said]] = field(default_factory=dict)
    notices: dict[int, Notice] = field(default_factory=dict)
    retractions: list[Retraction] = field(default_factory=list)
    released: dict[Number, frozenset[int]] = field(default_factory=dict)
    """what was released, with the partners that had been told of it by then"""
    released_under: dict[Number, int] = field(default_factory=dict)
    """the freeze that had ended"""
    released_at: dict[Number, datetime] = field(default_factory=dict)
    objections: list[tuple[datetime, Notice, Number]] = field(default_factory=list)
    """what partners said of numbers after their release: when, to which notice"""

    @property
    def asked(self) -> list[Batch | Retraction]:
        """What partners are asked about it: to cut ties, and to restore those of what was taken back."""
        return [self, *self.retractions]


@dataclass(eq=False)
class Retraction:
    """Numbers taken back from a batch. `ordered`: for good, by an operator or (`mended`) since what the batch stood on was
    wrong; else since they were reclaimed."""

    key: int
    batch: Batch
    numbers: frozenset[Number]
    ordered: bool
    answer_by: datetime
    at: datetime
    mended: bool = False
    notices: dict[int, Notice] = field(default_factory=dict)


@dataclass(eq=False)
class Proposal:
    key: int
    kind: str
    batch: Batch
    partner: Partner | None
    numbers: frozenset[Number]
    by: str
    seen: int
    """how many entries the partner's notice had when it was made"""
    ended: bool = False


@dataclass(eq=False)
class Disclosure:
    """A buyer saw what is known of a number. `closed_on`: when the tenure before ended; None: nobody had it."""

    key: str
    number: Number
    carrier: str
    closed_on: date | None
    evidence: str
    at: datetime
    shown: str
    withdrawn: bool = False


@dataclass(eq=False)
class Order:
    """What an owner ordered, and which tenure of the day on which it began was theirs; answers by partner, as they came, and
    when each was told. `off`: called off at these; `taken_back`: it went by a wrong day. `look_at`: when somebody looks
    whether it has ended, or tells the owner; then it is `over`."""

    key: str
    purpose: str
    number: Number
    opened_on: date | None
    of_day: int
    carrier: str
    cutoff: datetime
    at: datetime
    answer_by: datetime
    answers: dict[int, list[tuple[str, datetime, date | None]]]
    look_at: datetime
    keys: dict[tuple[int, str], tuple[str, date | None]] = field(default_factory=dict)
    """what a partner answered under which Idempotency-Key"""
    told_at: dict[int, datetime] = field(default_factory=dict)
    folders: dict[int, Notice] = field(default_factory=dict)
    """what partners that exchange files wrote in answer to it"""
    off: set[int] = field(default_factory=set)
    taken_back: bool = False
    done_at: datetime | None = None
    over: bool = False


@dataclass(eq=False)
class Certificate:
    key: str
    number: Number
    opened_on: date
    before: str
    issued_at: datetime
    expires_at: datetime
    revoked: str = ""


@dataclass
class Rules:
    freeze: int = 90
    lead: int = 15
    answer_days: int = 5
    certificate_days: int = 180
    cool_down: timedelta = timedelta(days=1)


@dataclass
class World:
    now: datetime
    histories: Histories
    rules: Rules = field(default_factory=Rules)
    first_report_at: datetime | None = None
    reminded_at: datetime = NEVER
    """when a worker last looked who is to be reminded"""
    reports: list[Report] = field(default_factory=list)
    partners: list[Partner] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    called_off: list[Batch] = field(default_factory=list)
    """batches of which nobody was told; what is on record of them stays so"""
    proposals: list[Proposal] = field(default_factory=list)
    disclosures: list[Disclosure] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    breaches: Counter[tuple[str, Number]] = field(default_factory=Counter)
    messages: list[tuple[Number, str, int, int]] = field(default_factory=list)
    """SMS to owners: number, order, services that are done, those that need them"""

    @property
    def there(self) -> list[Partner]:
        """Partners that were not withdrawn."""
        return [one for one in self.partners if not one.withdrawn]

    def told_of_numbers(self) -> str:
        """Each number's events and batches in a line, for whoever reads why a history failed."""
        lines = []
        for number, events in self.histories.items():
            said = ", ".join(f"{one.event} {one.at or one.day} by {one.carrier}" for one in events)
            mine = [
                f"batch {one.key} for {one.stands_on[number].day}{' released' * (number in one.released)}"
                for one in self.batches if number in one.stands_on
            ]  # fmt: skip
            lines.append(f"{number}: {said}; {', '.join(mine) or 'in no batch'}")
        return "\n".join(lines)
