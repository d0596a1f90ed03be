"""The platform's connections: bounded as those of partners' receivers, but for long bodies, which have limits of their
own."""

from __future__ import annotations

from typing import Any

from huanxin.web.bodies import ALLOWED
from huanxin_partner import connections
from huanxin_partner.connections import Patience


class Bounded(connections.Bounded):
    """A connection of the platform."""

    @property
    def uploads(self) -> bool:
        return self.receiving and getattr(self.cycle.scope.get(ALLOWED), "most", 0) is None


def bounded(most: int | None = None, patience: Patience | None = None) -> Any:
    """The class of a server's connections (`uvicorn.Config(http=...)`)."""
    return connections.bounded(most, patience, kind=Bounded)
