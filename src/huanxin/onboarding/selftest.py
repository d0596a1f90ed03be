"""Self-tests: the scenarios of `huanxin_partner.rehearsal`, played in the sandbox, recorded one by one as they end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from huanxin.acts import Platform
from huanxin.domain.accounts import Account, RunState
from huanxin.domain.errors import Conflict, HuanxinError, TooMany
from huanxin.domain.rules import random_id
from huanxin.domain.streams import Method, way_of
from huanxin.notify.own_folders import FolderRules
from huanxin.onboarding.stage import SandboxStage
from huanxin.outbound import Outbound
from huanxin.signing.keys import Signer
from huanxin.store.acting import PLATFORM
from huanxin.store.connect import partners, selftests
from huanxin.store.connect.selftests import StepDone
from huanxin.store.notify import streams
from huanxin.words.sentences import Sentence
from huanxin_partner.rehearsal.run import Run, ScenarioResult
from huanxin_partner.rehearsal.scenarios import Progress, passed, rehearse

log = logging.getLogger("huanxin.selftest")
_AT_ONCE = 3  # runs of one process: each keeps a thread and a connection for a minute or two
_WAIT = 30  # seconds after which another may find room


class Stopped(HuanxinError):
    """The platform is being stopped, so the self-test ends here."""

    code = "stopped"


@dataclass(frozen=True, kw_only=True)
class Played:
    """A self-test that ran to its end."""

    run: str
    state: RunState
    results: list[ScenarioResult]


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Seconds: for the answers to a few numbers, to 100,000, and for nothing to happen."""

    few: float = 20.0
    many: float = 90.0
    quiet: float = 2.0


BY_FILES = Patience(few=600.0, many=1200.0, quiet=60.0)
"""Folders are looked into now and then, on both sides."""


@dataclass(kw_only=True)
class SelfTests:
    """Runs self-tests: `begin` in a thread, `play` while one waits. One of an account at a time, in all processes."""

    live: Platform
    sandbox: Platform
    signer: Signer
    outbound: Outbound
    folders: FolderRules
    passphrase: str
    patience: Patience = field(default_factory=Patience)
    by_files: Patience = BY_FILES
    _stopping: threading.Event = field(default_factory=threading.Event)
    _running: set[threading.Thread] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, account: Account, *, by: str) -> str:
        """Start a self-test and return its id. Raises Conflict if one is under way or there is no endpoint to drive,
        TooMany if this process is at too many already."""
        with self._lock:
            if len(self._running) >= _AT_ONCE:
                raise TooMany(
                    Sentence("other self-tests are under way; start yours again in half a minute"), retry_after=_WAIT
                )
            with ExitStack() as stack:
                run_id, stage = stack.enter_context(self._begun(account, by))
                rest = stack.pop_all()  # the thread's to close: with it goes the lock of the account
            thread = threading.Thread(target=self._in_thread, args=(rest, run_id, stage), name="selftest", daemon=True)
            self._running.add(thread)
        thread.start()
        return run_id

    def play(self, account: Account, *, by: str, progress: Progress) -> Played:
        """Run a self-test to its end. Raises like `begin`."""
        with self._begun(account, by) as (run_id, stage):
            return self._played(run_id, stage, progress)

    def stop(self, timeout: float = 5.0) -> None:
        """Interrupt what runs, and let it record that."""
        self._stopping.set()
        for thread in list(self._running):
            thread.join(timeout)

    @contextmanager
    def _begun(self, account: Account, by: str) -> Iterator[tuple[str, SandboxStage]]:
        with selftests.alone(self.live.database, account.id):
            stage = self._stage(account)
            run_id = random_id("run")
            with self.live.act(by) as act:
                selftests.add_run(
                    act.tx, run_id=run_id, account_id=account.id, endpoint=way_of(stage.stream), by=act.by, at=act.now
                )
            yield run_id, stage

    def _stage(self, account: Account) -> SandboxStage:
        with self.sandbox.read() as seen:
            partner = partners.by_client_id(seen.tx, account.sandbox_client_id)
            stream = streams.of_partner(seen.tx, partner.id) if partner else None
        assert partner is not None, "an account has a partner in the sandbox from the start"
        if stream is None:
            raise Conflict(Sentence("%(name)s has no stream in the sandbox: make one first", name=account.name))
        return SandboxStage(
            sandbox=self.sandbox, signer=self.signer, outbound=self.outbound, folders=self.folders,
            passphrase=self.passphrase, partner=partner, stream=stream, sleep=self._sleep,
        )  # fmt: skip

    def _in_thread(self, rest: ExitStack, run_id: str, stage: SandboxStage) -> None:
        try:
            with rest:
                self._played(run_id, stage, lambda _code, _result: None)
        except Exception:  # a thread has nobody to tell; without its lock the run counts as interrupted
            log.exception("self-test %s could not be recorded to its end", run_id)
        finally:
            self._running.discard(threading.current_thread())

    def _played(self, run_id: str, stage: SandboxStage, progress: Progress) -> Played:
        results: list[ScenarioResult] = []

        def told(code: str, result: ScenarioResult | None) -> None:
            if self._stopping.is_set():
                raise Stopped("the platform is being stopped")
            if result is not None:
                results.append(result)
                self._record(run_id, len(results), result)
            progress(code, result)

        patience = self.by_files if stage.stream.method == Method.FILES else self.patience
        run = Run(stage=stage, patience=patience.few, large_patience=patience.many, quiet=patience.quiet, sleep=self._sleep)
        try:
            rehearse(run, progress=told)
            state = RunState.PASSED if passed(results) else RunState.FAILED
        except Exception as error:  # not the partner's fault: it is tested again
            if not isinstance(error, Stopped):
                log.exception("self-test %s was interrupted", run_id)
            state = RunState.INTERRUPTED
        with self.live.act(PLATFORM) as act:
            selftests.end_run(act.tx, run_id, state, at=act.now)
        return Played(run=run_id, state=state, results=results)

    def _record(self, run_id: str, position: int, result: ScenarioResult) -> None:
        found = {"zh": result.seen.zh, "en": result.seen.en, "mend": result.mend}
        with self.live.act(PLATFORM) as act:
            selftests.add_step(
                act.tx, run_id,
                StepDone(position=position, scenario=result.code, state=result.state, seconds=result.seconds, found=found,
                         at=act.now),
            )  # fmt: skip

    def _sleep(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Stopped("the platform is being stopped")
