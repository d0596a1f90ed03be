"""`huanxin-partner selftest`: rehearse a partner's program offline, against a stand-in platform on this machine.

Pushed to, polling or exchanging files, the program is driven through the same scenarios (rehearsal.scenarios).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from huanxin_partner.commands.settings import STORE, BadSettings, Settings, a_port, add_config, load, seconds, web_address
from huanxin_partner.commands.survey import as_json, lines_of, of_table
from huanxin_partner.folders import FilesUnavailable, Folder
from huanxin_partner.rehearsal.by_files import FilesStandIn
from huanxin_partner.rehearsal.polled import PolledStandIn
from huanxin_partner.rehearsal.run import Run, ScenarioResult
from huanxin_partner.rehearsal.scenarios import passed, rehearse
from huanxin_partner.rehearsal.standin import StandIn
from huanxin_partner.rehearsal.words import SCENARIOS, Words
from huanxin_partner.surveys import Survey
from huanxin_partner.trial import TrialFailed, trial

_PORT = 8690
_MARKS = {"passed": "✓", "warning": "!", "failed": "✗"}
_NAMED = {"passed": Words("通过", "passed"), "warning": Words("提醒", "warning"), "failed": Words("未通过", "failed")}
_HOW_TO = Words(
    "演练（号码均为虚构）：您的程序须有以下设置，测试库中须有 huanxin-partner magic-ties 打印的绑定：",
    "Rehearsal with made-up numbers. Your program needs these settings, and in its test database the ties that"
    " huanxin-partner magic-ties prints:",
)
_OWN = Words(
    "演练（号码均为虚构）：已按设置启动 huanxin-partner {command}，使用其数据表的空副本，原数据库不受影响。",
    "Rehearsal with made-up numbers. huanxin-partner {command} was started with your settings on an empty copy of its"
    " tables; your database is not touched.",
)


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("selftest", help="rehearse your program offline, with a stand-in platform")
    tested = command.add_mutually_exclusive_group()
    tested.add_argument("--start", choices=["receive", "poll", "file"], default="receive",
                        help="start this command with --config, and test it (receive)")  # fmt: skip
    tested.add_argument("--endpoint", type=web_address, metavar="URL", help="test your receiver, which takes events there")
    tested.add_argument("--polling", action="store_true", help="test your program, which polls")
    tested.add_argument(
        "--folder", type=Path, metavar="DIR", help="test your program, which reads DIR/OUT and writes DIR/IN"
    )
    add_config(command, STORE)
    command.add_argument(
        "--port", type=a_port, default=_PORT, help=f"of the stand-in platform ({_PORT}; 0 takes a free one)"
    )
    command.add_argument(
        "--only", action="append", choices=list(SCENARIOS), default=[], help="play this scenario; repeat for more"
    )
    command.add_argument("--patience", type=seconds, default=30, metavar="SECONDS", help="to wait for a few answers (30)")
    command.add_argument(
        "--lang", choices=["zh", "en"], default="zh" if os.environ.get("LANG", "").startswith("zh") else "en"
    )
    command.add_argument("--json", action="store_true", help="one JSON object on the last line")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Play the scenarios; 0 if none failed."""
    settings = load(given.config, () if _is_own(given) else STORE)
    survey = None if _is_own(given) else of_table(settings)
    for words in lines_of(survey) if survey else ():
        print(_in(given.lang, words))
    try:
        with TemporaryDirectory(prefix="huanxin-folders-", ignore_cleanup_errors=True) as spare:
            folder = given.folder or Path(spare)
            with _stand_in(given, settings, folder) as stand_in, _tested(given, settings, stand_in, folder) as check:

                def progress(code: str, result: ScenarioResult | None) -> None:
                    check()
                    _progress(given.lang, code, result)

                results = rehearse(Run(stage=stand_in, patience=given.patience), only=given.only, progress=progress)
    except (TrialFailed, FilesUnavailable) as error:
        raise BadSettings(str(error)) from error
    _conclude(given, results, survey)
    return 0 if passed(results) else 1


def _is_own(given: argparse.Namespace) -> bool:
    """Whether it is the partner's own program that is tested, and not one of our commands."""
    return bool(given.endpoint or given.polling or given.folder)


def _stand_in(given: argparse.Namespace, settings: Settings, folder: Path) -> StandIn:
    """The platform for the way in which the program is told."""
    client, secret = str(settings.get("client_id") or "rehearsal"), str(settings.get("client_secret") or "rehearsal-secret")
    way = None if _is_own(given) else given.start
    try:
        if given.polling or way == "poll":
            return PolledStandIn(client_id=client, client_secret=secret, port=given.port)
        if given.folder or way == "file":
            out, into = _folder(folder, "OUT"), _folder(folder, "IN")
            return FilesStandIn(out=out, into=into, client_id=client, client_secret=secret, port=given.port)
        return StandIn(endpoint=given.endpoint or "", client_id=client, client_secret=secret, port=given.port)
    except OSError as error:
        raise BadSettings(
            f"port {given.port} can't be used for the stand-in platform: {error}; choose one with --port"
        ) from error


def _folder(above: Path, name: str) -> Folder:
    try:
        (above / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSettings(f"{above / name} can't be made: {error.strerror}; name a folder with --folder") from error
    return Folder(str(above / name))


@contextmanager
def _tested(given: argparse.Namespace, settings: Settings, stand_in: StandIn, folder: Path) -> Iterator[Callable[[], None]]:
    """See that the program runs; what checks that it still does. Raises TrialFailed."""
    own = {name: str(getattr(stand_in, name)) for name in ("issuer", "client_id", "client_secret")}
    if given.folder or not _is_own(given):
        own |= {"files_out": str(folder / "OUT"), "files_in": str(folder / "IN")}
    if _is_own(given):
        print(_in(given.lang, _HOW_TO))
        for name, value in own.items():
            print(f'    {name} = "{value}"')
        print(flush=True)
        yield lambda: None
        return
    with trial(given.start, settings, **own) as started:
        if given.start == "receive":
            stand_in.endpoint = started.endpoint
            started.wait_until(started.listens)
        if isinstance(stand_in, PolledStandIn):
            started.wait_until(stand_in.polled.is_set)
        print(_in(given.lang, _OWN).format(command=given.start), flush=True)
        yield started.check


def _progress(lang: str, code: str, result: ScenarioResult | None) -> None:
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


def _conclude(given: argparse.Namespace, results: list[ScenarioResult], survey: Survey | None) -> None:
    counts = {state: sum(result.state == state for result in results) for state in _NAMED}
    print(" · ".join(f"{_in(given.lang, _NAMED[state])} {count}" for state, count in counts.items()))
    if given.json:
        played = [{"code": one.code, "state": one.state, "seconds": round(one.seconds, 3), "seen": one.seen._asdict(),
                 "mend": one.mend, "how": one.how._asdict()} for one in results]  # fmt: skip
        ties = {"ties": as_json(survey)} if survey else {}
        print(json.dumps({"passed": passed(results), "scenarios": played} | ties, ensure_ascii=False))


def _in(lang: str, words: Words) -> str:
    return words.zh if lang == "zh" else words.en
