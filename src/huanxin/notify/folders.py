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
from fsspec.implementations.local import LocalFileSystem

from huanxin.domain.errors import BadInput
from huanxin.words.sentences import Sentence

_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "cos", "obs", "memory"})
SFTP = ("sftp", "ssh")
_READ_ONLY = frozenset({"http", "https", "data"})
_BLOCK = 1 << 20


class Unreachable(Exception):
    """The folder can't be reached or used just now; the text says why."""


class Missing(Exception):
    """There is no such file, or it is longer than what is taken; the text says which."""


def check_folder(url: str) -> str:
    """A folder's address as it is kept. Raises BadInput for one that can't be used."""
    if "::" in url:
        raise BadInput(Sentence("the address chains two; give the address of one folder"))
    try:
        parts = urlsplit(url)
        _ = parts.port
        if not url.isprintable():
            raise ValueError("no path has control characters")
    except ValueError as error:
        raise BadInput(
            Sentence("this is not an address of a folder; write sftp://user@host/folder or s3://bucket/folder")
        ) from error
    if parts.password or (parts.username and parts.scheme in _OBJECT_STORES):
        raise BadInput(
            Sentence(
                "the address of a folder may not hold a password or key; give it apart from the address (the platform's"
                " operator: in fsspec's configuration, FSSPEC_SFTP_PASSWORD, ~/.aws/credentials, or an SSH key)"
            )
        )
    if parts.scheme in ("", "file", "local"):
        path = parts.path if parts.scheme else url
        if not PurePosixPath(path).is_absolute() or parts.netloc:
            raise BadInput(
                Sentence("%(url)s is not a whole address; write sftp://user@host/folder or s3://bucket/folder", url=url)
            )
        return os.path.normpath(path)
    if parts.scheme in _READ_ONLY or parts.scheme not in fsspec.available_protocols():
        raise BadInput(Sentence("files can't be exchanged through %(scheme)s; use sftp:// or s3://", scheme=parts.scheme))
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
        with explained(self.url):
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
        with explained(self.url):
            if self._is_object_store:
                self.files.pipe_file(place, content)
                return
            beside = f"{place}.part"
            with self._written(beside) as out:
                out.write(content)
            self.files.mv(beside, place)

    def read(self, name: str, limit: int) -> bytes:
        """A short file. Raises Missing."""
        with explained(self.url), self._opened(name) as source:
            content = bytes(source.read(limit + 1))
            if len(content) > limit:
                raise Missing(_too_long(name, limit))
        return content

    def fetch(self, name: str, to: Path, limit: int) -> None:
        """Copy a file to this machine. Raises Missing."""
        length = 0
        with explained(self.url), self._opened(name) as source, to.open("wb") as out:
            while block := source.read(_BLOCK):
                length += len(block)
                if length > limit:
                    raise Missing(_too_long(name, limit))
                out.write(block)

    def _opened(self, name: str) -> Any:
        place = f"{self.path}/{name}"
        try:
            if self._is_here:
                # Who may write into the folder must not get another file of this machine read, nor a pipe waited for.
                return os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
            return self.files.open(place, "rb")
        except FileNotFoundError as error:
            raise Missing(Sentence("%(name)s is not there", name=name)) from error

    def _written(self, place: str) -> Any:
        if self._is_here:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW  # nor another file overwritten
            return os.fdopen(os.open(place, flags, 0o666), "wb")
        return self.files.open(place, "wb")

    @property
    def _is_here(self) -> bool:
        return isinstance(self.files, LocalFileSystem)

    @property
    def _is_object_store(self) -> bool:
        return urlsplit(self.url).scheme in _OBJECT_STORES


@contextmanager
def open_folder(url: str) -> Iterator[Folder]:
    """Reach a folder that the operator chose. Raises Unreachable."""
    # A connection of its own each time: one that is kept and has died would fail for ever.
    if urlsplit(url).scheme in SFTP:
        with explained(url):
            from huanxin.notify import sftp  # noqa: PLC0415  # needs huanxin[sftp]

            files, path = sftp.of_operator(url)
        with sftp.closing_in_time(files):
            yield Folder(url=url, path=path.rstrip("/"), files=files)
        return
    with explained(url):
        files, path = fsspec.url_to_fs(url, skip_instance_cache=True)
    yield Folder(url=url, path=path.rstrip("/"), files=files)


def _too_long(name: str, limit: int) -> Sentence:
    return Sentence("%(name)s is longer than %(most)s bytes", name=name, most=f"{limit:,}")


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Raise Unreachable for whatever goes wrong with a folder."""
    try:
        yield
    except Missing:
        raise
    except ImportError as error:
        raise Unreachable(f"{urlsplit(url).scheme} needs a package that is not installed: {error}") from error
    except Exception as error:  # each of fsspec's file systems has its own kinds
        raise Unreachable(f"{type(error).__name__}: {error}") from error
