"""What is found when a rule is applied to one number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One rule applied to the number: does it hold the number back (`ok` False), in words, and by which facts."""

    rule: str
    ok: bool
    text: str
    evidence: str = ""
