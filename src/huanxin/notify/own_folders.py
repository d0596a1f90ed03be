"""Folders that partners choose by themselves: kept out of the platform's own network, files and accounts.

What the operator chose is reached with what the operator's environment holds (notify.folders). A partner's choice is reached
with the login that the partner gave and nothing else, at public addresses, by SFTP to the host key that it named or by S3 at
a service that the operator knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

from huanxin.domain.errors import BadInput
from huanxin.notify.folders import SFTP, Folder, Unreachable, check_folder, explained, open_folder
from huanxin.outbound import Outbound
from huanxin.signing.sealing import seal, unseal
from huanxin.words.sentences import Sentence

_LONGEST = 20_000  # characters of one member of a login


@dataclass(frozen=True, kw_only=True)
class FolderAccess:
    """What lets the platform into a partner's folders. SFTP: a password or a private key (PEM), and the server's public key
    (`ssh-ed25519 AAAA...`). S3: an access key with its secret, the service's address, and its region. A directory of this
    machine: nothing."""

    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    host_key: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    s3_endpoint: str = ""
    s3_region: str = ""

    def given(self) -> list[str]:
        """The names of the members that are not empty, for the record."""
        return [name for name, value in asdict(self).items() if value]


@dataclass(frozen=True, kw_only=True)
class FolderRules:
    """Which folders partners may choose, and how they are reached.

    `outbound` knows which addresses are public. Directories of this machine: below `local`, in a directory that is named
    like the partner's client_id; none if it is None. `s3_services`: patterns of hosts.
    """

    outbound: Outbound
    passphrase: str = field(repr=False)
    local: Path | None
    s3_services: tuple[str, ...]

    def checked(self, url: str, login: FolderAccess, *, client_id: str) -> str:
        """A partner's choice as its address is kept. Raises BadInput for what can't be used or leads inside."""
        if len(url) > _LONGEST or any(len(value) > _LONGEST for value in asdict(login).values()):
            raise BadInput(Sentence("the address or what lets us in is too long"))
        url = check_folder(url.strip())
        scheme = urlsplit(url).scheme
        if scheme == "":
            self._check_directory(url, client_id)
        elif scheme in SFTP:
            self._check_sftp(url, login)
        elif scheme == "s3":
            self._check_s3(url, login)
        else:
            raise BadInput(
                Sentence("%(scheme)s:// has to be set up by whoever runs the platform; use sftp:// or s3://", scheme=scheme)
            )
        return url

    def _check_directory(self, path: str, client_id: str) -> None:
        if self.local is None or not Path(path).resolve().is_relative_to((self.local / client_id).resolve()):
            raise BadInput(
                Sentence("directories of the platform's machine are not for partners to choose; use sftp:// or s3://")
            )

    def _check_sftp(self, url: str, login: FolderAccess) -> None:
        try:
            from huanxin.notify import sftp  # noqa: PLC0415  # needs huanxin[sftp]
        except ImportError as error:
            raise BadInput(Sentence("this platform has no SFTP installed; ask whoever runs it")) from error
        parts = urlsplit(url)
        if not parts.hostname or not parts.username:
            raise BadInput(Sentence("write the user into the address: sftp://user@host/folder"))
        if not login.password and not login.private_key:
            raise BadInput(Sentence("SFTP needs a password or a private key"))
        try:
            sftp.public_key(login.host_key)
        except ValueError as error:
            raise BadInput(
                Sentence("the host key can't be read; paste a line that `ssh-keyscan host` prints: ssh-ed25519 AAAA...")
            ) from error
        try:
            _ = login.private_key and sftp.private_key(login.private_key)
        except ValueError as error:
            raise BadInput(
                Sentence("the private key can't be read; paste one without a passphrase, in PEM or OpenSSH form")
            ) from error
        self.outbound.check(url)

    def _check_s3(self, url: str, login: FolderAccess) -> None:
        if not urlsplit(url).netloc:
            raise BadInput(Sentence("write the bucket into the address: s3://bucket/folder"))
        if not login.access_key or not login.secret_key:
            raise BadInput(Sentence("S3 needs an access key and its secret key"))
        try:
            parts = urlsplit(login.s3_endpoint)
            host = parts.hostname or ""
        except ValueError:
            parts, host = urlsplit(""), ""
        known = parts.scheme == "https" and any(fnmatchcase(host, pattern) for pattern in self.s3_services)
        if not known and not (self.outbound.inner_allowed and host):
            raise BadInput(
                Sentence(
                    "the S3 service must be one that the platform knows (%(known)s), written as https://host",
                    known=", ".join(self.s3_services),
                )
            )
        self.outbound.check(login.s3_endpoint)

    def sealed(self, login: FolderAccess) -> str:
        """A login as it is stored."""
        return seal(json.dumps(asdict(login)), self.passphrase)

    @contextmanager
    def open(self, url: str, sealed: str | None, *, client_id: str) -> Iterator[Folder]:
        """Reach a partner's folder: with its login if it chose the folder, else as the operator does. Checked each time,
        since a name may lead elsewhere by now. Raises Unreachable."""
        if sealed is None:
            with open_folder(url) as folder:
                yield folder
            return
        login = FolderAccess(**json.loads(unseal(sealed, self.passphrase)))
        try:
            self.checked(url, login, client_id=client_id)
        except BadInput as error:
            raise Unreachable(error.said) from error
        scheme = urlsplit(url).scheme
        if scheme in SFTP:
            with self._sftp(url, login) as folder:
                yield folder
        elif scheme == "s3":
            yield self._s3(url, login)
        else:
            with open_folder(url) as folder:
                yield folder

    @contextmanager
    def _sftp(self, url: str, login: FolderAccess) -> Iterator[Folder]:
        parts = urlsplit(url)
        host = parts.hostname or ""
        with explained(url):
            from huanxin.notify import sftp  # noqa: PLC0415  # needs huanxin[sftp]

            server = sftp.Server(
                host=host, address=self.outbound.addresses(host)[0], port=parts.port or sftp.PORT, user=parts.username or ""
            )
            key = sftp.private_key(login.private_key) if login.private_key else None
            files = sftp.of_partner(server, host_key=sftp.public_key(login.host_key), password=login.password, key=key)
        with sftp.closing_in_time(files):
            yield Folder(url=url, path=parts.path.rstrip("/"), files=files)

    def _s3(self, url: str, login: FolderAccess) -> Folder:
        with explained(url):
            from s3fs import S3FileSystem  # noqa: PLC0415  # comes with huanxin[s3] only

            class Theirs(S3FileSystem):  # type: ignore[misc]
                protocol = "partners-s3"  # what fsspec's configuration holds for s3 is the operator's

            files = Theirs(
                key=login.access_key, secret=login.secret_key, endpoint_url=login.s3_endpoint, use_listings_cache=False,
                client_kwargs={"region_name": login.s3_region or None}, config_kwargs={"proxies": {}},
                skip_instance_cache=True,
            )  # fmt: skip
        parts = urlsplit(url)
        return Folder(url=url, path=f"{parts.netloc}{parts.path}".rstrip("/"), files=files)
