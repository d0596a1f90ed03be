"""Who looks up how many numbers: limits by the hour, and an alarm where somebody seems to go through numbers in turn.

Whoever may look up numbers one by one could go through all of them, and learn which an authority holds or whose owners came
back. What a shop needs in an hour is far less than what that takes.
"""

from __future__ import annotations

import logging
import math

from huanxin.domain.errors import TooMany
from huanxin.domain.operators import Operator
from huanxin.store.access import looked_up, operators
from huanxin.store.acting import Act
from huanxin.words.sentences import Sentence

ALARM = "looked-up-many"
_SUSPECT = 100
"""As many numbers that are not for sale within an hour, more than half of all, are no shop's ordinary work."""

log = logging.getLogger("huanxin.access")


def count(act: Act, person: Operator, *, numbers: int, blocked: int = 0) -> TooMany | None:
    """Count what a person is about to look up; the error to raise, once this is committed, if it would be too many.

    An alarm is recorded when somebody comes to the limit, or asks mostly for numbers that are not for sale; once an hour.
    """
    before = looked_up.within(act.tx, person.id, act.now)
    over = numbers > 0 and before.numbers + numbers > act.rules.look_ups_an_hour
    looked_up.add(act.tx, person.id, act.now, numbers=0 if over else numbers, blocked=blocked)
    odd = before.blocked + blocked >= _SUSPECT and 2 * (before.blocked + blocked) > before.numbers + numbers
    if (over or odd) and not operators.happened_since(act.tx, person.id, ALARM, looked_up.hour_of(act.now)):
        detail = {"numbers": before.numbers + numbers, "blocked": before.blocked + blocked}
        operators.note(act.tx, person.id, ALARM, by="platform", at=act.now, detail=detail)
        log.warning("%s looked up many numbers within an hour: %s", person.login, detail)
    if not over:
        return None
    wait = math.ceil((looked_up.hour_of(act.now) + looked_up.HOUR - act.now).total_seconds())
    return TooMany(
        Sentence(
            "%(login)s may look up %(most)s numbers an hour; this would be more. Try again in %(minutes)s min, or ask the"
            " platform for more",
            login=person.login, most=f"{act.rules.look_ups_an_hour:,}", minutes=math.ceil(wait / 60),
        ),
        retry_after=wait,
    )  # fmt: skip
