"""docs/architecture.md tells whoever never saw the code where things are: it must tell of the code as it is."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from huanxin.domain.answers import OUTCOMES_OF

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs/architecture.md").read_text(encoding="utf-8")


def test_every_room_is_on_the_map_on_its_own_floor() -> None:
    told = re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE, re.MULTILINE)
    (contract, *_) = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    floors = [(str(floor), room) for floor, rooms in enumerate(contract["layers"], start=1) for room in rooms.split(" | ")]
    assert told == floors
    rooms = {one.stem for one in (HOUSE / "src/huanxin").iterdir() if one.stem not in ("__init__", "__pycache__", "py")}
    assert {room for _, room in told} == rooms


def test_every_file_that_the_map_names_is_there() -> None:
    named = re.findall(r"`((?:src|tests|docs)/[^`]+)`", PAGE)
    assert len(named) > 20
    assert [name for name in named if not (HOUSE / name).exists()] == []


def test_what_can_be_ordered_reaches_no_more_than_ten_rooms() -> None:
    """It knew fifteen of them once, each for something that belonged where it was used."""
    room = HOUSE / "src/huanxin/acts"
    said = "\n".join(one.read_text(encoding="utf-8") for one in room.glob("*.py"))
    reached = set(re.findall(r"^(?:from|import) huanxin\.(\w+)", said, re.MULTILINE)) - {"acts"}
    assert len(reached) <= 10, sorted(reached)


def test_no_file_beside_those_of_the_map_lists_the_outcomes() -> None:
    """Whoever adds one would have to find the others by chance. The demo's partners and the benches answer as they like."""
    row = next(line for line in PAGE.splitlines() if line.startswith("| an outcome"))
    known = set(re.findall(r"`(src/[^`]+)`", row))
    words = [{str(one) for one in outcomes} for outcomes in OUTCOMES_OF.values()]
    listing = set()
    for file in (HOUSE / "src").rglob("*.py"):
        name = str(file.relative_to(HOUSE))
        if name.startswith(("src/huanxin/demo/", "src/huanxin/bench/")):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            said = _strings(node)
            if any(len(said & outcomes) >= len(outcomes) - 1 for outcomes in words):
                listing.add(name)
    assert listing - known == set()


def _strings(node: ast.AST) -> set[str]:
    """The texts that a literal lists, or has as keys; names of fields, for a class."""
    if isinstance(node, ast.ClassDef):
        return {one.target.id for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)}
    parts = (
        node.keys if isinstance(node, ast.Dict) else node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else []
    )
    return {one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)}
