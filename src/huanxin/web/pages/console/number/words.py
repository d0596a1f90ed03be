"""The words of one number's history, keyed by their codes."""

from __future__ import annotations

from huanxin.words.sentences import N_

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
    "ported_in": N_("taken in from another carrier, with its owner"),
    "taken-back-opened": N_("taken back, since the report was wrong: opened"),
    "taken-back-cancelled": N_("taken back, since the report was wrong: cancelled"),
    "taken-back-reclaimed": N_("taken back, since the report was wrong: reclaimed"),
    "taken-back-transferred": N_("taken back, since the report was wrong: transferred"),
    "taken-back-ported_out": N_("taken back, since the report was wrong: ported_out"),
    "taken-back-ported_in": N_("taken back, since the report was wrong: ported_in"),
    "taken-back-in_service": N_("taken back, since the report was wrong: in service since then"),
    "taken-back-served": N_("taken back, since the report was wrong: in service"),
    "in_service": N_("in service since then, as its carrier’s baseline says"),
    "served": N_("in service, as its carrier’s baseline says"),
    "held": N_("held by an authority's order"),
    "hold-lifted": N_("hold lifted"),
    "hold-ended": N_("hold expired"),
    "planned": N_("put into a batch"),
    "called-off": N_("its batch called off before anybody was told"),
    "noticed": N_("partners told"),
    "answered": N_("partner answered"),
    "absent": N_("partners without a tie"),
    "waived": N_("gone on without an answer"),
    "waiver-withdrawn": N_("the waiver withdrawn: the answer is waited for again"),
    "retracted": N_("taken back from the batch"),
    "released": N_("released for sale"),
    "disclosed": N_("disclosed to a buyer, who acknowledged it"),
    "disclosure-withdrawn": N_("disclosure withdrawn: the buyer did not take it"),
    "breach": N_("breach"),
    "request-renew": N_("its owner ordered a renewal"),
    "request-leave": N_("its owner left it and had ties cut"),
    "request-inquire": N_("its owner asked who holds ties"),
    "request-off": N_("the order was called off before the service was told"),
    "request-retract": N_("an order was taken back, since the day that it went by was corrected"),
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

NAMES = {
    "number_state_names": NUMBER_STATES,
    "fact_names": FACTS,
    "evidence_names": EVIDENCE,
}
"""By name in the templates."""
