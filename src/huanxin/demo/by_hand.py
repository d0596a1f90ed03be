"""What is left to be done by hand after the main job: ties that batch renewal missed, on one number that was sold again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from rich.text import Text

from huanxin.demo.own_servers import PartnerProcess
from huanxin.demo.partner_store import UNPAID, AccountTies, add_ties
from huanxin.demo.world_ties import SINGER
from huanxin.terminal import led

_LONG_AGO = "2019-05-01T08:00:00Z"
_LEFT = {
    "music": (SINGER, ""), "debt": ("用户 0000a1", UNPAID), "pending": ("用户 0000a2", ""), "twice": ("用户 0000a3", ""),
}  # fmt: skip
"""By the behaviour of a partner: whose account it is, and what is noted on it. The singer's is that of the article, and the
one with something unpaid is refused."""


@dataclass(frozen=True, kw_only=True)
class Missed:
    """A number in service on which a former owner's accounts are left, and where a login with it shows whose they are."""

    number: str
    """`+8613800138000`"""
    app: str

    def steps(self, issuer: str) -> Text:
        """What a person does to see it happen, with addresses to click."""
        return led(
            "By hand 亲手试一次", "bold",
            f", with {self.number}, which was sold again and on which a few things were left:\n"
            f"  1  {self.app}\n"
            f"     log in at the music app: you land in the account of {SINGER} 登录音乐应用，进的是已故歌手的账户\n"
            f"  2  {issuer}/renew\n"
            f"     sign in with the number and renew it; the SMS is on {issuer}/dev/sms 用这个号码登录并焕新\n"
            "  3  log in at the music app again: a fresh account of your own 再登录音乐应用，是您自己的新账户\n"
            "     one service refuses, and your order says what to do 有一家拒绝,页面会说明怎么办",
        )  # fmt: skip


def leave_ties(
    folder: Path, partners: Sequence[PartnerProcess], *, spare: Callable[[str], bool], ordered: Callable[[str], bool]
) -> Missed:
    """Leave a few accounts of a former owner on a number that was sold and that nobody has `ordered` for, so that every
    start of the demo has one. `spare`: numbers that are not for this. After the audit, which would say so."""
    sold = [
        line.split(",")[0]
        for file in sorted((folder / "opened").iterdir())
        for line in file.read_text().splitlines()[1:]
    ]  # fmt: skip
    able = [one for one in sold if not spare(one)]
    number = next((one for one in able if not ordered(one)), able[-1])
    app = ""
    for partner in partners:
        if partner.behaviour in _LEFT:
            owner, note = _LEFT[partner.behaviour]
            if not AccountTies(partner.database(folder)).bound(number):
                add_ties(partner.database(folder), [(number, _LONG_AGO, owner, note, _LONG_AGO)])
            app = f"{partner.url}/?number={quote(number)}" if partner.behaviour == "music" else app
    return Missed(number=number, app=app)
