"""A folder shows a file with its whole content or not at all."""

from __future__ import annotations

import sys
from pathlib import Path

import fsspec
import pytest

from huanxin_partner.folders import FilesUnavailable, Folder


def test_in_a_directory_a_file_is_written_beside_and_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(f"file://{tmp_path}/in")
    moved: list[tuple[str, str]] = []
    move = folder._fs.mv

    def noted(old: str, new: str) -> None:
        moved.append((Path(old).name, Path(new).name))
        move(old, new)

    monkeypatch.setattr(folder._fs, "mv", noted)
    folder.put("a.json", b"1")
    folder.put("a.json", b"2")
    assert moved == [("a.json.part", "a.json")] * 2
    assert (folder.names(".json"), folder.read("a.json")) == (["a.json"], b"2")
    assert folder.names(".part") == []


def test_in_an_object_store_one_put_does_it() -> None:
    folder = Folder("memory://huanxin-test/in")
    assert folder.names(".json") == []
    folder.put("b.json", b"2")
    folder.put("a.json", b"1")
    folder.put("c.csv", b"3")
    try:
        assert folder.names(".json") == ["a.json", "b.json"]
        assert folder.read("a.json") == b"1"
    finally:
        fsspec.filesystem("memory").rm("/huanxin-test", recursive=True)


@pytest.mark.parametrize("name", ["", "../a", "b/c", ".a", "a\\b"])
def test_only_plain_names_are_touched(tmp_path: Path, name: str) -> None:
    folder = Folder(str(tmp_path / "in"))
    with pytest.raises(PermissionError, match="plain"):
        folder.put(name, b"")
    with pytest.raises(PermissionError, match="plain"):
        folder.read(name)


def test_without_fsspec_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(FilesUnavailable, match=r"pip install 'huanxin-partner\[files\]'"):
        Folder(str(tmp_path))
