"""Rules of histories: how events reach partners that are up, down, paused, disabled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from huanxin.domain.streams import Status
from oracle import outbox
from oracle.days import midnight
from oracle.machine import Histories, act, chosen, index, only_if
from oracle.world import Partner

LONGEST = timedelta(minutes=16)
"""Longer than the longest pause between two attempts."""


class Deliveries(Histories):
    """Workers push, partners poll."""

    @act(down=st.sampled_from((None, None, 503, 400, 0)))
    def workers_push(self, down: int | None) -> None:
        only_if(any(one.way == "push" for one in self.world.there))
        self.push(down)
        self.step("push" if down is None else "push in vain", aside=True)

    def push(self, down: int | None) -> None:
        """Whatever is due is pushed; with `down`, each push ends so (0: nobody is there)."""
        self.stage.endpoint.down = down
        for _ in range(50):
            if not self.stage.pusher.one_job():
                break
        self.stage.endpoint.down = None
        for status, claims in self.stage.endpoint.log:
            self.arrived(claims, taken=status == 202)
        self.stage.endpoint.log.clear()

    def arrived(self, claims: dict[str, Any], *, taken: bool) -> None:
        partner = self.partner_of(claims["aud"])
        name, event = next(iter(claims["events"].items()))
        name = name.rpartition(":")[2]
        if "notice" in event:
            key = self.driver.about(event["notice"])
            if taken:
                outbox.taken(partner, name, key, self.world.now)
            else:
                outbox.tried_in_vain(partner, name, key, self.world.now)
        elif taken and name.endswith("identifier-recycled"):
            number = int(claims["sub_id"]["phone_number"])
            since = event["event_timestamp"]
            mine = [one for one in partner.recycled if one.number == number and one.state != "dropped"]
            mine = [one for one in mine if midnight(one.carrier, one.day).timestamp() == since]
            assert mine, f"{partner.name} is told of {number}, since {since}, which is no news for it"
            next((one for one in mine if one.state == "open"), mine[-1]).state = "delivered"

    def partner_of(self, client_id: str) -> Partner:
        return next(one for one in self.world.partners if self.driver.partners[one.key].client_id == client_id)

    @act(which=index, acknowledged=st.booleans())
    def partner_polls(self, which: int, acknowledged: bool) -> None:
        partner: Partner = chosen((one for one in self.world.there if one.way == "poll"), which)
        self.poll(partner, acknowledged=acknowledged)
        self.step("poll", aside=True)

    def poll(self, partner: Partner, *, acknowledged: bool = True) -> int:
        """A partner fetches its events and, unless its answer is lost, acknowledges them; how many it got."""
        claims = self.driver.poll(partner.key)
        if acknowledged and claims:
            self.driver.poll(partner.key, acks=[one["jti"] for one in claims], most=0)
            for one in claims:
                self.arrived(one, taken=True)
        return len(claims)

    def write_folders(self) -> None:
        """What waits for partners that exchange files is written into their folders."""
        for _ in range(50):
            if not self.stage.writer.one_job():
                break
            for claims in self.driver.written():
                self.arrived(claims, taken=True)

    @precondition(lambda self: any(one.way == "files" and one.waiting for one in self.world.there))
    @act()
    def folders_are_written(self) -> None:
        self.write_folders()
        self.step("folders written", aside=True)

    @act(which=index, status=st.sampled_from(("paused", "paused", "disabled", "enabled", "enabled")))
    def stream_changes(self, which: int, status: str) -> None:
        partner: Partner = chosen(self.world.there, which)
        only_if(partner.status != status)
        self.change(partner, status)
        self.step(status, aside=True)

    def change(self, partner: Partner, status: str) -> None:
        self.driver.set_status(partner.key, Status(status))
        outbox.set_status(partner, status)

    @precondition(lambda self: any(one.state == "dropped" for partner in self.world.there for one in partner.told))
    @act(which=index)
    def operator_recovers(self, which: int) -> None:
        """Everything that a partner has not taken since some days ago is sent again."""
        partner: Partner = chosen((one for one in self.world.there if one.status == "enabled"), which)
        since = self.world.now - timedelta(days=(3, 30, 300)[which % 3])
        self.driver.recover(partner.key, since)
        outbox.recover(partner, since)
        self.step("recover", aside=True)

    @act()
    def everything_arrives(self) -> None:
        """All partners are up, and the longest pause between two attempts goes by: nothing is left, in no wrong order."""
        only_if(any(partner.waiting for partner in self.world.there))
        for partner in self.world.there:
            if partner.status != "enabled":
                self.change(partner, "enabled")
        for _ in range(3):
            self.pass_to(self.world.now + LONGEST)
            self.push(None)
            self.write_folders()
            for partner in self.world.there:
                while partner.way == "poll" and self.poll(partner):
                    pass
        for partner in self.world.there:
            assert not partner.waiting, f"{partner.name} never got {partner.waiting}"
            assert not outbox.never_last(partner), f"{partner.name} heard of a renewal after its retraction"
        self.step("everything arrives")
