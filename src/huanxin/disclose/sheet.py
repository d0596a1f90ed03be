"""A disclosure on paper: one sheet of A4 in both languages, for the buyer to read and sign."""

from __future__ import annotations

from datetime import datetime

from huanxin.disclose.desk import texts_of
from huanxin.disclose.printing import spaced
from huanxin.domain.disclosure import EN, GRADE_NAMES, RULES, VERSION, ZH, Told, digest
from huanxin.domain.numbers import Carrier, written
from huanxin.paper.sheet import ACCENT, LINE, MARGIN, MUTED, WIDTH, Sheet, writable

_INNER = WIDTH - 2 * MARGIN


def disclosure_pdf(told: Told, *, carrier: Carrier, made_at: datetime) -> bytes:
    """What is told of a number that is for sale, as PDF, with a line to sign on."""
    sheet = Sheet(title=f"选号告知 {written(told.number)}", lang="zh-CN", made_at=made_at)
    sheet.frame(10, color=LINE, weight=0.3)
    sheet.mark(MARGIN - 2.4, 23, 14)
    sheet.text(MARGIN + 14, 25, "号码焕新", size=13, bold=True)
    sheet.text(MARGIN + 14, 31, "Huanxin", size=9, color=MUTED)
    sheet.text(MARGIN, 44, "选号告知", size=26, bold=True, align="C")
    sheet.text(MARGIN, 57, "What is known of this number", size=11, color=MUTED, align="C")
    sheet.text(MARGIN, 69, spaced(told.number), size=26, bold=True, color=ACCENT, align="C")
    sheet.text(MARGIN, 84, GRADE_NAMES[told.grade][ZH], size=15, bold=True, align="C")
    sheet.text(MARGIN, 92, GRADE_NAMES[told.grade][EN], size=10, color=MUTED, align="C")
    below = _facts(sheet, told, carrier, made_at)
    texts = texts_of(told)
    unbroken = texts[ZH].replace(" ", "\u00a0")  # lines break at spaces first, which Chinese has around figures only
    below = sheet.text(MARGIN, below + 5, unbroken, size=11.5, leading=1.65)
    below = sheet.text(MARGIN, below + 3, texts[EN], size=9.5, color=MUTED, leading=1.5)
    _foot(sheet, max(below + 12, 248.0), digest(texts[ZH]))
    return sheet.done()


def _facts(sheet: Sheet, told: Told, carrier: Carrier, made_at: datetime) -> float:
    name = f"{carrier.name} · {carrier.code}" if writable(carrier.name) else carrier.code
    rows = [("等级依据", "Rule", RULES[told.grade][ZH]), ("运营商", "Carrier", name)]
    if told.closed_on is not None:
        rows += [
            ("已冷冻", "Frozen", f"{told.frozen_days} 天 · days（至少 at least {told.freeze_days}）"),
            ("已确认", "Confirmed", f"{told.confirmed} / {told.asked} 家 · partners"),
        ]
    rows.append(("查询时间", "Looked up", made_at.astimezone(carrier.zone).isoformat(sep=" ", timespec="minutes")))
    y = 103.0
    for chinese, english, value in rows:
        sheet.rule(y)
        sheet.text(MARGIN, y + 1.9, chinese, size=10.5, bold=True)
        sheet.text(MARGIN + 25, y + 2.3, english, size=9, color=MUTED)
        y = max(sheet.text(MARGIN + 48, y + 1.9, value, size=10.5, width=_INNER - 48) + 1.5, y + 9.6)
    sheet.rule(y)
    return y


def _foot(sheet: Sheet, y: float, sha256: str) -> None:
    sheet.rule(y, color=ACCENT, weight=0.4)
    sheet.text(MARGIN, y + 2, "买家签名 · Signature of the buyer", size=9, color=MUTED)
    sheet.text(MARGIN + _INNER - 45, y + 2, "日期 · Date", size=9, color=MUTED, width=45)
    sheet.text(MARGIN, 281, f"告知文本 {VERSION} · SHA-256 {sha256}", size=6.5, color=MUTED)
