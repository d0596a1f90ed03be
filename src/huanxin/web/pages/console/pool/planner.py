"""`/console/planner`: what if the freeze, the lead time or a partner's pace were another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from huanxin.domain.errors import BadInput, Forbidden, NotFound
from huanxin.domain.operators import Right
from huanxin.simulate import planner
from huanxin.simulate.model import Forecast
from huanxin.simulate.planner import Choices, Planned
from huanxin.store.acting import PLATFORM
from huanxin.web.pages import charts, labels
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.frame import page
from huanxin.web.pages.console.sheets import as_csv
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.routes import language
from huanxin.words import i18n
from huanxin.words.saying import translated
from huanxin.words.sentences import N_, Sentence

router = APIRouter(prefix="/console", include_in_schema=False)
Viewer = Annotated[Working, Depends(signing.working(Right.FIGURES))]
Days = Annotated[list[str] | None, Query()]


_MOST_PACES = 24
"""More partners than this are read in the CSV."""
_MONTH_COLUMNS = 6
"""More scenarios than this don't stand side by side in the table of months; the CSV has them all."""


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """What the form asks for, as it came."""

    carrier: str
    freeze: tuple[str, ...]
    lead: tuple[str, ...]
    faster: str
    days: str
    seed: str
    capacity: str

    def choices(self) -> Choices:
        """Raises BadInput for what is no whole number."""
        return Choices(
            freezes=tuple(_whole(one) for one in self.freeze), leads=tuple(_whole(one) for one in self.lead),
            faster=self.faster.strip(), days=_whole(self.days), seed=_whole(self.seed),
            capacity=_whole(self.capacity) if self.capacity.strip() else None,
        )  # fmt: skip


def _whole(text: str) -> int:
    plain = text.strip().replace(",", "")
    if not (plain.isascii() and plain.isdecimal()) or len(plain) > 12:  # noqa: PLR2004  # more numbers than E.164 has
        raise BadInput(Sentence("%(value)s is no whole number; write digits only", value=text.strip()[:20]))
    return int(plain)


@router.get("/planner")
def show(
    request: Request, who: Viewer, carrier: str = "", freeze: Days = None, lead: Days = None, faster: str = "",
    days: str = "365", seed: str = "1", capacity: str = "", format: str = "",
) -> Response:  # fmt: skip
    """The scenarios side by side; with `?format=csv`, month by month for a spreadsheet."""
    carriers = [code for code in who.platform.plan.carriers if who.operator.sees([code])]
    rules = who.platform.rules
    wish = _Wish(
        carrier=carrier or carriers[0], freeze=tuple(freeze or map(str, planner.FREEZES)),
        lead=tuple(lead or [str(rules.lead_days)]), faster=faster, days=days, seed=seed, capacity=capacity,
    )  # fmt: skip
    if not who.operator.sees([wish.carrier]):
        raise Forbidden(
            Sentence(
                "%(login)s works with the numbers of %(carrier)s only",
                login=who.operator.login,
                carrier=who.operator.carrier,
            )
        )
    planned, problem, missing = _plan(who, wish)
    if planned and format in ("csv", "partners.csv"):
        lines = _by_month(planned) if format == "csv" else _by_partner(planned)
        return as_csv(f"planner-{planned.history.carrier}", next(lines), lines)
    lang = language(request)
    return page(
        request, who, "planner.html", 422 if problem else 200, tab="planner", wish=wish, carriers=carriers, problem=problem,
        missing=missing, planned=planned, offered=_offered(wish, rules.lead_days), everyone=planner.EVERYONE,
        link=request.url.include_query_params(format="csv").query, most=_MOST_PACES,
        partners_link=request.url.include_query_params(format="partners.csv").query, percent=partial(percent, lang=lang),
        carrier_names=translated(labels.CARRIERS, lang),
        **(_shown(planned, lang) if planned else {}),
    )  # fmt: skip


def _plan(who: Working, wish: _Wish) -> tuple[Planned | None, str, str]:
    """(what was planned, what is wrong with the wish, what there is no history of)."""
    platform = who.platform
    try:
        with platform.act(PLATFORM) as act:
            planned = planner.plan(act.tx, platform, wish.carrier, wish.choices())
    except BadInput as error:
        return None, error.said, ""
    except NotFound as error:
        return None, "", error.said
    return planned, "", ""


def _offered(wish: _Wish, lead_days: int) -> dict[str, list[str]]:
    """Days to tick: the usual ones, and those that somebody wrote into the address."""
    freezes = {*map(str, planner.FREEZES), *wish.freeze}
    leads = {*map(str, planner.LEADS), str(lead_days), *wish.lead}
    return {
        "freeze": sorted(freezes, key=lambda one: (len(one), one)),
        "lead": sorted(leads, key=lambda one: (len(one), one)),
    }


def _shown(planned: Planned, lang: str) -> dict[str, object]:
    names = [_name(planned, one, lang) for one in planned.results]
    totals = [one.total for one in planned.results]
    months = [planner.months(one, planned.history.today) for one in planned.results[:_MONTH_COLUMNS]]
    return {
        "rows": list(zip(names, [planner.figures(one, planned.history) for one in planned.results], strict=True)),
        "by_month": list(zip(*months, strict=True)), "month_names": names[:_MONTH_COLUMNS],
        "paces": sorted(planned.history.partners, key=lambda one: (-one.never, -(one.typical or 0.0), one.id))[:_MOST_PACES],
        "indifferent": planner.INDIFFERENT if planned.indifferent else "",
        "worn": any(float(one.in_service.min()) == 0 for one in planned.results),
        "supply_chart": charts.bars([(n, t, "accent", i18n.short(t, lang)) for n, t in zip(names, totals, strict=True)]),
        "utilisation_chart": _percents(names, [one.utilisation for one in planned.results], "unbound", lang),
        "open_chart": _percents(names, [one.open_if_sold for one in planned.results], "refused", lang),
    }  # fmt: skip


def _percents(names: Sequence[str], shares: Sequence[float], tone: str, lang: str) -> charts.Chart:
    return charts.bars([(name, 100 * share, tone, percent(share, lang)) for name, share in zip(names, shares, strict=True)])


def percent(share: float, lang: str) -> str:
    """A share that was computed, in per cent."""
    return i18n.percent(round(share * 1e9), 10**9, lang)


def _name(planned: Planned, result: Forecast, lang: str) -> str:
    """`90/15` days, with ½ where partners answer in half the time: short enough for a chart; the page says what it means."""
    say = i18n.translations(lang).gettext
    plain = say(N_("%(freeze)s + %(lead)s days")) % {
        "freeze": result.scenario.freeze_days, "lead": result.scenario.lead_days,
    }  # fmt: skip
    if not result.scenario.faster:
        return plain
    names = [one.name for one in planned.history.partners if one.id in result.scenario.faster]
    whose = say(N_("everyone")) if planned.choices.faster == planner.EVERYONE else ", ".join(names)
    return plain + say(N_(", %(partner)s in half the time")) % {"partner": whose}


_Lines = Iterator[Sequence[object]]


def _by_month(planned: Planned) -> _Lines:
    """A line a scenario and month. Numbers are whole, shares are of 1."""
    yield ("carrier", "freeze_days", "lead_days", "faster", "month", "on_sale", "utilisation", "waiting_at_end",
           "unserved_in_all", "open_if_sold", "open_sold")  # fmt: skip
    for result in planned.results:
        told = planner.figures(result, planned.history)
        faster = planned.choices.faster if told.faster else ""
        for month in planner.months(result, planned.history.today):
            yield (planned.history.carrier, told.freeze_days, told.lead_days, faster, f"{month.first:%Y-%m}",
                   month.supply, f"{month.utilisation:.6f}", told.waiting, told.unserved, told.open_if_sold,
                   told.open_sold)  # fmt: skip


def _by_partner(planned: Planned) -> _Lines:
    """A line a partner: how it answered. Shares are of 1; half of its notices were answered within `typical_days`."""
    yield ("partner", "required", "notices", "typical_days", "never", "pending", "refused", "ties")
    for one in planned.history.partners:
        typical = "" if one.typical is None else f"{one.typical:.2f}"
        shares = (f"{share:.6f}" for share in (one.never, one.pending, one.refused, one.ties))
        yield (one.name, one.required, one.notices, typical, *shares)
