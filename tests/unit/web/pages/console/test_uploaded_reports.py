"""What became of an uploaded report is kept with it, in one act."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from huanxin.acts import Platform
from huanxin.store.report import reports, uploads
from huanxin.web.pages.console.uploaded_reports import upload_report


def test_a_report_whose_bad_lines_could_not_be_kept_is_not_taken_and_can_be_uploaded_again(
    platform: Platform, report: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken, and the lines to mend were lost: uploaded again, it was known already."""
    file = report("+8613800138000,cancelled,2026-08-25", "+8613800138001,cancelled,yesterday")

    def upload() -> int:
        return upload_report(platform, file, carrier="cmcc", by="li", skip_bad=True, most_bytes=1 << 20)

    def dies(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("the server ends here")

    with monkeypatch.context() as patched:
        patched.setattr(uploads, "add", dies)
        with pytest.raises(RuntimeError):
            upload()
    with platform.read() as seen:
        assert reports.all_reports(seen.tx) == []
    again = upload()
    with platform.read() as seen:
        kept = uploads.get(seen.tx, again)
        assert kept is not None
        assert (kept.already, kept.bad_lines) == (False, 1)
        assert uploads.rejects_of(seen.tx, again) is not None
