"""A believable demo run, for looking at the pages and testing them without a platform."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from huanxin.domain.suppression import Hidden, Shown
from huanxin.figures.batch_body import GateCounts, PartnerRow, RetractionFigures, TakenBackRow
from huanxin.web.pages.report_data import (  # fmt: skip
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
from huanxin.web.pages.views import BatchesView, BatchView, HomeView, LateRow, PublicBatch
from huanxin.words.saying import Words

SHANGHAI = ZoneInfo("Asia/Shanghai")
CUTOFF = datetime(2026, 11, 24, 14, 5, tzinfo=SHANGHAI)
DUE = datetime(2026, 12, 1, 14, 5, tzinfo=SHANGHAI)
NUMBERS = 61_204


def partner(
    zh: str,
    en: str,
    kind: str,
    unbound: int = 0,
    kept: int = 0,
    pending: int = 0,
    refused: int = 0,
    outstanding: int = 0,
    waived: int = 0,
) -> PartnerRow:
    """A partner whose counts add up to the batch: absent takes what the others leave."""
    absent = NUMBERS - unbound - kept - pending - refused - outstanding
    return PartnerRow(name=Words(zh=zh, en=en), kind=kind, unbound=unbound, absent=absent, kept=kept, pending=pending,
                      refused=refused, outstanding=outstanding, waived=waived)  # fmt: skip


STORIES = (
    ("music", partner("海螺音乐", "Conch Music", "app", unbound=28_110)),
    ("debt", partner("快马出行", "Swift Rides", "app", unbound=22_904, refused=613)),
    ("pending", partner("青禾支付", "Greenstalk Pay", "app", unbound=15_332, pending=2_870)),
    ("late", partner("晚灯阅读", "Late Lamp Reader", "app", unbound=18_220, kept=412)),
    ("twice", partner("双鲤快递", "Twin Carp Parcel", "app", unbound=12_076)),
    ("down", partner("山雀笔记", "Titmouse Notes", "app", unbound=9_411)),
    ("parts", partner("拼图相册", "Jigsaw Albums", "app", unbound=7_402)),
    ("plain", partner("来电识", "Who's Calling", "labeler", unbound=6_301)),
    ("plain", partner("明信通知", "Plain Notices", "sender", unbound=3_117)),
    ("silent", partner("沉石催告", "Sunken Stone Reminders", "sender", outstanding=NUMBERS, waived=NUMBERS)),
)

HAPPENED = {
    "debt": Words(zh="613 个号码有未付订单，已拒绝，未放号", en="613 numbers have unpaid orders; refused, not released"),
    "silent": Words(zh="运营人员 王岚 于今日豁免：通道停用", en="waived today by operator Wang Lan: channel closed"),
    "twice": Words(zh="第二份回执没有产生影响", en="the second receipt changed nothing"),
}

GATE = GateCounts(total=NUMBERS, clear=38_516, releasable_now=0, freezing=19_320, outstanding=0, pending=2_870,
                  refused=613, held=301, retracted=588, waived=NUMBERS, released=38_516)  # fmt: skip

RULES = (
    RuleLine(rule=Words(zh="冷冻期已满", en="The freeze has ended"), state="passes",
             fact=Words(zh="2026年8月20日销号，冷冻 90 天，2026年11月19日起可售",
                        en="cancelled on 20 Aug 2026, frozen for 90 days, sellable from 19 Nov 2026")),
    RuleLine(rule=Words(zh="没有风险冻结", en="No authority holds it"), state="passes"),
    RuleLine(rule=Words(zh="没有复机或撤回", en="Nobody took it back"), state="passes"),
    RuleLine(rule=Words(zh="所有必答接入方已答复", en="Every required partner has answered"), state="passes",
             fact=Words(zh="9 家答复，1 家获豁免（沉石催告）", en="9 answered, 1 waived (Sunken Stone Reminders)")),
)  # fmt: skip

REFUSED = RuleLine(rule=Words(zh="所有必答接入方已答复", en="Every required partner has answered"), state="fails",
                   fact=Words(zh="快马出行拒绝：有欠款（debt）", en="Swift Rides refused: debt"))  # fmt: skip
FROZEN = RuleLine(rule=Words(zh="冷冻期已满", en="The freeze has ended"), state="waits",
                  fact=Words(zh="2026年12月3日起可售", en="sellable from 3 Dec 2026"))  # fmt: skip

EXPLAINED = (
    Explained(number="138****8000", clear=True, verdict=Words(zh="可以放号", en="clear"), rules=RULES),
    Explained(number="186****2207", clear=False, verdict=Words(zh="不放号：被拒绝", en="not clear: refused"),
              rules=(*RULES[:3], REFUSED)),
    Explained(number="199****4410", clear=False, verdict=Words(zh="不放号：冷冻期未满", en="not clear: still frozen"),
              rules=(FROZEN, *RULES[1:])),
)  # fmt: skip

IMPORTS = (
    ImportRow(file="cmcc.csv.gz", carrier="cmcc", accepted=181_204, duplicate=912),
    ImportRow(file="cucc.csv", carrier="cucc", accepted=74_310, duplicate=377, rejected=40, reasons=(
        (Words(zh="号码被表格软件改成了 8.61E+12", en="a spreadsheet turned the number into 8.61E+12"), 9),
        (Words(zh="缺少 +86", en="+86 is missing"), 12),
        (Words(zh="时间在未来", en="the time lies in the future"), 8),
        (Words(zh="此号码属于其他运营商", en="the number belongs to another carrier"), 11),
    )),
    ImportRow(file="ctcc.parquet", carrier="ctcc", accepted=69_118, duplicate=345),
    ImportRow(file="cbn-省份.csv.gz", carrier="cbn", accepted=9_020, duplicate=41),
)  # fmt: skip

STEPS = (
    ("导入运营商报告", "Import the carriers' reports", 0.82), ("规划批次", "Plan the batch", 0.11),
    ("发送通知", "Send the notices", 1.94), ("接入方答复", "Partners answer", 6.3),
    ("撤回复机号码", "Retract what was reclaimed", 1.2), ("闸门", "Gate", 0.03), ("放号清单", "Release lists", 0.21),
    ("稽核", "Audit", 2.6),
)  # fmt: skip


def report() -> DemoReport:
    """A run that went well."""
    today = date(2026, 11, 24)
    return DemoReport(
        made_at=CUTOFF + timedelta(minutes=3), today=today, seed=1,
        figures=KeyFigures(
            numbers=200_000, noticed=NUMBERS, partners=10, pairs=NUMBERS * 10, ties_before=127_768, ties_cut=122_873,
            ties_kept=412, wrongly_cut=0, stale_left=0, refused=613, pending=2_870, waived=NUMBERS, held=301,
            reclaimed=588, released=38_516, released_unclear=0, seconds=13.4, peak_rss_mb=231.7, database_mb=9.6,
        ),
        login=LoginStory(
            partner=Words(zh="海螺音乐", en="Conch Music"), number="138****8000",
            before=Landing(account="4182", owner=Words(zh="歌手 阿岚（已故）", en="A Lan, singer (deceased)"), fresh=False),
            after=Landing(account="90211", owner="", fresh=True),
        ),
        gate=GATE,
        partners=tuple(PartnerStory(row=row, behaviour=key, happened=HAPPENED.get(key, "")) for key, row in STORIES),
        sellable_already=38_516,
        sellable=tuple(SellableDay(day=today + timedelta(days=n), numbers=900 + (n * 7919) % 800) for n in range(1, 16)),
        steps=tuple(TimedStep(name=Words(zh=zh, en=en), seconds=value) for zh, en, value in STEPS),
        explained=EXPLAINED, imports=IMPORTS,
    )  # fmt: skip


def batch(rows: tuple[PartnerRow, ...] | None = None) -> BatchView:
    """A batch with open answers."""
    shown = tuple(row for _, row in STORIES) if rows is None else rows
    late = LateRow(name=Words(zh="沉石催告", en="Sunken Stone Reminders"), since=DUE, outstanding=NUMBERS, pending=0,
                   reminded=2, escalated_at=DUE + timedelta(minutes=1))  # fmt: skip
    answers = TakenBackRow(name=Words(zh="海螺音乐", en="Conch Music"), restored=31, absent=9, irreversible=1, outstanding=1,
                           partner=1, notice="nt_1", answer_by=DUE, waits_outstanding=1, waits_pending=0)  # fmt: skip
    back = (
        RetractionFigures(id=18, numbers=42, at=CUTOFF + timedelta(hours=1), rows=(answers,)),
        RetractionFigures(id=19, numbers=1, at=CUTOFF + timedelta(hours=2), by="wang", reason="误销户 · wrongly cancelled"),
    )
    return BatchView(id=17, cutoff=CUTOFF, answer_by=DUE, as_of=CUTOFF + timedelta(hours=2), numbers=NUMBERS,
                     gate=GATE, partners=shown, late_rows=(late,) if shown else (),
                     retractions=back if shown else ())  # fmt: skip


def home() -> HomeView:
    """A platform that has been at work for a while."""
    return HomeView(
        noticed=250_318_442, ties_cut=(1_004_771_209, True), partners=239, batches=288, released=243_110_007
    )  # fmt: skip


def latest() -> BatchesView:
    """Its latest batches: one that waits for answers, one that is answered, one that was not sent."""
    return BatchesView(
        latest=(public_batch(17, waiting=3), public_batch(16, waiting=0), replace(public_batch(15), told=0)), older=285
    )


def public_batch(number: int = 17, *, waiting: int = 3) -> PublicBatch:
    """A batch as anybody may see it."""
    figures: dict[str, Shown] = {
        "noticed": 1_000_000,
        "renewed": 812_345,
        "released": Hidden.SMALL,
        "ties_cut": Hidden.WITHHELD,
    }
    return PublicBatch(
        id=number, cutoff=CUTOFF - timedelta(days=17 - number), answer_by=DUE, told=239, waiting=waiting, late=True,
        figures=figures,
    )  # fmt: skip
