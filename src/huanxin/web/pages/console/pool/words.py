"""The words of the pool: states, regions and events by their codes; English here, translated on the way out."""

from __future__ import annotations

from huanxin.domain.lifecycle import Event
from huanxin.domain.pool import PoolState
from huanxin.words.sentences import N_

STATE_NAMES = {
    PoolState.NEVER_SOLD: N_("never sold"),
    PoolState.IN_SERVICE: N_("in service"),
    PoolState.ELSEWHERE: N_("served elsewhere"),
    PoolState.FROZEN: N_("frozen"),
    PoolState.HELD: N_("held"),
    PoolState.DUE: N_("due"),
    PoolState.RENEWING: N_("renewing"),
    PoolState.CLEAR: N_("clear"),
    PoolState.BLOCKED: N_("blocked"),
    PoolState.RELEASED: N_("released for sale"),
}
STATE_WORDS = {
    PoolState.NEVER_SOLD: N_("allotted, and no report ever named it"),
    PoolState.IN_SERVICE: N_("an owner has it"),
    PoolState.ELSEWHERE: N_("an owner has it who took it along to another carrier"),
    PoolState.FROZEN: N_("cancelled; its freeze ends later than the lead time"),
    PoolState.HELD: N_("cancelled, and an authority’s order keeps it, whatever else is true of it"),
    PoolState.DUE: N_("its freeze ends within the lead time or is over; the next batch takes it"),
    PoolState.RENEWING: N_("in a batch: a partner owes an answer, or the freeze still runs"),
    PoolState.CLEAR: N_("in a batch: all partners have answered and the freeze is over; it may be released"),
    PoolState.BLOCKED: N_("a partner refused and nobody waived that, or an operator took it back"),
    PoolState.RELEASED: N_("given back for sale, and not opened again yet"),
}
TONES = {
    PoolState.NEVER_SOLD: "absent", PoolState.IN_SERVICE: "unbound", PoolState.ELSEWHERE: "kept", PoolState.FROZEN: "absent",
    PoolState.HELD: "pending", PoolState.DUE: "unanswered", PoolState.RENEWING: "kept", PoolState.CLEAR: "unbound",
    PoolState.BLOCKED: "refused", PoolState.RELEASED: "unbound",
}  # fmt: skip
"""The colours of outcomes (static/huanxin.css) in which states are drawn."""

BASELINE_NAMES = {
    "in_service": N_("in service"), "frozen": N_("frozen"), "ported_out": N_("served elsewhere"),
    "never_sold": N_("never sold"),
}  # fmt: skip
"""Where numbers stood on a carrier's first day."""

EVENT_NAMES = {
    Event.OPENED: N_("opened"),
    Event.CANCELLED: N_("cancelled"),
    Event.RECLAIMED: N_("reclaimed"),
    Event.TRANSFERRED: N_("transferred"),
    Event.PORTED_OUT: N_("ported out"),
    Event.PORTED_IN: N_("ported in"),
    Event.IN_SERVICE: N_("in service since (baseline)"),
    Event.SERVED: N_("in service (baseline)"),
}

REGION_NAMES = {
    "北京": N_("Beijing"), "天津": N_("Tianjin"), "上海": N_("Shanghai"), "重庆": N_("Chongqing"), "河北": N_("Hebei"),
    "山西": N_("Shanxi"), "辽宁": N_("Liaoning"), "吉林": N_("Jilin"), "黑龙江": N_("Heilongjiang"), "江苏": N_("Jiangsu"),
    "浙江": N_("Zhejiang"), "安徽": N_("Anhui"), "福建": N_("Fujian"), "江西": N_("Jiangxi"), "山东": N_("Shandong"),
    "河南": N_("Henan"), "湖北": N_("Hubei"), "湖南": N_("Hunan"), "广东": N_("Guangdong"), "海南": N_("Hainan"),
    "四川": N_("Sichuan"), "贵州": N_("Guizhou"), "云南": N_("Yunnan"), "陕西": N_("Shaanxi"), "甘肃": N_("Gansu"),
    "青海": N_("Qinghai"), "台湾": N_("Taiwan"), "内蒙古": N_("Inner Mongolia"), "广西": N_("Guangxi"), "西藏": N_("Tibet"),
    "宁夏": N_("Ningxia"), "新疆": N_("Xinjiang"), "": N_("region not public"),
}  # fmt: skip
