"""A file is whole or it is not there, and what was there before stays until then."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from brasa import formats
from brasa.errors import StorageError
from brasa.formats import native, safetensors
from brasa.formats.storage import new_file, new_files

if TYPE_CHECKING:
    from conftest import MakeDisk, MakeEmbeddings


@pytest.fixture
def small_disk(make_disk: MakeDisk) -> Path:
    """A folder that a full disk is: one of 256 kB, or with a limit that acts like it."""
    return make_disk("256k")


SAVE = """
import os, resource, sys
from brasa import formats
from brasa.errors import StorageError
model = formats.load(sys.argv[1])
if not os.path.ismount(os.path.dirname(sys.argv[2])):
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    formats.export(model, sys.argv[2], sys.argv[3])
except StorageError as error:
    print(error)
    sys.exit(2)
"""


@pytest.mark.parametrize("format", ["native", "fasttext", "word2vec"])
@pytest.mark.parametrize("there_before", [False, True])
def test_a_full_disk(
    make_embeddings: MakeEmbeddings,
    tmp_path: Path,
    small_disk: Path,
    format: str,
    there_before: bool,
) -> None:
    words = [f"word{i}" for i in range(2000)]
    native.write(make_embeddings(words, vector_dim=50), tmp_path / "large")
    target = small_disk / "target"
    if there_before:
        small = make_embeddings(["old"], subwords=False)
        formats.export(small, target, format)
    before = {path: path.read_bytes() for path in small_disk.rglob("*") if path.is_file()}
    done = subprocess.run(
        [sys.executable, "-c", SAVE, str(tmp_path / "large"), str(target), format],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert str(target) in done.stdout
    assert "No space left" in done.stdout or "File too large" in done.stdout
    assert ("untouched" in done.stdout) == there_before
    after = {path: path.read_bytes() for path in small_disk.rglob("*") if path.is_file()}
    assert after == before
    if not there_before:
        assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_in_the_block_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "vectors.txt"
    target.write_text("old")
    with pytest.raises(error), new_file(target) as file:  # noqa: PT012
        file.write(b"half of the new")
        raise error
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_interrupted_save_leaves_no_folder(
    make_embeddings: MakeEmbeddings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(safetensors, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        native.write(make_embeddings(), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["folder", "pipe", "device"])
def test_only_plain_files_are_replaced(tmp_path: Path, there: str) -> None:
    target = tmp_path / "target"
    if there == "folder":
        target.mkdir()
    elif there == "pipe":
        os.mkfifo(target)
    else:
        target = Path("/dev/null")
    with pytest.raises(StorageError, match="not a plain file"), new_file(target):
        pass
    assert target.exists()
    assert not target.is_file()


@pytest.mark.parametrize("name", ["absent/vectors.txt", "x" * 300, "nul\0byte", "file/vectors.txt"])
def test_places_where_no_file_can_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError), new_file(tmp_path / name):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_folder_without_permission(
    make_embeddings: MakeEmbeddings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir(mode=0o500)
    if os.geteuid() == 0:  # root may write everywhere: ask the kernel as another user would
        script = (
            "import os, sys; from brasa.errors import StorageError\n"
            "from brasa.formats import native; os.setuid(65534)\n"
            "try: native.check_target(sys.argv[1])\n"
            "except StorageError as error: print(error)"
        )
        tmp_path.chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-c", script, "/root/model"], capture_output=True, text=True
        )
        assert "/root/model: cannot be" in done.stdout, done.stderr
        return
    with pytest.raises(StorageError, match="permission"):
        native.write(make_embeddings(), tmp_path / "mine" / "model")
    with pytest.raises(StorageError, match="Permission"), new_file(tmp_path / "mine" / "v.txt"):
        pass


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "file").write_text("old")
    with new_file(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


def test_several_files_take_their_places_together(tmp_path: Path) -> None:
    for name in ("first", "second", "derived"):
        (tmp_path / name).write_text("old")
    with new_files(tmp_path, ["first", "second"], stale=["derived"]) as files:
        for file in files:
            file.write(b"new")
        assert (tmp_path / "first").read_text() == "old"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "first": "new",
        "second": "new",
    }


def test_files_get_the_mode_that_the_user_wants(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        with new_file(tmp_path / "vectors.txt") as file:
            file.write(b"new")
    finally:
        os.umask(old)
    assert (tmp_path / "vectors.txt").stat().st_mode & 0o777 == 0o640
