"""SFTP to servers whose key is known, never to whoever answers there. Imported only where SFTP is used: paramiko comes with
huanxin[sftp]."""

from __future__ import annotations

import base64
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

PORT = 22
_TIMEOUT = 20  # seconds that a server may take to answer
_LONGEST = 300.0  # seconds for everything that is done in one folder: a server that trickles can't hold a worker
_MOST_NAMES = 200_000  # files in a folder
_WAITS = {"timeout": _TIMEOUT, "banner_timeout": _TIMEOUT, "auth_timeout": _TIMEOUT}
_KINDS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class _Bounded(SFTPFileSystem):  # type: ignore[misc]
    """No step outlasts the timeout, and no list is longer than what is taken."""

    def _opened(self, client: paramiko.SSHClient) -> None:
        self.client = client
        self.ftp = client.open_sftp()
        self.ftp.get_channel().settimeout(_TIMEOUT)

    def ls(self, path: str, detail: bool = False) -> list[Any]:
        place = self._strip_protocol(path)
        found = list(islice(self.ftp.listdir_iter(place), _MOST_NAMES + 1))
        if len(found) > _MOST_NAMES:
            raise OSError(f"the folder has more than {_MOST_NAMES:,} files; move old ones away")
        told = [self._decode_stat(one, place) for one in found]
        return told if detail else sorted(one["name"] for one in told)


class Operators(_Bounded):
    """A server that the operator chose: its key is among the known hosts, and the login in the operator's environment or
    fsspec's configuration for `sftp`."""

    protocol = ("sftp", "ssh")

    def _connect(self) -> None:
        client = paramiko.SSHClient()
        client.load_system_host_keys(self.ssh_kwargs.pop("known_hosts", None))
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.connect(self.host, **_WAITS, **self.ssh_kwargs)
        self._opened(client)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that a partner chose: its name, the address of it that was checked, and the user there."""

    host: str
    address: str
    port: int
    user: str


class _Partners(_Bounded):
    protocol = "partners-sftp"  # what fsspec's configuration holds for sftp is the operator's

    def _connect(self) -> None:
        self._opened(self.ssh_kwargs["client"])


def of_operator(url: str) -> tuple[Any, str]:
    """The files of a server that the operator chose, and the folder's path there."""
    files = Operators(skip_instance_cache=True, **Operators._get_kwargs_from_urls(url))
    return files, Operators._strip_protocol(url)


def of_partner(server: Server, *, host_key: paramiko.PKey, password: str, key: paramiko.PKey | None) -> Any:
    """The files of a server that a partner chose, by that partner's login only."""
    client = paramiko.SSHClient()
    for name in (server.host, f"[{server.host}]:{server.port}"):
        client.get_host_keys().add(name, host_key.get_name(), host_key)
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    client.connect(
        server.host, port=server.port, username=server.user, password=password or None, pkey=key, allow_agent=False,
        look_for_keys=False, sock=socket.create_connection((server.address, server.port), timeout=_TIMEOUT), **_WAITS,
    )  # fmt: skip
    return _Partners(host=server.host, client=client, skip_instance_cache=True)


@contextmanager
def closing_in_time(files: Any) -> Iterator[None]:
    """Close the connection at the end, or in the middle once it took too long."""
    late = threading.Timer(_LONGEST, files.client.close)
    late.daemon = True
    late.start()
    try:
        yield
    finally:
        late.cancel()
        files.client.close()


def public_key(text: str) -> paramiko.PKey:
    """A server's key, from a line such as `ssh-keyscan` prints or as it stands in /etc/ssh/*.pub. Raises ValueError."""
    words = text.split()
    try:
        at = next(place for place, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-")))
        return paramiko.PKey.from_type_string(words[at], base64.b64decode(words[at + 1], validate=True))
    except (StopIteration, IndexError, paramiko.SSHException, paramiko.UnknownKeyType) as error:
        raise ValueError("it is not a public key of SSH") from error


def private_key(text: str) -> paramiko.PKey:
    """A private key without a passphrase, in PEM or OpenSSH form. Raises ValueError."""
    for kind in _KINDS:
        try:
            return kind.from_private_key(io.StringIO(text.strip().replace("\r\n", "\n") + "\n"))
        except (paramiko.SSHException, ValueError, IndexError, TypeError):
            continue
    raise ValueError("it is not a private key that can be used")
