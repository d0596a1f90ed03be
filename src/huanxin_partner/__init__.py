"""What a partner installs: take notices, cut the former owner's ties, file receipts.

Give a `TieStore` (what a tie is and how it is cut) to a `Handler`, and mount `receiver_app`.
"""

from huanxin_partner.client import Platform
from huanxin_partner.handler import Handler
from huanxin_partner.journal import Journal
from huanxin_partner.receiver import Worker, receiver_app
from huanxin_partner.ties import Answer, TieStore
from huanxin_partner.tokens import Event, KeysUnreachable, TokenError, Verifier

__all__ = [
    "Answer", "Event", "Handler", "Journal", "KeysUnreachable", "Platform", "TieStore", "TokenError", "Verifier", "Worker",
    "receiver_app",
]  # fmt: skip
