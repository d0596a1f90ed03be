"""The words of the bulletin and of the regulator's page, keyed by their codes; English here, translated on the way out."""

from __future__ import annotations

from huanxin.web.pages import labels
from huanxin.words.sentences import N_

FIGURES = {
    "noticed": N_("Numbers noticed"),
    "renewed": N_("Renewed before release"),
    "released": N_("Released for sale"),
    "ties_cut": N_("Ties cut"),
    "people": N_("People served"),
    "orders": N_("Orders"),
    "order_ties_cut": N_("Ties cut by order"),
}
DAYS = (
    N_("same day"), N_("day 1"), N_("day 2"), N_("day 3"), N_("day 4"), N_("day 5"), N_("later"),
)  # fmt: skip
"""Working days after the notice."""
NO_ANSWER = N_("no answer yet")

TIMELINESS = {
    "in_time": N_("in time"),
    "late": N_("answered late"),
    "overdue": N_("overdue"),
    "waiting": N_("still in time"),
}
TONES = {"in_time": "unbound", "late": "pending", "overdue": "refused", "waiting": "unanswered"}

BREACHES = {"all": N_("all kinds")} | labels.BREACHES

TABLES = {
    "totals": N_("All figures by month"),
    "carriers": N_("All figures by month and carrier"),
    "regions": N_("All figures by month and region"),
    "partners": N_("Partners by kind and group"),
    "answers": N_("Answer times by month"),
    "breaches": N_("Breaches by month and kind"),
    "holds": N_("Holds by month"),
    "codes": N_("Codes and what they mean"),
}

VIEWS = {"all": N_("all partners"), "late": N_("late"), "refusing": N_("refusing")}
SORTS = {
    "name": N_("Partner"),
    "share": N_("in time"),
    "median": N_("half answered within"),
    "p90": N_("nine of ten within"),
    "overdue": N_("overdue"),
    "refused": N_("numbers refused"),
}
