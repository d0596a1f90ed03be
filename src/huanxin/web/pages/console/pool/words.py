"""The words of the pool: states, regions and events by their codes; English here, translated on the way out."""

from __future__ import annotations

from huanxin.domain.lifecycle import Event
from huanxin.domain.pool import State
from huanxin.words.sentences import N_

STATE_NAMES = {
    State.NEVER_SOLD: N_("never sold"),
    State.IN_SERVICE: N_("in service"),
    State.ELSEWHERE: N_("served elsewhere"),
    State.FROZEN: N_("frozen"),
    State.HELD: N_("held"),
    State.DUE: N_("due"),
    State.RENEWING: N_("renewing"),
    State.CLEAR: N_("clear"),
    State.BLOCKED: N_("blocked"),
    State.RELEASED: N_("released for sale"),
}
STATE_WORDS = {
    State.NEVER_SOLD: N_("allotted, and no report ever named it"),
    State.IN_SERVICE: N_("an owner has it"),
    State.ELSEWHERE: N_("an owner has it who took it along to another carrier"),
    State.FROZEN: N_("cancelled; its freeze ends later than the lead time"),
    State.HELD: N_("cancelled, and an authority’s order keeps it, whatever else is true of it"),
    State.DUE: N_("its freeze ends within the lead time or is over; the next batch takes it"),
    State.RENEWING: N_("in a batch: a partner owes an answer, or the freeze still runs"),
    State.CLEAR: N_("in a batch: all partners have answered and the freeze is over; it may be released"),
    State.BLOCKED: N_("a partner refused and nobody waived that, or an operator took it back"),
    State.RELEASED: N_("given back for sale, and not opened again yet"),
}
TONES = {
    State.NEVER_SOLD: "absent", State.IN_SERVICE: "unbound", State.ELSEWHERE: "kept", State.FROZEN: "absent",
    State.HELD: "pending", State.DUE: "unanswered", State.RENEWING: "kept", State.CLEAR: "unbound",
    State.BLOCKED: "refused", State.RELEASED: "unbound",
}  # fmt: skip
"""The colours of outcomes (static/huanxin.css) in which states are drawn."""

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
