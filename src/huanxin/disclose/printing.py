"""A certificate on paper: one sheet of A4 in both languages, for its holder to show."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers

from huanxin.disclose.certificate import statement_of
from huanxin.disclose.statement import Before
from huanxin.domain.numbers import Carrier, written
from huanxin.paper.sheet import ACCENT, INK, LINE, MARGIN, MUTED, WIDTH, Sheet, writable
from huanxin.store.disclose.certificates import Certificate

_INNER = WIDTH - 2 * MARGIN
_CODE = 38.0  # mm, the side of a QR code
_CHECKS, _GAP = 208.0, 10.0  # mm, where the two codes begin, and what lies between their columns
_ONLINE = ("联网核验", "Check online", "扫码查看今天是否仍然有效。", "Scan to see whether it is good today.")
_OFFLINE = (
    "离线核验",
    "Check offline",
    "码内为全部签名文本，可用公钥核验。",
    "The signed text, to check with the public keys.",
)
_NOTE = (
    "本证明不含任何人的姓名或身份，也不说明号码此前属于谁。是否有效，以核验页当天所示为准。",
    "It names nobody and does not say whose the number was. Whether it is good is what the check page says on the day.",
)
_BEFORE = {Before.ANOTHER: "属于他人 · somebody else", Before.NOBODY: "据上报无机主 · nobody, as far as reported"}


def spaced(number: int) -> str:
    """A number as people read it: `+86 138 0013 8000`."""
    parsed = phonenumbers.parse(written(number))
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def address(issuer: str, certificate_id: str) -> str:
    """Where anyone can check a certificate; the number doesn't stand in it, since addresses end up in logs."""
    return f"{issuer}/verify/{certificate_id}"


@lru_cache(maxsize=64)  # it costs a second; whoever looks at it tends to print it too
def certificate_pdf(one: Certificate, *, issuer: str, carrier: Carrier) -> bytes:
    """A certificate as PDF; its signed text lies in the file too, as `certificate.jwt`."""
    sheet = Sheet(title=f"易主证明 {written(one.number)}", lang="zh-CN", made_at=one.issued_at)
    sheet.frame(10, color=ACCENT, weight=0.5)
    sheet.frame(11.4, color=LINE, weight=0.2)
    _head(sheet, one)
    _facts(sheet, one, carrier)
    _checks(sheet, one, issuer)
    _foot(sheet, one)
    sheet.attach("certificate.jwt", one.token.encode(), what="易主证明签名文本 · the signed text")
    return sheet.done()


def _head(sheet: Sheet, one: Certificate) -> None:
    sheet.mark(MARGIN - 2.4, 23, 16)
    sheet.text(MARGIN + 15, 25.2, "号码焕新", size=13, bold=True)
    sheet.text(MARGIN + 15, 31.6, "Huanxin", size=9, color=MUTED)
    sheet.text(MARGIN, 48, "易主证明", size=34, bold=True, align="C")
    sheet.text(MARGIN, 65, "Certificate of change of hands", size=12, color=MUTED, align="C")
    sheet.text(MARGIN, 83, spaced(one.number), size=26, bold=True, color=ACCENT, align="C")
    said = statement_of(one)
    below = sheet.text(MARGIN, 104, said.chinese(), size=13, leading=1.7)
    sheet.text(MARGIN, below + 2.5, said.english(), size=10.5, color=MUTED, leading=1.55)


def _facts(sheet: Sheet, one: Certificate, carrier: Carrier) -> None:
    name = f"{carrier.name} · {carrier.code}" if writable(carrier.name) else carrier.code
    rows = (
        ("开通日", "Opened", one.opened_on.isoformat()), ("此前", "Before", _BEFORE[Before(one.before)]),
        ("上报运营商", "Reported by", name), ("签发", "Issued", _moment(one.issued_at, carrier.zone)),
        ("有效期至", "Good until", _moment(one.expires_at, carrier.zone)), ("证明编号", "Certificate", one.id),
    )  # fmt: skip
    y = 141.0
    for chinese, english, value in rows:
        sheet.rule(y)
        sheet.text(MARGIN, y + 1.9, chinese, size=10.5, bold=True)
        sheet.text(MARGIN + 25, y + 2.3, english, size=9, color=MUTED)
        sheet.text(MARGIN + 52, y + 1.9, value, size=10.5, width=_INNER - 52)
        y += 9.6
    sheet.rule(y)


def _moment(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).isoformat(sep=" ", timespec="minutes")


def _checks(sheet: Sheet, one: Certificate, issuer: str) -> None:
    asks = address(issuer, one.id)
    _check(sheet, MARGIN, asks, _ONLINE)
    _check(sheet, MARGIN + (_INNER + _GAP) / 2, one.token, _OFFLINE)
    sheet.text(MARGIN, _CHECKS + _CODE + 5, asks, size=8)


def _check(sheet: Sheet, x: float, code: str, words: tuple[str, str, str, str]) -> None:
    """A QR code with its words beside it. The fine code is printed with less spare, so that its squares stay large."""
    sheet.qr(x, _CHECKS, _CODE, code, error="l" if code.startswith("ey") else "m")
    left, width = x + _CODE + 5, (_INNER - _GAP) / 2 - _CODE - 5
    sheet.text(left, _CHECKS, words[0], size=10.5, bold=True, width=width)
    sheet.text(left, _CHECKS + 6, words[1], size=9, color=MUTED, width=width)
    below = sheet.text(left, _CHECKS + 14, words[2], size=8.5, width=width)
    sheet.text(left, below + 0.8, words[3], size=8, color=MUTED, width=width)


def _foot(sheet: Sheet, one: Certificate) -> None:
    sheet.rule(259, color=ACCENT, weight=0.4)
    y = 261.5
    for line, size, color in ((_NOTE[0], 8.5, INK), (_NOTE[1], 8.0, MUTED)):
        y = sheet.text(MARGIN, y, line, size=size, color=color) + 0.4
    digest = hashlib.sha256(one.token.encode()).hexdigest()
    grouped = " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))
    sheet.text(MARGIN, y + 1.6, f"签名文本摘要 SHA-256: {grouped}", size=7, color=MUTED)
