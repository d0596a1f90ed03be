"""An order is called off where nobody was told of it yet."""

from __future__ import annotations

from collections.abc import Sequence

from huanxin.domain.errors import BadInput, Conflict, NotFound
from huanxin.store.database import Tx
from huanxin.store.request import requests
from huanxin.words.sentences import Sentence


def untold(tx: Tx, request_id: str, *, reason: str) -> list[int]:
    """The partners at which an order can be called off. Raises NotFound, BadInput without a reason."""
    if requests.get(tx, request_id) is None:
        raise NotFound(Sentence("there is no such order; `huanxin order list NUMBER` shows a number's"))
    if not reason.strip():
        raise BadInput(Sentence("say why the order is called off; it is recorded"))
    return [one.partner_id for one in requests.notices_of(tx, request_id) if one.untold]


def refuse_told(called_off: Sequence[int]) -> None:
    """Raise Conflict if an order was called off nowhere."""
    if not called_off:
        raise Conflict(
            Sentence("every service was told of this order already, or is being told now; nothing was called off")
        )
