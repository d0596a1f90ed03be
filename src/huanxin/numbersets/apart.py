"""Reading Parquet and workbooks: in a process of its own, which may take little memory and little time.

What such a file holds is known only once it is unpacked, and what its headers say of it are the sender's words: two thousand
rows of one value of a million letters are 700 bytes of Parquet and gigabytes in memory. A reader that fails in a library's
depths ends that process, and nobody else's request.

The process is given the file as its standard input. It writes frames, each with its length before it, and an empty one at
its end: without that, a part would pass for the whole (rule 7).
"""

from __future__ import annotations

import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any, TypeAlias

from huanxin.numbersets.shape import BadTable, Content, note, too_long
from huanxin.words.sentences import Sentence, packed, unpacked

Given: TypeAlias = Content | Callable[[], AbstractContextManager[IO[bytes]]]
"""A file, or what opens one that has to be unpacked."""

_SECONDS, _MEGABYTES = 10, 4
"""Of the processor: so many, and one more for each so many megabytes of the file. Ten million lines of Parquet take one; a
million rows of a workbook, of 16 megabytes, four."""
_AT_ONCE = 3
_REFUSED = 3  # exit code
_LENGTH = struct.Struct("<Q")
_UNPACKED = 1 << 28
"""Bytes that a packed file of a form that is read apart may have: ten million lines of Parquet have half of it."""
_turn = threading.BoundedSemaphore(_AT_ONCE)


def frames(reader: str, content: Given, *, memory: int, most: int | None = None, **asked: Any) -> Generator[bytes]:
    """What a reader (a module with a function `frames`) makes of a file, in `memory` bytes at most, `asked` with words and
    numbers; of a packed one, which may have `most` bytes once unpacked. Close it early if you don't read to its end. Raises
    BadTable."""
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}  # others keep what they freed
    with (
        _as_file(content, min(most or _UNPACKED, _UNPACKED)) as file,
        _turn,
    ):  # in this order: unpacking the file may take a turn too
        size = os.fstat(file.fileno()).st_size
        seconds = _SECONDS + (size >> 20) // _MEGABYTES
        with subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, reader, str(memory), str(seconds), json.dumps(asked)], stdin=file,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            try:
                while length := _LENGTH.unpack(_exactly(process.stdout, _LENGTH.size))[0]:
                    yield _exactly(process.stdout, length)
            except EOFError as error:
                raise _why(process) from error
            finally:
                process.kill()


@contextmanager
def _as_file(content: Given, most: int) -> Iterator[IO[bytes]]:
    if isinstance(content, Path):
        with content.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            with content() as stream:
                while piece := stream.read(1 << 20):
                    if file.tell() + len(piece) > most:
                        raise too_long(most)
                    file.write(piece)
        file.seek(0)
        yield file


def _exactly(stream: IO[bytes], length: int) -> bytes:
    read = stream.read(length)
    if len(read) < length:
        raise EOFError
    return read


def _why(process: subprocess.Popen[bytes]) -> BadTable:
    """Why a reader ended before it was done."""
    _, said = process.communicate()
    if process.returncode == _REFUSED:
        told = json.loads(said)
        if told["cause"]:
            note(told["cause"])
        return BadTable(unpacked(told["reason"]), told["line"])
    note(f"the reader ended with {process.returncode}: {said.decode(errors='replace')[-200:]}")
    return BadTable(
        Sentence("reading the file takes more memory or time than a list of numbers does; export it as CSV and send that")
    )


def _main(reader: str, memory: str, seconds: str, asked: str) -> None:
    os.nice(5)  # others' requests come first
    module = import_module(reader)
    for what, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(what, (int(most), int(most)))
    try:
        for frame in module.frames(sys.stdin.buffer, **json.loads(asked)):
            sys.stdout.buffer.write(_LENGTH.pack(len(frame)))
            sys.stdout.buffer.write(frame)
        sys.stdout.buffer.write(_LENGTH.pack(0))
        sys.stdout.buffer.flush()
    except BadTable as refusal:
        cause = f"{type(refusal.__cause__).__name__}: {refusal.__cause__}"[:500] if refusal.__cause__ else ""
        sys.stderr.write(json.dumps({"reason": packed(refusal.reason), "line": refusal.line, "cause": cause}))
        sys.stderr.flush()
        os._exit(_REFUSED)


if __name__ == "__main__":
    _main(*sys.argv[1:])
