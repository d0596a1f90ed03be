"""`huanxin-partner selftest`: rehearse a receiver offline, against a stand-in platform on this machine."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from huanxin_partner.commands.settings import STORE, BadSettings, Settings, add_config, load
from huanxin_partner.rehearsal.run import Result, Run
from huanxin_partner.rehearsal.scenarios import passed, rehearse
from huanxin_partner.rehearsal.standin import StandIn
from huanxin_partner.rehearsal.words import SCENARIOS, Words
from huanxin_partner.trial import TrialFailed, trial_receiver

_PORT = 8690
_MARKS = {"passed": "✓", "warning": "!", "failed": "✗"}
_NAMED = {"passed": Words("通过", "passed"), "warning": Words("提醒", "warning"), "failed": Words("未通过", "failed")}
_HOW_TO = Words(
    "演练（号码均为虚构）：{endpoint} 的接收端须有以下设置，测试库中须有 huanxin-partner magic-ties 打印的绑定：",
    "Rehearsal with made-up numbers. The receiver at {endpoint} needs these settings, and in its test database the ties that"
    " huanxin-partner magic-ties prints:",
)
_OWN = Words(
    "演练（号码均为虚构）：已按设置启动接收端，使用其数据表的空副本，原数据库不受影响。",
    "Rehearsal with made-up numbers. A receiver was started with your settings on an empty copy of its tables; your database"
    " is not touched.",
)


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("selftest", help="rehearse your receiver offline, with a stand-in platform")
    command.add_argument("--endpoint", metavar="URL", help="where your receiver takes events; without it one is started"
                         " with --config")  # fmt: skip
    add_config(command, STORE)
    command.add_argument("--port", type=int, default=_PORT, help=f"of the stand-in platform ({_PORT}; 0 takes a free one)")
    command.add_argument(
        "--only", action="append", choices=list(SCENARIOS), default=[], help="play this scenario; repeat for more"
    )
    command.add_argument("--patience", type=float, default=30, metavar="SECONDS", help="to wait for a few answers (30)")
    command.add_argument(
        "--lang", choices=["zh", "en"], default="zh" if os.environ.get("LANG", "").startswith("zh") else "en"
    )
    command.add_argument("--json", action="store_true", help="one JSON object on the last line")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Play the scenarios; 0 if none failed."""
    settings = load(given.config, () if given.endpoint else STORE)
    try:
        stand_in = StandIn(
            endpoint=given.endpoint or "", port=given.port, client_id=str(settings.get("client_id") or "rehearsal"),
            client_secret=str(settings.get("client_secret") or "rehearsal-secret"),
        )  # fmt: skip
    except OSError as error:
        raise BadSettings(
            f"port {given.port} can't be used for the stand-in platform: {error}; choose one with --port"
        ) from error
    with stand_in, _receiver(given, settings, stand_in):
        results = rehearse(Run(stage=stand_in, patience=given.patience), only=given.only,
                           progress=lambda code, result: _progress(given.lang, code, result))  # fmt: skip
    _conclude(given, results)
    return 0 if passed(results) else 1


@contextlib.contextmanager
def _receiver(given: argparse.Namespace, settings: Settings, stand_in: StandIn) -> Iterator[None]:
    if given.endpoint:
        print(_in(given.lang, _HOW_TO).format(endpoint=given.endpoint))
        for name in ("issuer", "client_id", "client_secret"):
            print(f'    {name} = "{getattr(stand_in, name)}"')
        print(flush=True)
        yield
        return
    try:
        with trial_receiver(settings, issuer=stand_in.issuer, client_id=stand_in.client_id,
                            client_secret=stand_in.client_secret) as endpoint:  # fmt: skip
            stand_in.endpoint = endpoint
            print(_in(given.lang, _OWN), flush=True)
            yield
    except TrialFailed as error:
        raise BadSettings(str(error)) from error


def _progress(lang: str, code: str, result: Result | None) -> None:
    if result is None:
        if sys.stdout.isatty():
            print(f"… {_in(lang, SCENARIOS[code])}", end="\r", flush=True)
        return
    print(
        f"{_MARKS[result.state]} {_in(lang, result.title)} [{code}] {result.seconds:.1f} s: {_in(lang, result.seen)}",
        flush=True,
    )
    if result.mend:
        print(f"    [{result.mend}] {_in(lang, result.how)}", flush=True)


def _conclude(given: argparse.Namespace, results: list[Result]) -> None:
    counts = {state: sum(result.state == state for result in results) for state in _NAMED}
    print(" · ".join(f"{_in(given.lang, _NAMED[state])} {count}" for state, count in counts.items()))
    if given.json:
        told = [{"code": one.code, "state": one.state, "seconds": round(one.seconds, 3), "seen": one.seen._asdict(),
                 "mend": one.mend, "how": one.how._asdict()} for one in results]  # fmt: skip
        print(json.dumps({"passed": passed(results), "scenarios": told}, ensure_ascii=False))


def _in(lang: str, words: Words) -> str:
    return words.zh if lang == "zh" else words.en
