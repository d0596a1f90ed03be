"""What a rehearsal says, in Chinese and English. The codes are stable, the words may change."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """One text in both languages."""

    zh: str
    en: str


SCENARIOS = {
    "plain": Words("普通通知", "a plain notice"),
    "duplicate": Words("重复的事件", "the same event twice"),
    "retraction": Words("撤回", "a retraction"),
    "on-cutoff": Words("恰在截止时刻的绑定", "a tie on the cut-off instant"),
    "after-cutoff": Words("截止时刻之后一秒的绑定", "a tie one second after the cut-off"),
    "nobody": Words("无人绑定的号码", "a number that nobody has"),
    "forged": Words("伪造的签名", "a forged signature"),
    "audience": Words("发给别人的事件", "an event for another audience"),
    "old": Words("过期的事件", "an old event"),
    "broken-file": Words("损坏的号码文件", "a broken number file"),
    "large": Words("十万个号码", "100,000 numbers"),
}
"""The scenarios, in the order in which they are played."""

NAMES = {
    "unbound": "已解绑", "absent": "无绑定", "kept": "保留", "pending": "处理中", "refused": "拒绝", "restored": "已恢复",
    "irreversible": "无法恢复", "debt": "欠费", "balance": "余额", "frozen": "账号冻结", "banned": "账号封禁",
    "legal_hold": "依法保留", "dispute": "争议", "other": "其他",
}  # fmt: skip
"""Outcomes and reasons in Chinese, by code."""

MENDS = {
    "unreachable": Words(
        "接收端连不上，或没有来取事件。请确认程序正在运行，地址、端口、路径或文件夹无误。",
        "The endpoint or folder can't be reached, or nobody polled. See that your program runs, and that address, port, path"
        " or folder are right.",
    ),
    "not-taken": Words(
        "合格的事件没有被接受。请核对接收端的 issuer、audience（客户端编号），确认它取得到公钥 /jwks.json，并以 202 作答；"
        "huanxin-partner verify 会逐项说明一个令牌为何不通过。状态码是 404 或 405 的，多半是接口地址的路径不对。",
        "A good event was not taken. Check the receiver's issuer and audience (the client id), that it can fetch /jwks.json,"
        " and that it answers 202; huanxin-partner verify says check by check why a token doesn't verify. If it answers 404"
        " or 405, the path of the endpoint is most likely another.",
    ),
    "status-200": Words(
        "事件已接受，但状态码不是 202。RFC 8935 规定为 202，内容为空。",
        "The event was taken, but not with 202. RFC 8935 wants 202 with an empty body.",
    ),
    "no-answer": Words(
        "事件已接受，却没有收到每个号码的答复。请看接收端日志：处理线程是否在运行，能否取得访问令牌、号码文件并提交回执；"
        "最后一份回执要带 complete=true，或列全所有号码。",
        "The event was taken, but not every number was answered. See the receiver's log: does its worker run, does it get an"
        " access token, the number file, and file receipts? The last receipt says complete=true, or all numbers are listed.",
    ),
    "receipt-refused": Words(
        "回执被拒收。请按所列行号和原因修正；表头为 number,outcome,reason,until，只写通知里的号码。",
        "A receipt was refused. Mend the lines as told; the heading is number,outcome,reason,until, and only numbers of the"
        " notice may be named.",
    ),
    "receipt-waits": Words(
        "有回执在等前面的序号。每份通知的序号从 1 起，不跳号；没有收下的，用后面的序号重写，"
        "并在 replaces 中写明它代替哪一份。",
        "A receipt waits for an earlier number. For each notice they begin with 1 and have no gaps; one that was not taken"
        " is written again under a later number, which names it in replaces.",
    ),
    "ties-missing": Words(
        "测试库中没有演练用的绑定。请把 huanxin-partner magic-ties 打印的各行载入测试数据库。"
        "同一截止时刻解除过的，再问时仍答 unbound，不答 absent。",
        "The ties of the rehearsal are not in the test database. Load what huanxin-partner magic-ties prints into it. A tie"
        " that this cut-off has cut before is unbound, not absent, when it is asked about again.",
    ),
    "boundary": Words(
        "截止时刻及以后的绑定属于新机主，绝不可解除。条件应为 bound_at < cutoff（严格小于），且两边都带时区；"
        "只存到日的，边界当日一律保留。",
        "A tie made at or after the cut-off is the new owner's and is never cut. Compare bound_at < cutoff, strictly, with"
        " zones on both sides; where only days are stored, a tie on the boundary day is kept.",
    ),
    "not-cut": Words(
        "截止时刻之前的绑定没有解除。请核对比较条件和时区：早一秒也属于前机主。",
        "A tie made before the cut-off was not cut. Check the comparison and its zones: one second before is the former"
        " owner's.",
    ),
    "invented": Words(
        "没有绑定的号码被答成了有绑定。只有确有绑定的号码才写 unbound 或 kept。",
        "A number without a tie was answered as if it had one. Say unbound or kept only where there is or was a tie.",
    ),
    "wrong-outcome": Words(
        "结果不是所期待的。焕新通知可答 unbound、absent、kept、pending、refused（附原因）。",
        "The outcome isn't what was expected. A renewal is answered with unbound, absent, kept, pending, or refused with a"
        " reason.",
    ),
    "duplicate-refused": Words(
        "同一事件（jti 相同）再次送达时，也应以 202 作答，否则平台会不断重发。",
        "The same event (the same jti) is answered with 202 again, or else the platform goes on sending it.",
    ),
    "second-effect": Words(
        "重复的事件又处理了一遍。请记下已处理事件的 jti，再次送达时不做任何事。",
        "The duplicate was handled a second time. Keep the jti of each event that you took, and do nothing when it comes"
        " again.",
    ),
    "not-restored": Words(
        "撤回之后绑定没有恢复。解除时请记下哪个账号失去了号码；撤回时还给它，答 restored；做不到则答 irreversible。",
        "The tie did not come back after the retraction. Note which account lost its number when you cut; give it back and"
        " answer restored, or irreversible where that can't be done.",
    ),
    "irreversible": Words(
        "答了 irreversible：可以接受，但前机主复机后要自己重新绑定。解除时留下记录即可恢复。",
        "irreversible is allowed, but former owners who take their number back have to bind it themselves. Keep a record"
        " when you cut, and it can be restored.",
    ),
    "bad-taken": Words(
        "不该接受的事件被接受了。请先验证签名、发行方、受众和时间，再使用其中任何内容。",
        "An event was taken that must be refused. Verify signature, issuer, audience and time before any of it is used.",
    ),
    "not-400": Words(
        "事件没有被接受，但状态码不是 400，平台会当作暂时故障不断重发。"
        "永远不会接受的事件请答 400 和错误码（RFC 8935 第 2.3 节）。",
        "The event was not taken, but not with 400, so the platform takes it for a passing fault and sends it again. Answer"
        " what will never be taken with 400 and a code (RFC 8935, section 2.3).",
    ),
    "other-code": Words(
        "事件已拒绝，但错误码与标准不符，出故障时难以查明。请用 RFC 8935 第 2.4 节的代码。",
        "The event was refused, but not with the code of the standard, which makes faults hard to find. Use the codes of"
        " RFC 8935, section 2.4.",
    ),
    "bad-answered": Words(
        "不可信的事件竟然得到了处理。请先完成全部验证，再写入队列；交换文件时，请验证清单里的 set。",
        "An event that can't be trusted was handled. Finish all checks before it is queued; with files, verify the"
        " manifest's set.",
    ),
    "answered-broken": Words(
        "号码文件与通知中的 sha256 不符，却仍作了答复。请先核对整个文件的 SHA-256，不符则什么都不做，稍后重取。",
        "The number file didn't hash to the notice's sha256, and was answered all the same. Check the whole file's SHA-256"
        " first; if it differs, do nothing and fetch it again later.",
    ),
    "too-slow": Words(
        "十万个号码没有按时答全。请分批查询（每批约一万个，一次关联），而不是逐个号码查询；number 列要有索引。",
        "100,000 numbers were not all answered in time. Ask the database in chunks of about 10,000 with one join each, not"
        " number by number, and index the number column.",
    ),
}
"""How what was found is mended, by code."""
