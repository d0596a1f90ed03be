"""`huanxin-partner magic-ties`: the ties that a rehearsal expects in the test database."""

from __future__ import annotations

import argparse
from typing import Any

from huanxin_partner.rehearsal import magic


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("magic-ties", help="print the ties to load into a test database: number,bound_at")
    command.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Print them as CSV."""
    for line in magic.ties_csv():
        print(line)
    return 0
