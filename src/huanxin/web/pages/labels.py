"""The words for states, kinds and behaviours that the pages share, keyed by their codes; English here, translated on
the way out."""

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

PURPOSES = {"renewal": N_("Renewal"), "retraction": N_("Retraction")}

STREAM_STATUS = {"enabled": N_("enabled"), "paused": N_("paused"), "disabled": N_("disabled")}

EVENTS = {
    "urn:huanxin:event:renewal": N_("Renewal notice"),
    "urn:huanxin:event:retraction": N_("Retraction notice"),
    "urn:huanxin:event:reminder": N_("Reminder"),
    "urn:huanxin:event:inquiry": N_("Inquiry"),
    "https://schemas.openid.net/secevent/risc/event-type/identifier-recycled": N_("Number has a new owner"),
    "https://schemas.openid.net/secevent/ssf/event-type/verification": N_("Verification of the stream"),
    "https://schemas.openid.net/secevent/ssf/event-type/stream-updated": N_("Status of the stream changed"),
}

STEPS = {
    "registered": N_("Registered"),
    "domain": N_("Domain proven"),
    "endpoint": N_("Endpoint of the rehearsal"),
    "selftest": N_("Self-test passed"),
    "admitted": N_("Admitted by the platform"),
    "live": N_("Live credentials taken"),
    "live-endpoint": N_("Live endpoint verified"),
}
WHY = {
    "failed": N_("failed"),
    "other-endpoint": N_("the endpoint has changed since"),
    "too-old": N_("more than 30 days ago"),
    "interrupted": N_("cut short"),
    "withdrawn": N_("withdrawn"),
}
RUNS = {"running": N_("under way"), "passed": N_("passed"), "failed": N_("failed"), "interrupted": N_("cut short")}
RESULTS = {"passed": N_("passed"), "warning": N_("passed, with a remark"), "failed": N_("failed")}
KEEPS = {
    "app": N_("accounts of users"),
    "labeler": N_("labels on callers"),
    "sender": N_("lists of people to call or write to"),
}
STREAM_DONE = {
    "changed": N_("Saved."),
    "paused": N_("Paused: events are kept for later."),
    "enabled": N_("It runs again: what was kept goes out now."),
    "verified": N_("A verification event is on its way."),
}

PARTNER_EVENTS = {
    "registered": N_("registered"),
    "secret-rotated": N_("the secret was replaced"),
    "resent": N_("an event was sent again"),
    "recovered": N_("events that were not taken were sent again"),
    "reminded": N_("a reminder was sent"),
    "receipt-refused": N_("a receipt was refused, and nothing of it was taken"),
    "receipt-waits": N_("a receipt waits until an earlier one was taken"),
    "escalated": N_("the answer is late: the carrier was told"),
}

KINDS = {"app": N_("app"), "labeler": N_("caller labels"), "sender": N_("sender")}

CARRIERS = {
    "cmcc": N_("China Mobile"),
    "cucc": N_("China Unicom"),
    "ctcc": N_("China Telecom"),
    "cbn": N_("China Broadnet"),
}

ROLES = {
    "operator": N_("operator"),
    "supervisor": N_("supervisor"),
    "desk": N_("shop desk"),
    "regulator": N_("regulator"),
    "admin": N_("admin"),
}
DID = {
    "roles": N_("roles were set"),
    "disabled": N_("locked out"),
    "enabled": N_("let in again"),
    "password-set": N_("the password was set"),
    "totp-set": N_("an authenticator was set up"),
    "signed-in": N_("signed in"),
    "confirmed": N_("was confirmed"),
    "looked-up-many": N_("alarm: looked up many numbers"),
    "locked-out": N_("locked after wrong tries"),
    "unmasked": N_("saw a whole number"),
    "batch-sent": N_("sent a batch to its partners"),
    "offered": N_("took clean numbers of a prefix"),
    "token-made": N_("a token was made"),
    "tokens-ended": N_("the tokens were ended"),
}

BREACHES = {
    "opened-without-release": N_("sold without a release"),
    "opened-in-freeze": N_("sold during the freeze"),
    "opened-while-held": N_("sold while held: a breach of the hold"),
    "opened-after-stop": N_("sold after it was taken back or objected to"),
    "answered-after-release": N_("objected to after the release"),
    "opened-without-disclosure": N_("sold without a disclosure"),
}


def carrier_name(code: str, plan: NumberingPlan) -> str:
    """A carrier's name: ours are in the catalogue, others as the settings name them."""
    if code in CARRIERS:
        return CARRIERS[code]
    return plan.carriers[code].name if code in plan.carriers else code


PROPOSALS = {"waiver": N_("go on without an answer"), "release": N_("release")}
PROPOSAL_ENDS = {"approved": N_("approved"), "declined": N_("declined"), "withdrawn": N_("withdrawn")}
BATCH_STATES = {
    "all": N_("all"),
    "late": N_("with late answers"),
    "waiting": N_("waiting for answers"),
    "done": N_("no answer awaited"),
}
HOLD_STATES = {
    "binding": N_("binding"),
    "overdue": N_("review overdue"),
    "ended": N_("lifted or expired"),
    "all": N_("all"),
}
ACTS_DONE = {
    "planned": N_("The batch is planned. Nobody has been told yet: send it next."),
    "nothing-due": N_("Nothing is due: no freeze ends within the lead time."),
    "send": N_("Every partner has a notice; workers deliver them now."),
    "remind": N_("Reminders are on their way."),
    "escalate": N_("Escalated: the late partners, and whoever watches for the platform, are told."),
    "retract": N_("The numbers are taken back for good, and partners are told to restore what they cut."),
    "waive": N_("Proposed. Another supervisor has to approve it before anything changes."),
    "release": N_("Proposed. Another supervisor has to approve it before anything is released."),
    "approved": N_("Approved and carried out."),
    "declined": N_("Declined. Whoever proposed it reads your reason."),
    "withdrawn": N_("Withdrawn. Nothing was changed."),
    "confirmed": N_("Confirmed. Their right over waivers and releases has begun."),
    "placed": N_("The hold is placed. These numbers stay frozen until it ends or is lifted."),
    "held-already": N_("The same order binds these numbers already. Nothing was changed."),
    "lifted": N_("The hold is lifted."),
}
NUMBER_STATES = {
    "in_service": N_("in service"),
    "frozen": N_("frozen"),
    "ported_out": N_("ported out to another carrier"),
    "unknown": N_("unknown: no report ever named it"),
}
FACTS = {
    "opened": N_("opened"),
    "cancelled": N_("cancelled: the freeze begins"),
    "reclaimed": N_("reclaimed by its former owner"),
    "transferred": N_("passed to another subscriber"),
    "ported_out": N_("ported out to another carrier"),
    "held": N_("held by an authority's order"),
    "hold-lifted": N_("hold lifted"),
    "hold-ended": N_("hold expired"),
    "planned": N_("put into a batch"),
    "noticed": N_("partners told"),
    "answered": N_("partner answered"),
    "absent": N_("partners without a tie"),
    "waived": N_("gone on without an answer"),
    "retracted": N_("taken back from the batch"),
    "released": N_("released for sale"),
    "disclosed": N_("disclosed to a buyer, who acknowledged it"),
    "disclosure-withdrawn": N_("disclosure withdrawn: the buyer did not take it"),
    "breach": N_("breach"),
    "request-renew": N_("its owner ordered a renewal"),
    "request-leave": N_("its owner left it and had ties cut"),
    "request-inquire": N_("its owner asked who holds ties"),
    "certified": N_("certificate given out"),
    "certificate-revoked": N_("certificate revoked"),
}
EVIDENCE = {
    "report": N_("report"),
    "file": N_("file"),
    "hold": N_("hold"),
    "order": N_("order"),
    "batch": N_("batch"),
    "receipt": N_("receipt"),
    "notice": N_("notice"),
    "waiver": N_("waiver"),
    "retraction": N_("retraction"),
    "release": N_("release"),
    "request": N_("request"),
    "certificate": N_("certificate"),
    "disclosure": N_("record"),
    "text": N_("text and its SHA-256"),
    "signature": N_("SHA-256 of the signature"),
    "code": N_("code by SMS"),
    "reference": N_("in the shop's own system"),
    "breach": N_("breach"),
}

BEHAVIOURS = {
    "plain": N_("answers at once"),
    "debt": N_("refuses numbers with unpaid orders"),
    "pending": N_("says pending first, finishes later"),
    "twice": N_("sends every receipt twice"),
    "down": N_("is down for a while"),
    "parts": N_("answers in parts, out of order"),
    "late": N_("has ties newer than the cut-off"),
    "silent": N_("never answers; waived by an operator"),
    "music": N_("the music app with the singer's account"),
}

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
