"""What the demo says at its end: counts for programs, a table for people, the report with charts."""

from __future__ import annotations

import resource
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.table import Table

from huanxin.demo.audit import Audit
from huanxin.demo.job import OPERATOR, DemoPartner, Job
from huanxin.domain.answers import Outcome
from huanxin.domain.errors import Fault
from huanxin.domain.lifecycle import sellable_from
from huanxin.domain.numbers import masked
from huanxin.figures.batch_figures import gate_counts, partner_row
from huanxin.release.explain import explain
from huanxin.release.gate import LoadedGate
from huanxin.store.database import Tx
from huanxin.terminal import Terminal, led
from huanxin.web.pages.labels import REASONS
from huanxin.web.pages.report_data import (
    DemoReport,
    Explained,
    ImportRow,
    KeyFigures,
    Landing,
    LoginStory,
    PartnerStory,
    RuleLine,
    SellableDay,
    TimedStep,
)
from huanxin.words.saying import Words
from huanxin.words.sentences import N_, Sentence

_EXPLAINED = 3
_STEPS = {
    "world": N_("make a world"), "partners": N_("start the partners"), "report": N_("import the reports"),
    "wait for partners": N_("wait for the partners"), "plan": N_("plan the batch"),
    "notify and answer": N_("notify, and take the answers"), "retract": N_("take numbers back"),
    "waive and release": N_("waive and release"), "open again": N_("open numbers again"), "audit": N_("audit"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Everything that the summary is made from, after the last step."""

    job: Job
    loaded: LoadedGate
    audit: Audit
    seconds: float
    database_mb: float

    def json(self) -> dict[str, Any]:
        """The counts, as the last line of `--json`."""
        f = self.figures()
        before, after = self.job.story.logins
        return {
            "numbers": f.numbers,
            "noticed": f.noticed,
            "partners": f.partners,
            "pairs": f.pairs,
            "ties_before": f.ties_before,
            "ties_cut": f.ties_cut,
            "ties_kept": f.ties_kept,
            "wrongly_cut": f.wrongly_cut,
            "stale_left": f.stale_left,
            "refused": f.refused,
            "pending": f.pending,
            "waived": f.waived,
            "held": f.held,
            "reclaimed": f.reclaimed,
            "released": f.released,
            "released_unclear": f.released_unclear,
            "seconds": f.seconds,
            "peak_rss_mb": f.peak_rss_mb,
            "database_mb": f.database_mb,
            "restarts": self.job.servers.restarts,
            "recycled_events": self.job.story.recycled_events,
            "steps": {k: round(v, 2) for k, v in self.job.story.seconds.items()},
            "wrong": self.audit.samples,
            "login": {
                "number": masked(self.job.world.singer_number),
                "before": before["owner"],
                "after": after["owner"],
                "fresh": after["fresh"],
            },
        }

    def figures(self) -> KeyFigures:
        gate = self.loaded.gate
        by_outcome: Counter[Outcome] = Counter()
        for standing in gate.standings.values():
            for answer, places in standing.answers.items():
                by_outcome[answer.outcome] += len(places)
        noticed, asked = len(gate.everyone), len(self.job.partners)
        return KeyFigures(
            numbers=len(self.job.world.truth.number), noticed=noticed, partners=asked, pairs=noticed * asked,
            ties_before=self.audit.ties_before, ties_cut=self.audit.ties_cut, ties_kept=self.audit.ties_kept,
            wrongly_cut=self.audit.wrongly_cut, stale_left=self.audit.stale_left, refused=by_outcome[Outcome.REFUSED],
            pending=by_outcome[Outcome.PENDING], waived=self.job.story.waived, held=len(self.job.world.holds.numbers),
            reclaimed=sum(batch.count for batch in self.job.story.retractions), released=self.audit.released,
            released_unclear=self.audit.released_unclear, seconds=round(self.seconds, 1), peak_rss_mb=round(self._peak(), 1),
            database_mb=round(self.database_mb, 1),
        )  # fmt: skip

    def _peak(self) -> float:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
        serving = next((one.peak_mb for one in self.job.servers.all if one.name == "huanxin serve"), 0.0)
        return max(own, serving)

    def report(self, tx: Tx, today: date) -> DemoReport:
        """The values of the HTML report."""
        gate, story = self.loaded.gate, self.job.story
        renewed = gate.renewed()
        by_day: Counter[date] = Counter()
        for (_, closed_on), places in gate.spans.items():
            by_day[sellable_from(closed_on, gate.freeze_days)] += len(places & renewed)
        before, after = story.logins
        music = next(one for one in self.job.partners if one.spec.behaviour == "music")
        return DemoReport(
            made_at=self.job.platform.now(), today=today, seed=self.job.world.seed, figures=self.figures(),
            login=LoginStory(partner=_name(music), number=masked(self.job.world.singer_number), before=_login(before),
                             after=_login(after)),
            gate=gate_counts(self.loaded),
            partners=tuple(self._partner(one) for one in self.job.partners),
            sellable_already=sum(count for day, count in by_day.items() if day <= today),
            sellable=tuple(SellableDay(day=day, numbers=by_day[day]) for day in sorted(by_day) if day > today),
            steps=tuple(TimedStep(name=_STEPS[name], seconds=round(spent, 2)) for name, spent in story.seconds.items()),
            explained=tuple(self._explained(tx)), imports=tuple(self._imports()),
        )  # fmt: skip

    def _partner(self, one: DemoPartner) -> PartnerStory:
        row = partner_row(self.loaded, one.partner.id, _name(one))
        return PartnerStory(row=row, behaviour=one.spec.behaviour)

    def _explained(self, tx: Tx) -> list[Explained]:
        """One number that was released, one that a refusal keeps, one that was reclaimed."""
        gate = self.loaded.gate
        refused = next((s.unsettled() for s in gate.standings.values() if s.unsettled()), gate.everyone)
        found = []
        for places in (gate.released, refused - gate.retracted_places(), gate.retracted_places() - gate.released):
            if places:
                number = int(self.loaded.roster.numbers[places[0]])
                on = self.job.platform
                why = explain(on.within(tx), number)
                rules = [
                    RuleLine(rule=one.rule, state="passes" if one.ok else "fails", fact=_worded(one.text))
                    for one in why.findings
                ]
                said = N_("released") if why.released else N_("clear") if why.clear else N_("not clear")
                found.append(Explained(number=why.number, clear=why.clear, verdict=said, rules=tuple(rules)))
        return found[:_EXPLAINED]

    def _imports(self) -> list[ImportRow]:
        return [
            ImportRow(
                file=file.path.name, carrier=file.carrier, accepted=0 if done.imported.already else done.imported.accepted,
                duplicate=done.imported.lines if done.imported.already else done.imported.known,
                rejected=len(done.imported.faults),
                reasons=_reasons(done.imported.faults),
            )
            for file, done in self.job.story.imports
        ]  # fmt: skip


def _reasons(faults: Sequence[Fault]) -> tuple[tuple[str, int], ...]:
    """Why lines were rejected, the most frequent first: of each kind the first reason in full."""
    kinds = Counter(_kind(fault.reason) for fault in faults)
    first = {_kind(fault.reason): fault.reason for fault in reversed(faults)}
    return tuple((first[kind], count) for kind, count in kinds.most_common(8))


def _kind(reason: str) -> str:
    return reason.split(":")[0].split(";")[0][:90]


def _worded(text: str) -> str:
    """The same with a refusal's reason in words."""
    if isinstance(text, Sentence) and (known := REASONS.get(str(text.values.get("reason")))):
        return Sentence(text.template, **{**text.values, "reason": Sentence(known)})
    return text


def _name(one: DemoPartner) -> Words:
    return Words(zh=one.spec.zh_name, en=one.spec.name)


def _login(answer: dict[str, object]) -> Landing:
    owner = str(answer["owner"])
    words = Words(zh=owner, en="a new user" if answer["fresh"] else "singer A-Lan (deceased)")
    return Landing(account=f"#{answer['account']}", owner=words, fresh=bool(answer["fresh"]))


def print_summary(out: Terminal, told: dict[str, Any], report: Path) -> None:
    """The terminal's summary of `Counted.json`: what happened, the three counts of wrong, where things are."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right", style="bold")
    for name, words in (
        ("numbers", "numbers in the carriers' reports 号码"),
        ("noticed", f"due and noticed to {told['partners']} partners: {told['pairs']:,} pairs 批次"),
        ("ties_cut", f"ties cut of {told['ties_before']:,} 解绑"),
        ("ties_kept", "ties made after the cut-off, kept 保留"),
        ("refused", "refused, with a reason 拒绝"),
        ("waived", f"waived by {OPERATOR} for the partner that never answers 豁免"),
        ("held", "held by an authority 风险冻结"),
        ("reclaimed", "reclaimed by their former owners: retracted everywhere 复机"),
        ("released", "released for sale 放号"),
    ):
        table.add_row(f"{told[name]:,}", words)
    out.print(table)
    wrong = told["wrongly_cut"] + told["stale_left"] + told["released_unclear"]
    counts = (
        f"wrongly cut {told['wrongly_cut']} · stale left {told['stale_left']} · released unclear {told['released_unclear']}"
    )
    audited = "  (audited from the partners' own databases and the lists)"
    out.print(led(counts, "bold red" if wrong else "bold green", audited))
    for line in told["wrong"]:
        out.print(f"  {line}")
    login = told["login"]
    out.print(
        f"SMS login with {login['number']} at the music app: before → {login['before']}; "
        f"after → {login['after']} ({'a fresh account' if login['fresh'] else 'the same account'})",
    )
    out.print(
        f"{told['seconds']:.1f} s, {told['peak_rss_mb']:.0f} MB at most, database {told['database_mb']:.0f} MB; "
        f"report: {report}",
    )
