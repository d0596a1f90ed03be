"""What to do about each line of the checklist that is not done, in words."""

from __future__ import annotations

from huanxin.domain.accounts import Item, NotDone, ToDo
from huanxin.words.sentences import Sentence

_SENTENCES: dict[tuple[ToDo, NotDone], Sentence] = {
    (ToDo.DOMAIN, NotDone.NOT_YET): Sentence(
        "serve the challenge at the domain, or add the TXT entry, then ask for the proof"
    ),
    (ToDo.ENDPOINT, NotDone.NOT_YET): Sentence("make a stream in the sandbox, pushed to or polled"),
    (ToDo.SELFTEST, NotDone.NOT_YET): Sentence("run the self-test"),
    (ToDo.SELFTEST, NotDone.RUNNING): Sentence("the self-test is under way; wait for its end"),
    (ToDo.SELFTEST, NotDone.FAILED): Sentence("mend what the self-test found, then run it again"),
    (ToDo.SELFTEST, NotDone.INTERRUPTED): Sentence("the self-test was cut short; run it again"),
    (ToDo.SELFTEST, NotDone.OTHER_ENDPOINT): Sentence("the endpoint has changed since the self-test; run it again"),
    (ToDo.SELFTEST, NotDone.TOO_OLD): Sentence("the self-test is more than 30 days old; run it again"),
    (ToDo.ADMITTED, NotDone.NOT_YET): Sentence("the operator has to admit you; ask when the steps before are done"),
    (ToDo.ADMITTED, NotDone.WITHDRAWN): Sentence(
        "the operator has withdrawn your admission; ask why, and to be admitted again"
    ),
    (ToDo.LIVE, NotDone.NOT_YET): Sentence("take the live credentials, once you are admitted"),
    (ToDo.LIVE_ENDPOINT, NotDone.NOT_YET): Sentence("make a live stream, pushed to or polled"),
    (ToDo.LIVE_ENDPOINT, NotDone.NOT_VERIFIED): Sentence(
        "the live endpoint has not taken a verification event yet: see that it runs, and ask for one (the SSF API)"
    ),
}


def what_to_do(item: Item) -> str:
    """How a line gets done; empty if it is."""
    return _SENTENCES[(item.step, item.why)] if item.why else ""
