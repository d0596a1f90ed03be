"""Write what four carriers might have reported to a folder: see examples/README.md."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from huanxin.demo.world import make_reports


def main() -> None:
    """Parse the arguments, write the files, say what was written."""
    china_today = (datetime.now(UTC) + timedelta(hours=8)).date()
    parser = argparse.ArgumentParser(
        description="Make carriers' reports on the Chinese numbering plan; the same seed, the same bytes."
    )
    parser.add_argument("--numbers", type=int, default=200_000, help="how many phone numbers (default: 200,000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--today", type=date.fromisoformat, default=china_today, help="the day that the reports lead up to")
    parser.add_argument("--out", type=Path, default=Path("reports"), help="the folder to write to (default: reports)")
    parser.add_argument("--packed", action="store_true", help="put gzip around every CSV")
    chosen = parser.parse_args()
    try:
        world = make_reports(chosen.out, numbers=chosen.numbers, seed=chosen.seed, today=chosen.today, packed=chosen.packed)
    except ValueError as error:
        parser.error(str(error))
    for file in world.files:
        print(f"{file.path}: {file.lines:,} lines, {file.repeated} of them repeated and {len(file.broken)} broken")
    print(f"{world.holds.path}: {len(world.holds.numbers):,} numbers held until {world.holds.until}")


if __name__ == "__main__":
    main()
