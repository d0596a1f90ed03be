"""Folders that partners choose. A miss here lets a partner read the platform's network, its files or another's notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from huanxin.domain.errors import BadInput
from huanxin.notify.folders import Folder, Missing, Unreachable, open_folder
from huanxin.notify.own_folders import FolderAccess, FolderRules
from huanxin.outbound import Outbound

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPx6nZ8l1pLZ4s3cG0hHOqP2L9yS8F1wq0m7cB0V5uE"
SFTP = FolderAccess(password="geheim", host_key=HOST_KEY)
S3 = FolderAccess(access_key="k", secret_key="geheim", s3_endpoint="https://oss-cn-hangzhou.aliyuncs.com")
OURS = "pc_1"


def rules(*, addresses: tuple[str, ...] = ("8.8.8.8",), local: Path | None = None, inner: bool = False) -> FolderRules:
    outbound = Outbound(inner_allowed=inner, resolve=lambda _: list(addresses))
    return FolderRules(
        outbound=outbound, passphrase="a passphrase of some length", local=local, s3_services=("oss-*.aliyuncs.com",)
    )


@pytest.mark.parametrize(
    ("url", "login"),
    [("sftp://shop@files.example/OUT/", SFTP), ("ssh://shop@files.example:2222/OUT", SFTP), ("s3://bucket/OUT", S3)],
)
def test_a_folder_on_the_internet_is_taken(url: str, login: FolderAccess) -> None:
    assert rules().checked(url, login, client_id=OURS) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "login", "said"),
    [
        ("sftp://shop@127.0.0.1/OUT", SFTP, "not a public address"),
        ("sftp://shop@169.254.169.254/OUT", SFTP, "not a public address"),
        ("sftp://shop@0x7f.1/OUT", SFTP, "not a public address"),
        ("sftp://shop@[0:0:0:0:0:0:0:1]/OUT", SFTP, "not a public address"),
        ("sftp://shop:pw@files.example/OUT", SFTP, "password or key"),
        ("sftp://files.example/OUT", SFTP, "write the user"),
        ("sftp://shop@files.example:ssh/OUT", SFTP, "not an address of a folder"),
        ("sftp://shop@files.example/OUT", FolderAccess(password="x"), "host key"),
        ("sftp://shop@files.example/OUT", FolderAccess(password="x", host_key="ssh-ed25519 AAAA"), "host key"),
        ("sftp://shop@files.example/OUT", FolderAccess(host_key=HOST_KEY), "password or a private key"),
        (
            "sftp://shop@files.example/OUT",
            FolderAccess(host_key=HOST_KEY, private_key="-----BEGIN"),
            "private key can't be read",
        ),
        ("sftp://shop@files.example/OUT", FolderAccess(host_key=HOST_KEY, password="x" * 30_000), "too long"),
        ("s3://bucket/OUT", FolderAccess(access_key="k", s3_endpoint=S3.s3_endpoint), "secret key"),
        ("s3:///OUT", S3, "write the bucket"),
        *[
            ("s3://bucket/OUT", FolderAccess(access_key="k", secret_key="s", s3_endpoint=endpoint), "the platform knows")
            for endpoint in ("", "https://s3.evil.example", "http://oss-cn-hangzhou.aliyuncs.com", "https://169.254.169.254",
                             "https://oss-x.aliyuncs.com@evil.example", "https://oss-x.aliyuncs.com.evil.example", "https://[")
        ],
        ("/srv/exchange/OUT", FolderAccess(), "not for partners to choose"),
        ("file:///etc", FolderAccess(), "not for partners to choose"),
        ("ftp://files.example/OUT", FolderAccess(), "whoever runs the platform"),
        ("memory://x/OUT", FolderAccess(), "whoever runs the platform"),
        ("https://files.example/OUT", FolderAccess(), "can't be exchanged"),
    ],
)  # fmt: skip
def test_what_leads_inside_or_can_not_be_used_is_refused_with_what_to_do(url: str, login: FolderAccess, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        rules().checked(url, login, client_id=OURS)


@pytest.mark.parametrize("path", ["/etc", "/etc/cron.d", "file:///etc", "/tmp/anywhere", f"/srv/other/{OURS}"])
def test_in_development_too_a_partner_chooses_no_directory_that_nobody_named(path: str, tmp_path: Path) -> None:
    """Whoever reached a development server had it write files into `/etc`, as root if it ran so."""
    for local in (None, tmp_path):
        with pytest.raises(BadInput, match="not for partners to choose"):
            rules(inner=True, local=local).checked(path, FolderAccess(), client_id=OURS)


def test_a_name_that_leads_inside_by_now_is_not_connected_to_and_the_login_is_encrypted() -> None:
    sealed = rules().sealed(SFTP)
    assert "geheim" not in sealed
    assert "geheim" not in repr(SFTP)
    rebound = rules(addresses=("8.8.8.8", "10.0.0.7"))
    url = "sftp://shop@files.example/OUT"
    with pytest.raises(Unreachable, match="not a public address"), rebound.open(url, sealed, client_id=OURS):
        pytest.fail("it was opened")


def test_the_operator_lets_each_partner_choose_below_a_directory_of_its_own_and_no_link_leads_out(tmp_path: Path) -> None:
    ours, theirs = tmp_path / OURS, tmp_path / "pc_2"
    for place in (ours, theirs):
        place.mkdir()
    allowed = rules(local=tmp_path)
    assert allowed.checked(f"{ours}/OUT", FolderAccess(), client_id=OURS) == f"{ours}/OUT"
    (ours / "link").symlink_to(theirs)
    for path in (theirs, tmp_path, f"{ours}/../pc_2", ours / "link", "/etc", f"{tmp_path}/{OURS}x"):
        with pytest.raises(BadInput, match="not for partners to choose"):
            allowed.checked(str(path), FolderAccess(), client_id=OURS)
    sealed = allowed.sealed(FolderAccess())
    with pytest.raises(Unreachable, match="not for partners"), allowed.open(f"{ours}/link", sealed, client_id=OURS):
        pytest.fail("a directory that became a link was opened")


def test_a_link_in_a_directory_gets_no_other_file_read_or_overwritten(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("ours")
    box = tmp_path / "box"
    box.mkdir()
    for name in ("n.1.receipt.csv", "n.notice.json.part"):
        (box / name).symlink_to(secret)
    with open_folder(str(box)) as folder:
        with pytest.raises(Unreachable):
            folder.read("n.1.receipt.csv", 100)
        with pytest.raises(Unreachable):
            folder.put("n.notice.json", b"theirs")
        with pytest.raises(Missing):
            folder.read("none", 100)
        assert isinstance(folder, Folder)
    assert secret.read_text() == "ours"
