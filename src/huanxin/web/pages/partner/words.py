"""The words of partners' pages, keyed by their codes; English here, translated on the way out."""

from __future__ import annotations

from huanxin.web.pages.labels import STREAM_STATUS
from huanxin.words.sentences import N_

PURPOSES = {"renewal": N_("Renewal"), "retraction": N_("Retraction")}

EVENTS = {
    "urn:huanxin:event:renewal": N_("Renewal notice"),
    "urn:huanxin:event:retraction": N_("Retraction notice"),
    "urn:huanxin:event:reminder": N_("Reminder"),
    "urn:huanxin:event:inquiry": N_("Inquiry"),
    "https://schemas.openid.net/secevent/risc/event-type/identifier-recycled": N_("Number has a new owner"),
    "https://schemas.openid.net/secevent/ssf/event-type/verification": N_("Verification of the stream"),
    "https://schemas.openid.net/secevent/ssf/event-type/stream-updated": N_("Status of the stream changed"),
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
    "made-required": N_("your answers are waited for from now on"),
    "made-optional": N_("your answers are not waited for any more"),
    "renamed": N_("you have another name"),
    "off-boarded": N_("you were disconnected"),
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

NAMES = {
    "purpose_names": PURPOSES,
    "status_names": STREAM_STATUS,
    "event_names": EVENTS,
    "partner_event_names": PARTNER_EVENTS,
    "step_names": STEPS,
    "why_names": WHY,
    "run_names": RUNS,
    "result_names": RESULTS,
    "keeps_names": KEEPS,
    "done_words": STREAM_DONE,
}
"""By name in the templates."""
