"""Owners' phones, and the worker that tells them, for tests of what they are told."""

from __future__ import annotations

from dataclasses import dataclass, field

from huanxin.acts import Platform
from huanxin.domain.errors import Unavailable
from huanxin.request.sms import Message, Post
from huanxin.work.telling import Teller


@dataclass(kw_only=True)
class Phones:
    """An SMS gateway that takes down what is sent; it takes nothing while it is down."""

    sent: list[Message] = field(default_factory=list)
    down: bool = False

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.sent]

    def send(self, message: Message) -> None:
        if self.down:
            raise Unavailable("the gateway is down")
        self.sent.append(message)

    def teller(self, platform: Platform) -> Teller:
        """The worker that tells owners how their orders ended, through this gateway."""
        return Teller(platform=platform, post=Post(read=platform.read, gateway=self))
