"""What partners leave in their folders: names, manifests, and the receipts that those speak of."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from fuzz.fuzzing import tried
from fuzz.mangling import DEEP, altered, as_json, mangled
from huanxin.domain.errors import HuanxinError
from huanxin.notify.folders import open_folder
from huanxin.work.manifests import NAME, Unfinished, fetch_receipt, read_manifest

RECEIPT = b"number,outcome,reason,until\n+8613800138000,unbound,,\n"
MANIFEST = {
    "notice": "nt_a", "count": 1, "sha256": hashlib.sha256(RECEIPT).hexdigest(), "complete": True,
    "receipt": "nt_a.3.receipt.csv", "replaces": [1, 2],
}  # fmt: skip
NAMES = [
    "nt_a.3.receipt.json",
    "nt_a.1.receipt.json",
    "nt_a.03.receipt.json",
    "nt_b.3.receipt.json",
    "nt_a.999999999.receipt.json",
]


@st.composite
def manifests(draw: st.DrawFn) -> tuple[str, bytes, bytes]:
    """A name, what stands in it, and the receipt that lies beside it."""
    content = as_json(draw(altered(MANIFEST)))
    if draw(st.integers(0, 3)) == 0:
        content = draw(mangled([content]))
    receipt = draw(mangled([RECEIPT])) if draw(st.booleans()) else RECEIPT
    return draw(st.sampled_from([NAMES[0]] * 6 + NAMES)), content, receipt


def test_manifests_and_their_receipts(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()

    def read(given: tuple[str, bytes, bytes]) -> None:
        name, content, receipt = given
        (tmp_path / "in" / name).write_bytes(content)
        found = NAME.fullmatch(name)
        assert found
        try:
            with open_folder(str(tmp_path / "in")) as into:
                manifest = read_manifest(into, found)
            assert manifest.part(int(found["number"])).replaces <= set(range(1, int(found["number"])))
            (tmp_path / "in" / manifest.receipt).write_bytes(receipt)
            with open_folder(str(tmp_path / "in")) as into:
                fetch_receipt(into, manifest, tmp_path / "fetched", 1 << 20)
        except Unfinished as half:
            raise half.error from half

    def known(**changed: Any) -> tuple[str, bytes, bytes]:
        return NAMES[0], as_json(MANIFEST | changed), RECEIPT

    odd = [
        known(), known(count=10**400), known(replaces=[10**400]), known(replaces=[True]), known(receipt="../../etc/passwd"),
        known(receipt="nt_a.3.receipt.csv\0"), known(sha256="0" * 64 + "\n"), known(notice="\ud800"),
        (NAMES[0], b"[" * DEEP + b"]" * DEEP, RECEIPT), (NAMES[0], b"9" * 5000, RECEIPT), (NAMES[0], b"", RECEIPT),
        (NAMES[0], as_json(MANIFEST), b""), (NAMES[0], as_json(MANIFEST), b"\x1f\x8b\x08\x00"),
    ]  # fmt: skip
    tried(request, read, manifests(), known=odd, refuses=(HuanxinError,))
