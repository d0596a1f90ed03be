"""Every page that there is, asked for as those who use it do: anybody, an operator, a partner, the owner of a number."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import httpx

from huanxin.access import people
from huanxin.acts import Platform
from huanxin.domain.answers import Purpose
from huanxin.domain.numbers import masked, written
from huanxin.domain.operators import Role
from huanxin.notify.partners import rotate_secret
from huanxin.numbersets.sharded import Numbers
from huanxin.store.answer import receipts
from huanxin.store.connect import partners
from huanxin.store.database import Tx
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.release import proposals, releases
from huanxin.store.report import reports
from huanxin.store.request import messages

TIMES = 5
PAGE_MS, SEARCH_MS = 300, 50
"""What is promised (issue 5): a page at the server, and the search for a number."""
_LOGIN, _SECOND, _PASSWORD = "bench", "bench2", "seven swallows over a quiet harbour"
_SILENT = 40  # a partner that answers no batch (bench.country)
_ENOUGH = 20_000.0  # ms, after which a page need not be asked for again
PUBLIC = {
    "/": "号码换了主人", "/help": "帮助", "/renew": "", "/leave": "", "/verify": "核验", "/watch": "号码焕新公报",
    "/watch/data/regions.csv": "month", "/batches": "批次", "/batches/1": "批次 1", "/docs": "接入方",
}  # fmt: skip
CONSOLE = {
    "/console/batches": "批次", "/console/batches?format=csv": "cutoff", "/console/batches/1": "批次 1",
    "/console/batches/{last}": "批次 {last}", "/console/batches/{last}?format=csv": "partner",
    "/console/approvals": "审批", "/console/numbers": "查询号码", "/console/holds": "风险冻结", "/console/pool": "号码池",
    "/console/pool?prefix={prefix}": "号码池", "/console/pool?format=csv&table=states": "state,numbers",
    "/console/reports": "报告", "/console/watch": "监管", "/console/watch?format=csv": "refused",
    "/console/planner": "如果规则不同", "/console/desk": "营业台", "/console/desk/records": "告知确认记录",
    "/console/breaches": "违规", "/console/breaches/{breach}": "违规", "/console/people": "操作员",
    "/console/audit": "操作记录", "/console/me": _LOGIN,
}  # fmt: skip
PARTNER = {
    "/partner/live": "通知",
    "/partner/live/notices/{notice}": "{notice}",
    "/partner/live/deliveries": "投递",
    "/partner/live/stream": "事件流",
    "/partner/live/keys": "密钥",
}
OWNER = {
    "/renew": "您的号码以前有过机主", "/renew/choose": "哪些应用", "/renew/missing": "您需要哪个应用", "/leave": "停用",
    "/leave/choose": "哪些应用",
}  # fmt: skip
"""What is asked for, and words of the heading that the page has then; none where it sends the browser on."""
Says = Callable[[int], str]
Ask = Callable[[int], httpx.Response]


@dataclass(frozen=True, kw_only=True)
class PageAsked:
    """One page: the status of its answer, kB, the milliseconds each time that it was asked for, the `most` promised, and
    whether it was the page that was meant (`right`)."""

    name: str
    status: int
    kb: float
    ms: tuple[float, ...]
    most: int
    right: bool = True

    @property
    def there(self) -> bool:
        return self.status not in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED)

    @property
    def remark(self) -> str:
        if not self.there:
            return "not there"
        if self.status >= httpx.codes.BAD_REQUEST:
            return f"answered {self.status}"
        if not self.right:
            return "answered with another page"
        over = sum(ms > self.most for ms in self.ms)
        return f"over {self.most} ms, {over} of {len(self.ms)} times" if over else ""


def add_operators(platform: Platform) -> None:
    """Let the benchmark in: two people with every role."""
    for login in (_LOGIN, _SECOND):
        with platform.act("the benchmark") as act:
            person = people.add_operator(act, login=login, name=login, roles=list(Role), carrier=None)
            people.own_password(act, person, _PASSWORD)
            people.confirm_at_machine(act, login)


@dataclass(kw_only=True)
class Round:
    """One round of a server with this platform's store: every page and act is asked for some `times`. `fill`: what stands
    for the names in braces; `some`: numbers of the first batch."""

    platform: Platform
    client: httpx.Client
    times: int
    some: list[str]
    fill: dict[str, object]
    found: list[PageAsked] = field(default_factory=list)

    def pages(self, asked: Mapping[str, str]) -> None:
        for address, says in asked.items():
            self.page(address.format(**self.fill), says.format(**self.fill))

    def page(self, path: str, says: str) -> None:
        self.timed(path, PAGE_MS, lambda _: says, lambda _: self.client.get(path))

    def timed(self, name: str, most: int, says: Says, ask: Ask, *, times: int | None = None) -> None:
        self.found.append(_timed(name, most, says, ask, times or self.times))

    def enter(self, door: str, **form: str) -> None:
        answer = self.client.post(door, data=form)
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise AssertionError(f"nobody gets in at {door}: {answer.status_code} {answer.text[:500]}")


def ask_all(platform: Platform, client: httpx.Client, times: int = TIMES) -> list[PageAsked]:
    """Every page and act, asked some times of a server with this platform's store."""
    with platform.act("bench") as act:
        numbers = batches.numbers_of(act.tx, 1).numbers()
        planned, known = batches.all_batches(act.tx, Purpose.RENEWAL), partners.all_partners(act.tx)
        ready = next((one.id for one in planned[::-1] if _waits_for_approval(act.tx, one.id)), None)
        silent, breach = known[min(_SILENT, len(known)) - 1], releases.breaches(act.tx)[0].id
        asked = any(found.kind == "waiver" for found in proposals.listed(act.tx, batch_id=planned[-1].id, open_only=True))
        told, owned = notices.of_partner(act.tx, known[0].id)[0].id, _owned(act.tx, numbers)
        secret = rotate_secret(act, known[0], overlap=timedelta(0))
    some = [written(int(number)) for number in numbers[:: len(numbers) // times][:times]]
    fill: dict[str, object] = {
        "last": planned[-1].id,
        "ready": ready,
        "prefix": some[0][3:10],
        "silent": None if asked else silent.id,
        "breach": breach,
        "notice": told,
    }
    client.headers.update({"Accept": "text/html", "Accept-Language": "zh"})
    one = Round(platform=platform, client=client, times=times, some=some, fill=fill)
    one.pages(PUBLIC)
    one.enter("/console/sign-in", login=_LOGIN, password=_PASSWORD)
    one.pages(CONSOLE)
    _acts(one)
    if ready:
        _released(one)
    one.enter("/partner/sign-in", client_id=known[0].client_id, client_secret=secret)
    one.pages(PARTNER)
    one.enter("/renew/sign-in", number=owned)
    with platform.read() as seen:
        code = re.search(r"\d{6}", messages.latest(seen.tx, 1)[0].text)
    one.enter("/renew/code", code=code.group() if code else "")
    one.pages(OWNER)
    return one.found


def _waits_for_approval(tx: Tx, batch_id: int) -> bool:
    """Whether a batch is clear and was not released (bench.country leaves one so; a store that is kept has it once)."""
    return bool(receipts.waivers(tx, batch_id)) and not releases.all_releases(tx, batch_id)


def _owned(tx: Tx, numbers: Numbers) -> str:
    """One of these numbers that was sold again, and that was sent no code of late (a store that is kept): the next one would
    have to wait."""
    told = {one.number for one in messages.latest(tx, len(numbers))}
    return next(written(int(one)) for one in numbers if int(one) not in told and reports.standing_of(tx, int(one)).current)


def _acts(one: Round) -> None:
    """Look-ups, and what is done to a batch. What these record stays in a store that is kept."""
    client, some, batch = one.client, one.some, f"/console/batches/{one.fill['last']}"
    one.timed("search a number", SEARCH_MS, lambda turn: masked(int(some[turn])),
              lambda turn: client.post("/console/numbers", data={"number": some[turn]}))  # fmt: skip
    desk = partial(client.post, "/console/desk", follow_redirects=True)
    one.timed("look up at the desk", PAGE_MS, lambda turn: some[turn], lambda turn: desk(data={"numbers": some[turn]}))
    one.timed("next ten of a prefix", PAGE_MS, lambda _: f"+86{one.fill['prefix']}",
              lambda _: desk(data={"prefix": str(one.fill["prefix"]), "grade": "BC"}))  # fmt: skip
    one.timed("remind all of a batch", PAGE_MS, lambda _: "", lambda _: client.post(batch, data={"do": "remind"}))
    if one.fill["silent"]:  # a store that is kept has been asked for it
        waiver = {"do": "waive", "partner": str(one.fill["silent"]), "reason": "bench"}
        one.timed("propose a waiver", PAGE_MS, lambda _: "", lambda _: client.post(batch, data=waiver), times=1)


def _released(one: Round) -> None:
    """A release that one person proposes and another approves: both can be done once."""
    ready = {"do": "release", "reason": "bench"}
    one.timed("propose a release", PAGE_MS, lambda _: "",
              lambda _: one.client.post(f"/console/batches/{one.fill['ready']}", data=ready), times=1)  # fmt: skip
    one.enter("/console/sign-in", login=_SECOND, password=_PASSWORD)
    with one.platform.read() as seen:
        waiting = [found.id for found in proposals.listed(seen.tx, open_only=True) if found.kind == "release"]
    one.timed("approve the release", PAGE_MS, lambda _: "",
              lambda _: one.client.post(f"/console/approvals/{waiting[0]}", data={"do": "approved"}), times=1)  # fmt: skip


def _timed(name: str, most: int, says: Says, ask: Ask, times: int) -> PageAsked:
    took, right, answer = [], True, None
    for turn in range(times):
        start = time.perf_counter()
        try:
            answer = ask(turn)
        except httpx.TransportError:  # the server hangs up after an error of its own
            answer = ask(turn)
        took.append((time.perf_counter() - start) * 1000)
        right = right and says(turn) in answer.text
        if answer.status_code >= httpx.codes.BAD_REQUEST or sum(took) > _ENOUGH:
            break
    assert answer is not None
    return PageAsked(
        name=name, status=answer.status_code, kb=len(answer.content) / 1000, ms=tuple(took), most=most, right=right
    )
