"""The words of the bulletin and of the regulator's page, keyed by their codes; English here, translated on the way out."""

from __future__ import annotations

from huanxin.words.sentences import N_

DAYS = (
    N_("same day"), N_("day 1"), N_("day 2"), N_("day 3"), N_("day 4"), N_("day 5"), N_("later"),
)  # fmt: skip
"""Working days after the notice."""
NO_ANSWER = N_("no answer yet")


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
