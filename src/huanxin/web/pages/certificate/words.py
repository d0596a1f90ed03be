"""The words for what is said of a certificate, keyed by their codes; English here, translated on the way out."""

from __future__ import annotations

from dataclasses import dataclass

from huanxin.words.sentences import N_


@dataclass(frozen=True, kw_only=True)
class VerdictWords:
    """A verdict in plain words: a state of labels.ICONS for icon and colour, the word, what it means, what to do."""

    tone: str
    word: str
    meaning: str
    todo: str


ANSWERS = {
    "valid": VerdictWords(
        tone="unbound", word=N_("This certificate is good"),
        meaning=N_("It was issued here, nothing in it was changed, and the number has not changed hands since."),
        todo=N_("Compare the number below with the one on the certificate that you were shown."),
    ),
    "expired": VerdictWords(
        tone="pending", word=N_("This certificate has expired"),
        meaning=N_("It was issued here and what it says is still on record, but its time is over."),
        todo=N_("Ask whoever showed it to you for a new one; it takes a minute."),
    ),
    "revoked": VerdictWords(
        tone="refused", word=N_("This certificate was revoked"),
        meaning=N_("It was issued here and is no longer good."),
        todo=N_("Don't rely on it. If it is yours, ask for a new one or ask your carrier."),
    ),
    "ended": VerdictWords(
        tone="refused", word=N_("The number has changed hands again"),
        meaning=N_("The number was cancelled or passed on after this certificate was issued, as its carrier reported."),
        todo=N_("Don't rely on it: whoever holds it no longer holds the number."),
    ),
    "corrected": VerdictWords(
        tone="refused", word=N_("The record was corrected"),
        meaning=N_("Carriers' reports no longer say what this certificate says."),
        todo=N_("Don't rely on it. Ask whoever showed it to you for a new one."),
    ),
    "moved": VerdictWords(
        tone="pending", word=N_("We can't tell today"),
        meaning=N_(
            "The number was taken to another carrier, which has not reported it yet. It may still have the same owner."
        ),
        todo=N_("Ask its present carrier, or check again later."),
    ),
    "not_ours": VerdictWords(
        tone="refused", word=N_("This is not a certificate of ours"),
        meaning=N_("It was not issued here, or it was altered or cut off on its way."),
        todo=N_("Scan the code on the certificate again, or paste its whole text. If it stays so, don't rely on it."),
    ),
}  # fmt: skip

REVOKED = {
    "holder": N_("its holder asked for it"),
    "mistake": N_("it was issued by mistake"),
    "dispute": N_("the number is in dispute"),
}
BEFORE = {
    "another_subscriber": N_("it belonged to somebody else"),
    "nobody_reported": N_("it belonged to nobody, as far as carriers have reported"),
}

TOO_LONG = N_("This text is far longer than a certificate. Copy the text of the certificate alone.")
EMPTY = N_("Paste the text of a certificate, its number or its address first.")
NO_NUMBER = N_("This is not a phone number. Write all its digits, such as 138 0013 8000.")
TOO_OFTEN = N_("This certificate was compared with too many numbers today. Try again tomorrow, or paste its text.")
