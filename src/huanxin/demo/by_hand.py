"""What is left to be done by hand after the main job: ties that batch renewal missed, on one number that was sold again."""

from __future__ import annotations

from huanxin.demo.job import Job
from huanxin.demo.partner_store import UNPAID, add_ties
from huanxin.demo.world_ties import SINGER

_LONG_AGO = "2019-05-01T08:00:00Z"
_LEFT = {
    "music": (SINGER, ""), "debt": ("用户 0000a1", UNPAID), "pending": ("用户 0000a2", ""), "twice": ("用户 0000a3", ""),
}  # fmt: skip
"""By the behaviour of a partner: whose account it is, and what is noted on it. The singer's is that of the article, and the
one with something unpaid is refused."""


def missed_number(job: Job) -> int:
    """Leave a few accounts of a former owner on a number that was sold; that number. After the audit, which would say so."""
    sold = [
        line.split(",")[0]
        for file in sorted((job.folder / "opened").iterdir())
        for line in file.read_text().splitlines()[1:]
    ]
    number = next(int(one) for one in sold if int(one) != job.world.singer_number)
    for partner in job.partners:
        if partner.spec.behaviour in _LEFT:
            owner, note = _LEFT[partner.spec.behaviour]
            add_ties(partner.database, [(f"+{number}", _LONG_AGO, owner, note, _LONG_AGO)])
    return number
