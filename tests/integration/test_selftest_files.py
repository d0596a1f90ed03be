"""A company that exchanges files is tested through its folders, passes, goes live, and may be shown out again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from connecting import RECEIVER, settings_of
from exchanging import rules_of, signer_of, writer_of
from huanxin.acts import Platform, open_platform
from huanxin.answer.receiving import Rosters
from huanxin.connect.proving import record_proof
from huanxin.domain.accounts import RunState, state
from huanxin.domain.errors import BadInput, Conflict, Unauthorized
from huanxin.notify.files import use_files
from huanxin.notify.partners import with_secret
from huanxin.onboarding.accounts import Onboarding
from huanxin.onboarding.selftest import Patience, Played
from huanxin.settings import Mode, Settings
from huanxin.store.connect import partners
from huanxin.store.notify import streams
from huanxin.web.app import create_app
from huanxin.work.inboxes import InboxReader
from huanxin.work.refusals import note_refusal
from huanxin_partner.rehearsal.words import SCENARIOS
from processes import free_port, started
from serving import served

QUICK = Patience(few=20, many=60, quiet=0.6)


@pytest.fixture
def onboarding(dsn: str, tmp_path: Path) -> Iterator[Onboarding]:
    """Both platforms, served where their issuers say; folders are looked into all the time."""
    port = free_port()
    settings = Settings(
        home=tmp_path / "home", database_url=dsn, mode=Mode.DEVELOPMENT, key_passphrase="test",
        issuer=f"http://127.0.0.1:{port}",
    )  # fmt: skip
    with open_platform(settings) as live, open_platform(settings, sandbox=True) as sandbox:
        app = create_app(live, settings, sandbox=sandbox, run_workers=False)
        app.state.onboarding.selftests.by_files = QUICK
        with served(app, port=port), looking_into_folders(sandbox):
            yield app.state.onboarding


@contextmanager
def looking_into_folders(sandbox: Platform) -> Iterator[None]:
    reader = InboxReader(
        platform=sandbox, rosters=Rosters(sandbox.read), signer=signer_of(sandbox), folders=rules_of(sandbox),
        every=timedelta(0), limit=1 << 24,
        on_refusal=note_refusal,
    )  # fmt: skip
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            reader.one_job()

    thread = threading.Thread(target=look)
    thread.start()
    yield
    over.set()
    thread.join()


def folders(place: Path) -> tuple[str, str]:
    for name in ("OUT", "IN"):
        (place / name).mkdir(parents=True)
    return str(place / "OUT"), str(place / "IN")


def rehearsed(onboarding: Onboarding, name: str) -> Played:
    return onboarding.selftests.play(onboarding.named(name), by="li", progress=lambda *_: None)


def test_a_company_that_exchanges_files_passes_goes_live_and_is_shown_out_with_a_reason(
    onboarding: Onboarding, tmp_path: Path
) -> None:
    made = onboarding.register(name="贝壳", kind="app", domain="shop.example")
    account = made.account
    out, into = folders(tmp_path / "rehearsal")
    onboarding.use_files(account, out=out, into=into, by="li")
    access = {"issuer": made.sandbox_issuer, "client_id": account.sandbox_client_id, "client_secret": made.client_secret}
    environment = settings_of(tmp_path / "shop", access) | {
        "HUANXIN_PARTNER_FILES_OUT": out, "HUANXIN_PARTNER_FILES_IN": into,
    }  # fmt: skip
    with started(["-c", RECEIVER, "file", "--every", "0.2"], environment=environment):
        played = rehearsed(onboarding, "贝壳")
    found = {one.code: (one.state, one.mend, one.seen.en) for one in played.results if one.state != "passed"}
    assert found == {}
    assert [one.code for one in played.results] == list(SCENARIOS)
    assert played.state is RunState.PASSED
    manifests = [json.loads(path.read_text()) for path in Path(out).glob("*.notice.json")]
    assert all(one["rehearsal"] is True for one in manifests)
    assert {one["purpose"] for one in manifests} == {"renewal", "retraction"}

    live = onboarding.live
    with live.act("li") as act:
        record_proof(act, account, way="file")
    onboarding.admit(account, required=True, by="li")
    credentials = onboarding.go_live(account)
    out, into = folders(tmp_path / "live")
    with live.act("li") as act:
        use_files(act, credentials.partner.id, out=out, into=into)
    assert writer_of(live).one_job()
    assert onboarding.known(account).live_verified_at is not None

    with pytest.raises(BadInput, match="write the reason"):
        onboarding.withdraw(account, reason=" ", by="li")
    onboarding.withdraw(account, reason="sold to others", by="li")
    known = onboarding.known(account)
    assert (state(known), known.live_endpoint) == ("withdrawn", None)
    with live.act("li") as act:
        stream = streams.of_partner(act.tx, credentials.partner.id)
        assert stream is not None
        assert (stream.status, stream.status_reason) == ("disabled", "sold to others")
        assert partners.all_partners(act.tx) == []
        with pytest.raises(Unauthorized):
            with_secret(act, client_id=credentials.partner.client_id, client_secret=credentials.client_secret)
    onboarding.admit(account, required=False, by="li")
    again = onboarding.go_live(account)
    assert again.partner.client_id != credentials.partner.client_id


def test_a_company_that_never_answers_its_folder_is_told_so(onboarding: Onboarding, tmp_path: Path) -> None:
    onboarding.selftests.by_files = Patience(few=0.3, many=0.3, quiet=0.1)
    account = onboarding.register(name="silent", kind="app", domain="silent.example").account
    out, into = folders(tmp_path)
    onboarding.use_files(account, out=out, into=into, by="li")
    played = rehearsed(onboarding, "silent")
    assert {one.mend for one in played.results} == {"no-answer", "too-slow"}
    with pytest.raises(Conflict, match="selftest: mend"):
        onboarding.admit(account, required=False, by="li")
