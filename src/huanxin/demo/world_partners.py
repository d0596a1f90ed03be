"""The partners of the demo's world: invented names, kinds, behaviours and sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BEHAVIOURS = ("music", "debt", "pending", "twice", "down", "parts", "late", "silent", "plain")
"""What the first partners do, one each; huanxin.demo.behaviours says what the words mean."""

TIES_PER_NUMBER = 4.0
"""Over all partners: 1 billion ties cut on 250 million numbers (FACTS)."""

_MOST = 0.95
_BRANDS = (
    ("青禾", "qinghe"), ("云杉", "yunshan"), ("石榴", "shiliu"), ("白鹭", "bailu"), ("海棠", "haitang"),
    ("松果", "songguo"), ("星渡", "xingdu"), ("木棉", "mumian"), ("溪桥", "xiqiao"), ("银杏", "yinxing"),
    ("麦垛", "maiduo"), ("竹影", "zhuying"), ("晨钟", "chenzhong"), ("远帆", "yuanfan"), ("橘灯", "judeng"),
    ("雁回", "yanhui"), ("半夏", "banxia"), ("砚台", "yantai"), ("驼铃", "tuoling"), ("芦苇", "luwei"),
)  # fmt: skip
_APPS = (
    ("出行", "ride"), ("外卖", "meals"), ("网盘", "drive"), ("支付", "pay"), ("邮箱", "mail"), ("阅读", "reads"),
    ("租房", "rent"), ("招聘", "jobs"), ("酒店", "hotel"), ("相册", "album"), ("论坛", "forum"), ("商城", "mall"),
)  # fmt: skip
_LABELERS = (("号码标记", "labels"), ("来电识别", "callerid"))
_SENDERS = (("账单提醒", "bills"), ("贷后服务", "collect"), ("会员通知", "notify"))


@dataclass(frozen=True, kw_only=True)
class PartnerSpec:
    """A partner to start. `share` is the chance that a number that is due has a tie here, at most 0.95."""

    name: str
    zh_name: str
    kind: str
    behaviour: str
    share: float


def partner_specs(count: int, seed: int) -> list[PartnerSpec]:
    """`count` partners; nine or more have each behaviour at least once. The largest come first, after Zipf.

    Behaviours that hold numbers back (debt, pending, down, silent) are had by one partner each, whatever `count` is.
    Raises ValueError beyond 239, for which there are names.
    """
    if not 1 <= count <= 239:
        raise ValueError(f"the world has names for 1 to 239 partners, not for {count}")
    rng = np.random.default_rng([seed, 9])
    kinds = ["app"] * count
    for place in range(count):
        if (place >= len(BEHAVIOURS) and place % 6 == 3) or place == 5:
            kinds[place] = "labeler"
        elif (place >= len(BEHAVIOURS) and place % 6 == 5) or place == 7:
            kinds[place] = "sender"
    behaviours = [*BEHAVIOURS, *rng.choice(["plain", "plain", "plain", "parts", "twice"], size=240).tolist()]
    names = _Names(rng)
    specs = []
    for kind, behaviour, share in zip(kinds, behaviours, _shares(count), strict=False):
        slug, zh_name = names.next("music" if behaviour == "music" else kind)
        specs.append(PartnerSpec(name=slug, zh_name=zh_name, kind=kind, behaviour=behaviour, share=share))
    return specs


def _shares(count: int) -> list[float]:
    """Shares after Zipf that add up to four ties per number, where so few partners can hold so many."""
    total = min(TIES_PER_NUMBER, 0.6 * count)
    weights = 1 / np.arange(1, count + 1)
    shares = weights * total / weights.sum()
    while shares.max() > _MOST:
        full = shares >= _MOST
        shares[full] = _MOST
        rest = weights * ~full
        shares = np.where(full, _MOST, rest * (total - _MOST * full.sum()) / rest.sum())
    return [round(float(share), 4) for share in shares]


class _Names:
    """Invented names, each once, in an order that the seed decides."""

    def __init__(self, rng: np.random.Generator) -> None:
        kinds = {"app": _APPS, "labeler": _LABELERS, "sender": _SENDERS, "music": (("音乐", "music"),)}
        self._left: dict[str, list[tuple[str, str]]] = {}
        for kind, trades in kinds.items():
            pairs = [
                (f"{brand}-{trade}", f"{brand_zh}{trade_zh}") for trade_zh, trade in trades for brand_zh, brand in _BRANDS
            ]
            self._left[kind] = [pairs[index] for index in rng.permutation(len(pairs)).tolist()]

    def next(self, kind: str) -> tuple[str, str]:
        return self._left[kind].pop()
