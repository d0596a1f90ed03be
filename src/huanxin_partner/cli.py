"""`huanxin-partner`: a site connects with one command. Each command is a module of `commands`."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from huanxin_partner.commands import file, listen, magic_ties, poll, receive, selftest, survey, verify
from huanxin_partner.commands.settings import BadSettings

_COMMANDS = (receive, poll, file, listen, verify, survey, selftest, magic_ties)
_ABOUT = "Take renewal notices and answer them: 接收焕新通知，解除旧绑定，提交回执。"
_EPILOG = """\
Settings stand in a TOML file (--config) or in HUANXIN_PARTNER_* of the environment, which wins; keep the secret there.

exit codes
  0  done; verify: the token verifies; selftest: nothing failed
  1  it was looked at and isn't right: the token doesn't verify, a time is in doubt, a scenario failed, a file was refused,
     or the disk is full
  2  the command was written wrongly
  3  a setting is missing, unknown, or can't be used
"""
REFUSED, WRONG_SETTING = 1, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    given = parser().parse_args(arguments)
    try:
        ended = int(given.run(given))
        sys.stdout.flush()
        return ended
    except BadSettings as error:
        print(f"huanxin-partner: {error}", file=sys.stderr)
        return WRONG_SETTING
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python tries once more, and complains itself
        print(f"huanxin-partner: {error.strerror}; make room, and run it again", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return 0  # Ctrl-C and SIGTERM are how a loop is meant to end


def parser() -> argparse.ArgumentParser:
    """The commands with their options."""
    top = argparse.ArgumentParser(
        prog="huanxin-partner", description=_ABOUT, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    return top


if __name__ == "__main__":
    sys.exit(main())
