"""What the carrier or the regulator chooses, with the defaults of the field (FACTS)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from huanxin.domain.lifecycle import FREEZE_DAYS
from huanxin.domain.suppression import THRESHOLD

NewId = Callable[[str], str]
"""Makes an identifier that nobody can guess, starting with the given prefix."""


LONGEST_LIFE = timedelta(days=366)
"""The longest that anything the platform signs is good for. A key that was replaced stays published for so long, so that
whatever it signed can be verified to its end."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Days of the freeze; days before its end at which a number is renewed; working days that a partner has to answer;
    days for which a certificate is good; counts below which the public sees none; how many numbers one person may look up
    within an hour."""

    freeze_days: int = FREEZE_DAYS
    lead_days: int = 15
    answer_days: int = 5
    certificate_days: int = 180
    watch_threshold: int = THRESHOLD
    look_ups_an_hour: int = 600


def random_id(prefix: str) -> str:
    """An identifier with 120 random bits, like `nt_Zx…`."""
    return f"{prefix}_{secrets.token_urlsafe(15)}"
