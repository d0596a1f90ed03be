"""What the report of a demo run shows, as plain values. Numbers of people come masked (`138****8000`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from huanxin.figures.batch_body import GateCounts, PartnerRow
from huanxin.words.saying import Text


@dataclass(frozen=True, kw_only=True)
class KeyFigures:
    """The run in counts. `numbers` were in the reports; `noticed` of them were in the batch, so `pairs` is `noticed`
    times `partners`. The three counts of wrong come from the audit, which shares nothing with the gate."""

    numbers: int
    noticed: int
    partners: int
    pairs: int
    ties_before: int
    ties_cut: int
    ties_kept: int
    wrongly_cut: int
    stale_left: int
    refused: int
    pending: int
    waived: int
    held: int
    reclaimed: int
    released: int
    released_unclear: int
    seconds: float
    peak_rss_mb: float
    database_mb: float

    @property
    def wrong(self) -> int:
        return self.wrongly_cut + self.stale_left + self.released_unclear


@dataclass(frozen=True, kw_only=True)
class Landing:
    """What a login by SMS code landed in: `fresh` for a new account, else the account of `owner`."""

    account: str
    owner: Text
    fresh: bool


@dataclass(frozen=True, kw_only=True)
class LoginStory:
    """The same login at the same partner, before and after renewal."""

    partner: Text
    number: str
    """masked"""
    before: Landing
    after: Landing


@dataclass(frozen=True, kw_only=True)
class PartnerStory:
    """One partner of the demo: its counts, how it behaves (a key of labels.BEHAVIOURS, or a text), what happened."""

    row: PartnerRow
    behaviour: Text
    happened: Text = ""


@dataclass(frozen=True, kw_only=True)
class SellableDay:
    """Numbers of the batch that are clear but for the freeze, by the day from which they may be sold."""

    day: date
    numbers: int


@dataclass(frozen=True, kw_only=True)
class TimedStep:
    """One step of the run and the seconds it took."""

    name: Text
    seconds: float


@dataclass(frozen=True, kw_only=True)
class RuleLine:
    """One rule of `gate explain`: `state` is passes, fails or waits."""

    rule: Text
    state: str
    fact: Text = ""


@dataclass(frozen=True, kw_only=True)
class Explained:
    """One number, explained: `clear` or not, and rule by rule why. `number` is masked."""

    number: str
    clear: bool
    verdict: Text
    rules: tuple[RuleLine, ...]

    @property
    def tone(self) -> str:
        """clear; fails if a rule does; else it only waits."""
        if self.clear:
            return "clear"
        return "fails" if any(line.state == "fails" for line in self.rules) else "waits"


@dataclass(frozen=True, kw_only=True)
class ImportRow:
    """One report file: lines by fate, and why lines were rejected, each reason with its count."""

    file: str
    carrier: str
    """a key of labels.CARRIERS, or a name"""
    accepted: int
    duplicate: int = 0
    rejected: int = 0
    reasons: tuple[tuple[Text, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """Everything the report of one demo run shows."""

    made_at: datetime
    today: date
    seed: int
    figures: KeyFigures
    login: LoginStory | None
    gate: GateCounts
    partners: tuple[PartnerStory, ...] = ()
    sellable_already: int = 0
    """numbers clear whose freeze has ended: those released, and those that may be"""
    sellable: tuple[SellableDay, ...] = ()
    steps: tuple[TimedStep, ...] = ()
    explained: tuple[Explained, ...] = ()
    imports: tuple[ImportRow, ...] = ()
