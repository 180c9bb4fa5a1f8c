from __future__ import annotations

import io
import itertools
import os
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brasa.config import TextOptions
from brasa.corpus import Corpus
from brasa.errors import CorpusError, StorageError

if TYPE_CHECKING:
    from pathlib import Path


def read(source: Any, **options: Any) -> list[tuple[str, bytes]]:
    corpus = Corpus(source, TextOptions(**options))
    return [(name, b"".join(pieces)) for name, pieces in corpus.sources()]


def text_of(source: Any, **options: Any) -> bytes:
    return b"".join(text for _, text in read(source, **options))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.txt", "a.txt", "sub/c.txt", ".hidden", ".git/config", "sub/.d"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


def names(found: list[tuple[str, bytes]], folder: Path) -> list[str]:
    return [os.path.relpath(name, folder) for name, _ in found]


def test_files_folders_and_patterns(folder: Path) -> None:
    assert read(folder / "a.txt") == [(str(folder / "a.txt"), b"a.txt")]
    assert read(str(folder / "a.txt")) == read(folder / "a.txt")
    assert names(read(folder), folder) == ["a.txt", "b.txt", "sub/c.txt"]
    assert names(read(f"{folder}/*.txt"), folder) == ["a.txt", "b.txt"]
    assert names(read(f"{folder}/**/*.txt"), folder) == ["a.txt", "b.txt", "sub/c.txt"]
    assert names(read(f"{folder}/**"), folder) == ["a.txt", "b.txt", "sub/c.txt"]
    assert names(read(f"{folder}/su[b]"), folder) == ["sub/c.txt"]
    assert names(read([folder / "b.txt", folder / "sub"]), folder) == ["b.txt", "sub/c.txt"]
    assert names(read((str(folder / "b.txt"), f"{folder}/a*")), folder) == ["b.txt", "a.txt"]


def test_a_file_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    path = tmp_path / "part[1].txt"
    path.write_text("text")
    assert text_of(str(path)) == b"text"


def test_a_pipe_is_a_file(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"one two\n")
    os.close(writing)
    try:
        assert text_of(f"/dev/fd/{reading}") == b"one two\n"
    finally:
        os.close(reading)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one two\n")))
    assert read("-") == [("<stdin>", b"one two\n")]
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(StorageError, match="<stdin>: not open"):
        read("-")


def test_lines_end_with_one_line_end() -> None:
    assert text_of(["a b", "c\n", "d\ne", ""]) == b"a b\nc\nd\ne\n\n"
    assert text_of(line for line in ("a", "b")) == b"a\nb\n"
    assert text_of(io.StringIO("a b\nc")) == b"a b\nc\n"
    assert text_of(iter(["Word"])) == b"Word\n"
    assert text_of([]) == b""
    assert text_of(iter(["caf\udce9"])) == b"caf\xe9\n"


def test_token_lists_are_lines() -> None:
    assert text_of([["a", "b"], (), ("c",), iter(["d", "e"])]) == b"a b\n\nc\nd e\n"
    assert text_of([["a", "b"], "c d"]) == b"a b\nc d\n"


def test_many_lines_come_in_few_pieces() -> None:
    lines = [f"line {i}" for i in range(200_000)]
    corpus = Corpus(lines)
    pieces = [piece for _, source in corpus.sources() for piece in source]
    assert b"".join(pieces).decode().splitlines() == lines
    assert len(pieces) < 20


def test_a_list_of_str_holds_paths_or_lines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert text_of(["a.txt", "b.txt"]) == b"a.txtb.txt"
    assert text_of(["some words", "a.txt"]) == b"some words\na.txt\n"
    (folder / "with space.txt").write_text("found")
    assert text_of(["with space.txt"]) == b"found"
    with pytest.raises(StorageError, match=r"missing\.txt: no such file.*iter\(lines\)"):
        text_of(["missing.txt", "a.txt"])
    with pytest.raises(StorageError, match=r"missing\.txt"):
        text_of(["a.txt", "missing.txt"])


def test_all_files_are_looked_for_before_the_first_is_read(folder: Path) -> None:
    with pytest.raises(StorageError, match="missing"):
        next(Corpus([folder / "a.txt", folder / "missing"]).sources())


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (b"text", "made of bytes"),
        ({"a": 1}, "made of dict"),
        (5, "made of int"),
        (None, "made of NoneType"),
        ([b"text"], "<iterable>:1: an item is bytes.*decode it"),
        (iter(["fine", "two\nlines", 5]), "<iterable>:4: an item is int"),
        ([["a"], ["b", 3]], "<iterable>:2: a list of tokens has int in it, 3"),
        ([["a"], ["new york"]], "<iterable>:2: the token 'new york'.*join the parts with _"),
        ([["a", "b\n"]], "<iterable>:1: the token"),
        ([["a", "b\0c"]], "<iterable>:1: the token"),
        ([["", "a b"]], "<iterable>:1: a list of tokens has an empty one"),
        ([["a", ""]], "<iterable>:1: a list of tokens has an empty one"),
        ([{"a", "b"}], "<iterable>:1: an item is set"),
        (iter(["ok", "b\ud800"]), "<iterable>:2: .*surrogate"),
    ],
)
def test_what_is_no_text_is_refused(source: Any, problem: str) -> None:
    with pytest.raises(CorpusError, match=problem):
        read(source)


def test_paths_without_text(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="a folder without files"):
        read(tmp_path)
    with pytest.raises(CorpusError, match="no file matches"):
        read(f"{tmp_path}/*.txt")
    for name in ("missing", "\0", "x" * 5000):
        with pytest.raises(StorageError, match="no such file"):
            read(name)


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    path.write_text("text")
    path.chmod(0)
    if os.geteuid() == 0:  # who may read everything, so that the system's answer has to be set
        monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StorageError, match="secret: not readable") as caught:
        read(path)
    assert caught.value.path == str(path)


def test_a_read_that_fails_names_the_file() -> None:
    with pytest.raises(StorageError, match="/proc/self/mem: not readable: Input/output error"):
        read("/proc/self/mem")


def test_lower_case_and_normalization() -> None:
    decomposed = unicodedata.normalize("NFD", "ÄÉ ÀB")
    assert text_of(iter([decomposed]), nfc=True) == "ÄÉ ÀB\n".encode()
    assert text_of(iter(["ÄÉ ABC"]), lowercase=True) == "äé abc\n".encode()
    assert text_of(iter(["AB CD"]), lowercase=True, nfc=True) == b"ab cd\n"
    assert text_of(iter([decomposed]), lowercase=True, nfc=True) == "äé àb\n".encode()


def test_invalid_bytes_survive_preparation(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"CAF\xe9 \xff\xc3 \xed\xa0\x80 \xc3\x89")
    assert text_of(path, lowercase=True) == b"caf\xe9 \xff\xc3 \xed\xa0\x80 \xc3\xa9"


@given(
    text=st.text(alphabet="aÉ\u0301\u03a3 \nß\udcff", max_size=200),
    cuts=st.lists(st.integers(0, 400), max_size=5),
)
def test_preparation_does_not_depend_on_where_pieces_end(text: str, cuts: list[int]) -> None:
    from brasa.corpus import _prepare, _transform

    data = text.encode("utf-8", "surrogateescape")
    ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[a:b] for a, b in itertools.pairwise(ends)]
    options = TextOptions(lowercase=True, nfc=True)
    prepared = b"".join(_transform(iter(pieces), lambda piece: _prepare(piece, options)))
    assert prepared == _prepare(data, options)


def test_a_token_without_end_is_not_gathered(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes("É".encode() * 3_000_000)
    corpus = Corpus(path, TextOptions(lowercase=True))
    pieces = [piece for _, source in corpus.sources() for piece in source]
    assert max(map(len, pieces)) < 2_000_000
