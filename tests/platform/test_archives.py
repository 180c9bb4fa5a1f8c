"""Archives: bombs and broken ones; the rest is asked of endpoints."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path

import pytest

from brasa.platform import archives


def _pack(folder: Path, archive: Path) -> None:
    with archive.open("wb") as sink:
        archives.pack(folder, sink)


def test_what_is_packed_is_unpacked(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "native").mkdir(parents=True)
    (folder / "vectors.bin").write_bytes(os.urandom(3 << 20))
    (folder / "native" / "model.json").write_text("{}")
    (folder / "link").symlink_to("/etc/passwd")
    _pack(folder, tmp_path / "a.tar.gz")
    archives.unpack(tmp_path / "a.tar.gz", tmp_path / "back")
    found = sorted(
        p.relative_to(tmp_path / "back").as_posix() for p in (tmp_path / "back").rglob("*")
    )
    assert found == ["native", "native/model.json", "vectors.bin"]
    assert (tmp_path / "back/vectors.bin").read_bytes() == (folder / "vectors.bin").read_bytes()
    with tarfile.open(tmp_path / "a.tar.gz") as tar:  # as others read it
        assert sorted(tar.getnames()) == ["native/model.json", "vectors.bin"]


def test_a_bomb_is_refused_before_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brasa.sagemaker.archives._ANY_RATIO", 1 << 20)
    (tmp_path / "zeros").mkdir()
    (tmp_path / "zeros" / "file").write_bytes(bytes(100 << 20))
    _pack(tmp_path / "zeros", tmp_path / "bomb.tar.gz")
    with pytest.raises(archives.ArchiveError, match="too many for its size"):
        archives.unpack(tmp_path / "bomb.tar.gz", tmp_path / "back")
    assert not list((tmp_path / "back").iterdir())


def test_too_many_files(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "many.tar.gz", "w:gz") as tar:
        for i in range(1001):
            tar.addfile(tarfile.TarInfo(str(i)))
    with pytest.raises(archives.ArchiveError, match="more than 1000 files"):
        archives.unpack(tmp_path / "many.tar.gz", tmp_path / "back")


@pytest.mark.parametrize("cut", [1, 10, 100, 5000])
def test_a_broken_archive_is_refused(tmp_path: Path, cut: int) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "file").write_bytes(os.urandom(10_000))
    _pack(tmp_path / "model", tmp_path / "a.tar.gz")
    data = (tmp_path / "a.tar.gz").read_bytes()
    for i, broken in enumerate((data[:-cut], gzip.compress(gzip.decompress(data)[:cut]))):
        (tmp_path / "broken.tar.gz").write_bytes(broken)
        with pytest.raises(archives.ArchiveError):
            archives.unpack(tmp_path / "broken.tar.gz", tmp_path / f"back{i}")
