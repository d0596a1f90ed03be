"""A folder anywhere fsspec reaches: a directory, SFTP, S3. Names are plain, and a name appears with its whole content."""

from __future__ import annotations

from typing import IO, Any

# Stores that show an object once it is there as a whole, and "move" by copying it.
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "obs", "cos", "oci", "memory"})
_PART = ".part"


class FilesUnavailable(Exception):
    """fsspec, or what it needs for this kind of URL, is not installed, or the URL is of no known kind."""


class Folder:
    """A folder by its fsspec URL, or a path."""

    def __init__(self, url: str) -> None:
        """Raises FilesUnavailable."""
        try:
            import fsspec  # noqa: PLC0415 -- an optional extra: a partner without files does without it
        except ImportError as error:
            raise FilesUnavailable("files need fsspec: pip install 'huanxin-partner[files]'") from error
        try:
            fs, path = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise FilesUnavailable(f"the folder {url.partition('://')[0]}://… can't be used: {error}") from error
        self._fs: Any = fs
        self._path = str(path).rstrip("/")
        protocols = {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
        self._whole_puts = bool(protocols & _OBJECT_STORES)

    def names(self, ending: str) -> list[str]:
        """The names with this ending, sorted; none if the folder isn't there yet."""
        self._fs.invalidate_cache()
        try:
            found = self._fs.ls(self._path, detail=False)
        except FileNotFoundError:
            return []
        return sorted(name for path in found if (name := str(path).rpartition("/")[2]).endswith(ending))

    def open(self, name: str) -> IO[bytes]:
        """Read a file. Raises OSError."""
        found: IO[bytes] = self._fs.open(self._at(name), "rb")
        return found

    def read(self, name: str) -> bytes:
        """The whole content of a small file. Raises OSError."""
        with self.open(name) as file:
            return file.read()

    def put(self, name: str, content: bytes) -> None:
        """Write a file so that nobody ever reads half of it. Raises OSError."""
        self._fs.makedirs(self._path, exist_ok=True)
        if self._whole_puts:
            self._fs.pipe_file(self._at(name), content)
            return
        self._fs.pipe_file(self._at(name + _PART), content)
        self._fs.mv(self._at(name + _PART), self._at(name))

    def _at(self, name: str) -> str:
        if not name or "/" in name or "\\" in name or name.startswith("."):
            raise PermissionError(f"{name!r} is not a plain file name")
        return f"{self._path}/{name}"
