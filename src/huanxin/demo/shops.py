"""The carriers' shops: their software asks what it may sell, and discloses it first; now and then one forgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from huanxin.access import people, tokens
from huanxin.acts import Platform
from huanxin.acts.desk import acknowledge
from huanxin.demo.allotments import CARRIERS
from huanxin.demo.world_reports import ReportFile
from huanxin.disclose.acknowledging import Acknowledgement, Method
from huanxin.disclose.desk import look_up, texts_of
from huanxin.domain.disclosure import ZH, digest
from huanxin.domain.numbers import parse
from huanxin.domain.operators import Operator

_FORGOTTEN = 2  # of each carrier


@dataclass(frozen=True, kw_only=True)
class ShopSystem:
    """The software of one carrier's shops: the account that it works with, and its token."""

    account: Operator
    token: str


def open_shops(platform: Platform, *, by: str) -> dict[str, ShopSystem]:
    """Give each carrier of the demo an account for its software, by carrier."""
    made = {}
    for code in CARRIERS:
        login = f"shop-{code}"
        with platform.act(by) as act:
            account = people.add_operator(
                act, login=login, name=f"{platform.plan.carriers[code].name} 营业系统", roles=["desk", "inventory"],
                carrier=code,
            )  # fmt: skip
            made[code] = ShopSystem(account=account, token=tokens.make_token(act, login))
    return made


def on_offer(shops: Mapping[str, ShopSystem], *, issuer: str, http: httpx.Client) -> list[int]:
    """Ask the platform for all numbers that the carriers may sell now."""
    found: list[int] = []
    for shop in shops.values():
        page, after = {"more": True}, ""
        while page["more"]:
            page = http.get(
                f"{issuer}/carrier/v1/inventory", params={"after": after},
                headers={"Authorization": f"Bearer {shop.token}"},
            ).raise_for_status().json()  # fmt: skip
            found += [parse(one["number"]) for one in page["changes"] if one["change"] == "released"]
            after = page["next"]
    return found


def disclose(platform: Platform, sold: Sequence[ReportFile], *, shops: Mapping[str, ShopSystem]) -> int:
    """Record what buyers acknowledged of the numbers that reports will say were sold, all but a few; how many."""
    done = 0
    for file in sold:
        numbers = [parse(line.partition(",")[0]) for line in file.path.read_text(encoding="utf-8").splitlines()[1:]]
        remembered = numbers[min(_FORGOTTEN, len(numbers) // 3) :]
        with platform.read() as seen:
            told = [one for one in look_up(seen, remembered, seller=file.carrier) if one.for_sale]
        given = [
            Acknowledgement(number=one.number, shown=digest(texts_of(one)[ZH]), method=Method.REFERENCE,
                            evidence=f"{file.carrier.upper()}-{serial:06}")
            for serial, one in enumerate(told, start=1)
        ]  # fmt: skip
        done += acknowledge(platform, given, by=shops[file.carrier].account).new if given else 0
    return done
