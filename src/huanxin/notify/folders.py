"""Folders that files are exchanged through: a directory, SFTP, S3 and whatever else fsspec speaks.

Nobody reads half a file: where a rename is atomic, a file is written as NAME.part and renamed; an object store shows an
object once it is whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import fsspec

from huanxin.domain.errors import BadInput
from huanxin.sentences import Sentence

_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "cos", "obs", "memory"})
_READ_ONLY = frozenset({"http", "https", "data"})
_TIMEOUT = 20  # seconds that a server may take to answer
_BLOCK = 1 << 20


class Unreachable(Exception):
    """The folder can't be reached or used just now; the text says why."""


class Missing(Exception):
    """There is no such file, or it is longer than what is taken; the text says which."""


def check_folder(url: str) -> str:
    """A folder's address as it is kept. Raises BadInput for one that can't be used."""
    parts = urlsplit(url)
    if parts.password or (parts.username and parts.scheme in _OBJECT_STORES):
        raise BadInput(
            "the address of a folder may not hold a password or key; put it into fsspec's configuration "
            "(FSSPEC_SFTP_PASSWORD, ~/.config/fsspec, ~/.aws/credentials) or use an SSH key"
        )
    if "::" in url:
        raise BadInput(f"{url} chains two addresses; give the address of one folder")
    if parts.scheme in ("", "file", "local"):
        path = parts.path if parts.scheme else url
        if not PurePosixPath(path).is_absolute() or parts.netloc:
            raise BadInput(f"{url} is not a whole address; write /a/folder, sftp://user@host/folder or s3://bucket/folder")
        return os.path.normpath(path)
    if parts.scheme in _READ_ONLY or parts.scheme not in fsspec.available_protocols():
        raise BadInput(f"files can't be exchanged through {parts.scheme}; use a directory, sftp:// or s3://")
    return url.rstrip("/")


@dataclass(frozen=True, kw_only=True)
class Folder:
    """An open folder. Every method raises Unreachable when the folder fails."""

    url: str
    path: str
    files: Any
    """fsspec's file system"""

    def names(self) -> list[str]:
        """The names of its files, in order."""
        with _explained(self.url):
            try:
                found = self.files.ls(self.path, detail=True)
            except FileNotFoundError:
                if not self._is_object_store:
                    raise
                found = []  # there a folder is nothing but the start of its objects' names
        return sorted(PurePosixPath(one["name"]).name for one in found if one["type"] == "file")

    def put(self, name: str, content: bytes) -> None:
        """Write a file so that it is there whole or not at all; one of that name is replaced."""
        place = f"{self.path}/{name}"
        with _explained(self.url):
            if self._is_object_store:
                self.files.pipe_file(place, content)
                return
            beside = f"{place}.part"
            with self.files.open(beside, "wb") as out:
                out.write(content)
            self.files.mv(beside, place)

    def read(self, name: str, limit: int) -> bytes:
        """A short file. Raises Missing."""
        with _explained(self.url), self._opened(name) as source:
            content = bytes(source.read(limit + 1))
            if len(content) > limit:
                raise Missing(_too_long(name, limit))
        return content

    def fetch(self, name: str, to: Path, limit: int) -> None:
        """Copy a file to this machine. Raises Missing."""
        length = 0
        with _explained(self.url), self._opened(name) as source, to.open("wb") as out:
            while block := source.read(_BLOCK):
                length += len(block)
                if length > limit:
                    raise Missing(_too_long(name, limit))
                out.write(block)

    def _opened(self, name: str) -> Any:
        try:
            return self.files.open(f"{self.path}/{name}", "rb")
        except FileNotFoundError as error:
            raise Missing(Sentence("%(name)s is not there", name=name)) from error

    @property
    def _is_object_store(self) -> bool:
        return urlsplit(self.url).scheme in _OBJECT_STORES


@contextmanager
def open_folder(url: str) -> Iterator[Folder]:
    """Reach a folder. Raises Unreachable."""
    scheme = urlsplit(url).scheme
    # A connection of its own each time: one that is kept and has died would fail for ever.
    with _explained(url):
        if scheme in ("sftp", "ssh"):
            files, path = _sftp(url)
        else:
            files, path = fsspec.url_to_fs(url, skip_instance_cache=True)
    try:
        yield Folder(url=url, path=path.rstrip("/"), files=files)
    finally:
        if scheme in ("sftp", "ssh"):
            files.client.close()


def _sftp(url: str) -> tuple[Any, str]:
    """SFTP to a server whose key is in the known hosts: numbers are not handed to whoever answers there."""
    import paramiko  # noqa: PLC0415  # comes with huanxin[sftp] only
    from fsspec.implementations.sftp import SFTPFileSystem  # noqa: PLC0415  # as above

    class Known(SFTPFileSystem):  # type: ignore[misc]
        protocol = ("sftp", "ssh")

        def _connect(self) -> None:
            self.client = paramiko.SSHClient()
            self.client.load_system_host_keys(self.ssh_kwargs.pop("known_hosts", None))
            self.client.set_missing_host_key_policy(paramiko.RejectPolicy())
            self.client.connect(
                self.host, timeout=_TIMEOUT, banner_timeout=_TIMEOUT, auth_timeout=_TIMEOUT, **self.ssh_kwargs
            )
            self.ftp = self.client.open_sftp()
            self.ftp.get_channel().settimeout(_TIMEOUT)

    files = Known(skip_instance_cache=True, **Known._get_kwargs_from_urls(url))
    return files, Known._strip_protocol(url)


def _too_long(name: str, limit: int) -> Sentence:
    return Sentence("%(name)s is longer than %(most)s bytes", name=name, most=f"{limit:,}")


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except Missing:
        raise
    except ImportError as error:
        raise Unreachable(f"{urlsplit(url).scheme} needs a package that is not installed: {error}") from error
    except Exception as error:  # each of fsspec's file systems has its own kinds
        raise Unreachable(f"{type(error).__name__}: {error}") from error
