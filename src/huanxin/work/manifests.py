"""What a partner says of a receipt that it left in its folder, and the receipt itself, compared with that."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from huanxin.domain.errors import BadInput, BadRequest, Fault, HuanxinError
from huanxin.domain.parts import Part
from huanxin.domain.shown import read_json
from huanxin.notify.folders import Folder, Missing
from huanxin.numbersets import tables
from huanxin.words.sentences import Sentence

NAME = re.compile(r"(?P<notice>[A-Za-z0-9_-]{1,100})\.(?P<number>[0-9]{1,9})\.receipt\.json")
_LONGEST = 1 << 16
_MOST_REPLACED = 1000


class Unfinished(Exception):
    """What is there doesn't fit together, as when somebody is still writing it. `seen` tells one state from the next."""

    def __init__(self, error: HuanxinError, seen: str = "") -> None:
        super().__init__(str(error))
        self.error, self.seen = error, seen


class Manifest(BaseModel):
    """What a partner says of a receipt. `count`: its lines but for the heading; `sha256`: hex, of the file as it is;
    `replaces`: numbers of receipts that were not taken, and in whose place this one stands."""

    model_config = ConfigDict(strict=True, frozen=True)

    notice: str
    count: int
    sha256: str = Field(pattern=r"^[0-9a-fA-F]{64}$")
    complete: bool
    receipt: str
    replaces: list[int] = Field(default=[], max_length=_MOST_REPLACED)

    def part(self, number: int) -> Part:
        return Part(number=number, replaces=frozenset(self.replaces), complete=self.complete)


def read_manifest(into: Folder, found: re.Match[str]) -> Manifest:
    """Raises BadRequest for a manifest that can't be meant so, Unfinished for one that may be half written."""
    name = found[0]
    try:
        content = into.read(name, _LONGEST)
    except Missing as error:
        raise Unfinished(BadRequest(error.args[0])) from error
    try:
        read = read_json(content)
    except ValueError as error:
        seen = hashlib.sha256(content).hexdigest()
        raise Unfinished(
            BadRequest(Sentence("the manifest %(file)s is not JSON: %(why)s", file=name, why=error)), seen
        ) from error
    try:
        manifest = Manifest.model_validate(read)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(p) for p in e['loc']) or 'it'}: {e['msg']}" for e in error.errors())
        raise BadRequest(Sentence("the manifest %(file)s can't be used: %(why)s", file=name, why=wrong)) from error
    if why := _cant_be_meant(manifest, found):
        raise BadRequest(why)
    return manifest


def _cant_be_meant(manifest: Manifest, found: re.Match[str]) -> Sentence | None:
    start = f"{found['notice']}.{found['number']}.receipt"
    if found["number"].startswith("0"):
        return Sentence("the numbers of receipts begin with 1 and have no zeros before them; %(file)s has", file=found[0])
    if manifest.notice != found["notice"]:
        return Sentence("the manifest %(file)s names another notice than its own name does", file=found[0])
    if manifest.receipt not in (f"{start}.csv", f"{start}.parquet"):
        return Sentence(
            "the receipt of %(file)s has to be named %(start)s.csv or %(start)s.parquet", file=found[0], start=start
        )
    if not all(1 <= one < int(found["number"]) for one in manifest.replaces):
        return Sentence("%(file)s can replace lower numbers only, from 1 on", file=found[0])
    return None


def not_as_said(why: Sentence) -> BadInput:
    """A receipt that is not what its manifest says."""
    return BadInput(Sentence("%(why)s; nothing of it was taken", why=why), [Fault(line=0, reason=why)])


def fetch_receipt(into: Folder, manifest: Manifest, path: Path, limit: int) -> tables.Source:
    """Copy the receipt here and compare it with its manifest. Raises BadRequest for one that is packed, Unfinished for one
    that doesn't fit."""
    try:
        into.fetch(manifest.receipt, path, limit)
    except Missing as error:
        why = Sentence("%(why)s; its manifest names it", why=error.args[0])
        raise Unfinished(BadRequest(why), manifest.sha256) from error
    try:
        source = tables.inspect(path, workbooks=False, most=limit, count_rows=False)
    except tables.BadTable as error:
        raise Unfinished(BadRequest(error.args[0]), manifest.sha256) from error
    if source.sha256.hex() != manifest.sha256.lower():
        why = Sentence(
            "%(file)s hashes to %(found)s, the manifest says %(said)s",
            file=manifest.receipt, found=source.sha256.hex(), said=manifest.sha256,
        )  # fmt: skip
        raise Unfinished(not_as_said(why), source.sha256.hex())
    if source.packing:
        raise BadRequest(Sentence("receipts are taken as they are, not packed; unpack the file and write it again"))
    return source
