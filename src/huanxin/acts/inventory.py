"""Carriers' inventories: what changed is noted before anybody is told."""

from __future__ import annotations

from pathlib import Path

from huanxin.acts.platform import Platform
from huanxin.domain.operators import Operator
from huanxin.release import inventory, inventory_files
from huanxin.release.inventory import Page
from huanxin.store.access import operators
from huanxin.store.acting import PLATFORM
from huanxin.store.release import inventories


def look(platform: Platform) -> None:
    """Note what has changed of what carriers may sell, a batch at a time, so that nobody waits for more than one."""
    with platform.read() as seen:
        wanted, everything = inventory.unseen(seen)
    for batch_id in wanted:
        with platform.act(PLATFORM) as act:
            inventory.note_changes(act, batch_id)
    if wanted:
        with platform.act(PLATFORM) as act:
            inventory.all_seen(act, everything)


def next_page(platform: Platform, carrier: str, *, after: str = "", most: int) -> Page:
    """The next page of a carrier's inventory. Once there is nothing more on record, it is looked whether there should be."""
    if not after:
        look(platform)
    with platform.read() as seen:
        found = inventory.page(seen, carrier, after=after, most=most)
    if found.more or not after:
        return found
    look(platform)
    with platform.read() as seen:
        return inventory.page(seen, carrier, after=after, most=most)


def taken(platform: Platform, system: Operator, *, after: str, most: int) -> Page:
    """The same for a carrier's system; that it took whole numbers is on record."""
    assert system.carrier is not None
    found = next_page(platform, system.carrier, after=after, most=most)
    if found.lines:
        with platform.act(system.login) as act:
            detail = {"carrier": system.carrier, "numbers": len(found.lines)}
            operators.note(act.tx, system.id, "inventory-taken", by=act.by, at=act.now, detail=detail)
    return found


def write_files(platform: Platform, folder: Path, carrier: str | None = None, *, by: str = PLATFORM) -> list[Path]:
    """Write one carrier's inventory (or everyone's) into a folder; the files written."""
    look(platform)
    with platform.read() as seen:
        carriers = [carrier] if carrier else inventories.carriers(seen.tx)
    made = []
    for one in carriers:
        with platform.act(by) as act:
            made += inventory_files.write(act, folder, one)
    return made
