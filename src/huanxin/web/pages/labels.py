"""The words that pages of several rooms share, keyed by their codes; English here, translated on the way out. Those of one
room stand in its own `words`."""

from __future__ import annotations

from huanxin.domain.numbers import NumberingPlan
from huanxin.words.sentences import N_

OUTCOMES = {
    "unbound": N_("tie cut"),
    "absent": N_("no tie"),
    "kept": N_("kept"),
    "pending": N_("pending"),
    "refused": N_("refused"),
    "unanswered": N_("no answer yet"),
}

GATE = {
    "released": N_("released"),
    "releasable": N_("may be released now"),
    "freezing": N_("still frozen"),
    "outstanding": N_("waiting for an answer"),
    "pending": N_("pending at a partner"),
    "refused": N_("refused by a partner"),
    "held": N_("held by an authority"),
    "retracted": N_("taken back or gone"),
    "waived": N_("waived by an operator"),
}

GATE_TONES = {
    "released": "unbound", "releasable": "unbound", "freezing": "absent", "outstanding": "unanswered",
    "pending": "pending", "refused": "refused", "held": "pending", "retracted": "absent", "waived": "kept",
}  # fmt: skip

RETRACTED = {
    "restored": N_("restored"),
    "absent": N_("nothing was cut"),
    "irreversible": N_("can't be undone"),
    "pending": N_("pending"),
    "unanswered": N_("no answer yet"),
}
"""How partners answered a retraction."""
TAKEN_BACK = {"restored": N_("tie given back"), "irreversible": N_("can't be given back")}
ALL_OUTCOMES = OUTCOMES | TAKEN_BACK

REASONS = {
    "debt": N_("unpaid debt"),
    "balance": N_("money left in the account"),
    "frozen": N_("account frozen"),
    "banned": N_("account banned"),
    "legal_hold": N_("kept by order of a court or authority"),
    "dispute": N_("in dispute"),
    "other": N_("another reason"),
}


STREAM_STATUS = {"enabled": N_("enabled"), "paused": N_("paused"), "disabled": N_("disabled")}

KINDS = {"app": N_("app"), "labeler": N_("caller labels"), "sender": N_("sender")}

CARRIERS = {
    "cmcc": N_("China Mobile"),
    "cucc": N_("China Unicom"),
    "ctcc": N_("China Telecom"),
    "cbn": N_("China Broadnet"),
}


BREACHES = {
    "opened-without-release": N_("sold without a release"),
    "opened-in-freeze": N_("sold during the freeze"),
    "opened-while-held": N_("sold while held: a breach of the hold"),
    "released-in-error": N_("released, though the report that it stood on was wrong"),
    "opened-after-stop": N_("sold after it was taken back or objected to"),
    "answered-after-release": N_("objected to after the release"),
    "opened-without-disclosure": N_("sold without a disclosure"),
}
ALL_BREACHES = {"all": N_("all kinds")} | BREACHES

FIGURES = {
    "noticed": N_("Numbers noticed"),
    "renewed": N_("Renewed before release"),
    "released": N_("Released for sale"),
    "ties_cut": N_("Ties cut"),
    "people": N_("People served"),
    "orders": N_("Orders"),
    "order_ties_cut": N_("Ties cut by order"),
}
TIMELINESS = {
    "in_time": N_("in time"),
    "late": N_("answered late"),
    "overdue": N_("overdue"),
    "waiting": N_("still in time"),
}
TONES = {"in_time": "unbound", "late": "pending", "overdue": "refused", "waiting": "unanswered"}


def carrier_name(code: str, plan: NumberingPlan) -> str:
    """A carrier's name: ours are in the catalogue, others as the settings name them."""
    if code in CARRIERS:
        return CARRIERS[code]
    return plan.carriers[code].name if code in plan.carriers else code


ICONS = {
    "unbound": "M3 8.5l3.5 3.5L13 4.5",
    "absent": "M4 8h8",
    "kept": "M8 2l5 2v4c0 3-2.2 5-5 6-2.8-1-5-3-5-6V4z",
    "pending": "M8 2a6 6 0 100 12A6 6 0 008 2zM8 5v3.2l2 1.3",
    "refused": "M4 4l8 8M12 4l-8 8",
    "unanswered": "M3.5 8h.01M8 8h.01M12.5 8h.01",
    "held": "M4 7.5h8V14H4zM5.5 7.5V5a2.5 2.5 0 015 0v2.5",
    "retracted": "M6 4L2.5 7.5 6 11M2.5 7.5H10a3.5 3.5 0 010 7H8",
    "waived": "M8 2.5a2.5 2.5 0 110 5 2.5 2.5 0 010-5zM3 14c.5-3 2.5-4.5 5-4.5s4.5 1.5 5 4.5",
    "freezing": "M8 2v12M2.8 5l10.4 6M13.2 5L2.8 11",
    "partner": "M3 13V6l5-3 5 3v7M6.5 13V9h3v4",
}
"""Paths on a 16 by 16 grid, drawn as lines."""

ICON_OF = {
    "released": "unbound", "releasable": "unbound", "clear": "unbound", "passes": "unbound", "fails": "refused",
    "outstanding": "unanswered", "waits": "pending",
}  # fmt: skip
