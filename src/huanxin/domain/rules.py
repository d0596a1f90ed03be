"""What the carrier or the regulator chooses, with the defaults of the field (FACTS)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from huanxin.domain.lifecycle import FREEZE_DAYS

NewId = Callable[[str], str]
"""Makes an identifier that nobody can guess, starting with the given prefix."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Days of the freeze; days before its end at which a number is renewed; working days that a partner has to answer."""

    freeze_days: int = FREEZE_DAYS
    lead_days: int = 15
    answer_days: int = 5


def random_id(prefix: str) -> str:
    """An identifier with 120 random bits, like `nt_Zx…`."""
    return f"{prefix}_{secrets.token_urlsafe(15)}"
