"""Node and the libraries that its peers use, or a skip that says what is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

PEERS = Path(__file__).parent / "peers"
HOUSE = Path(__file__).parents[1]


def node(peer: str = "jose", library: str = "jose") -> str:
    """The Node program. Skips the test if it, or the library of a peer, is not here."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("Node is not here: install Node 20 or newer, then run tests/setup_node.sh")
    if not (PEERS / peer / "node_modules" / library).is_dir():
        pytest.skip(f"the library {library} is not here: run tests/setup_node.sh")
    return found


def with_jose(script: Path, folder: Path) -> Path:
    """A copy of a script in a folder where it finds the library."""
    (folder / "node_modules").symlink_to(PEERS / "jose" / "node_modules")
    return Path(shutil.copy(script, folder))
