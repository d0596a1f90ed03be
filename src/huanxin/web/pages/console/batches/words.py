"""The words of batches, of what is done with them and of approvals, keyed by their codes."""

from __future__ import annotations

from huanxin.domain.mended import What
from huanxin.words.sentences import N_

PROPOSALS = {"waiver": N_("go on without an answer"), "release": N_("release"),
             "withdrawal": N_("withdraw a report"), "correction": N_("correct a report"),
             "lift": N_("lift a hold"), "optional": N_("no longer wait for a partner")}  # fmt: skip

CONSEQUENCES = {
    What.RETRACTED.value: N_("taken back from the batch"),
    What.STANDS.value: N_("stays in the batch"),
    What.STOPPED.value: N_("on a release list, not to be sold"),
    What.IN_ERROR.value: N_("released in error"),
    What.REVOKED.value: N_("certificate revoked"),
    What.ORDERS.value: N_("order taken back, since it went by a day that was too late"),
}

PROPOSAL_ENDS = {"approved": N_("approved"), "declined": N_("declined"), "withdrawn": N_("withdrawn")}

BATCH_STATES = {
    "all": N_("all"),
    "late": N_("with late answers"),
    "waiting": N_("waiting for answers"),
    "done": N_("no answer awaited"),
}

ACTS_DONE = {
    "planned": N_("The batch is planned. Nobody has been told yet: send it next."),
    "nothing-due": N_("Nothing is due: no freeze ends within the lead time."),
    "send": N_("Every partner has a notice; workers deliver them now."),
    "call-off": N_("The batch is called off. Its numbers are due again: the next plan takes them."),
    "remind": N_("Reminders are on their way."),
    "escalate": N_("Escalated: the late partners, and whoever watches for the platform, are told."),
    "retract": N_("The numbers are taken back for good, and partners are told to restore what they cut."),
    "waive": N_("Proposed. Another supervisor has to approve it before anything changes."),
    "unwaive": N_("The waiver is withdrawn: these answers are waited for again. What was released by it stays released."),
    "release": N_("Proposed. Another supervisor has to approve it before anything is released."),
    "undo": N_("Proposed. Another supervisor has to approve it before anything changes."),
    "mend": N_("Proposed. Another supervisor has to approve it before any report is mended."),
    "approved": N_("Approved and carried out."),
    "declined": N_("Declined. Whoever proposed it reads your reason."),
    "withdrawn": N_("Withdrawn. Nothing was changed."),
    "confirmed": N_("Confirmed. Their right over waivers and releases has begun."),
}

NAMES = {
    "proposal_names": PROPOSALS,
    "end_names": PROPOSAL_ENDS,
    "consequence_names": CONSEQUENCES,
    "batch_state_names": BATCH_STATES,
    "act_words": ACTS_DONE,
}
"""By name in the templates."""
