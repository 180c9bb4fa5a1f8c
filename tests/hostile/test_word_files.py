"""Broken, truncated and lying files of words and vectors: each is refused by name."""

from __future__ import annotations

import gzip
import resource
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brasa
from brasa import formats
from brasa.errors import ModelFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Flip, MakeEmbeddings

FORMATS = ["word2vec", "word2vec-binary", "glove"]


def written(make_embeddings: MakeEmbeddings, tmp_path: Path, format: str) -> bytes:
    path = tmp_path / "whole"
    formats.export(make_embeddings([f"word{i}" for i in range(100)]), path, format)
    return path.read_bytes()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("format", FORMATS)
def test_every_truncation_is_refused(
    make_embeddings: MakeEmbeddings, tmp_path: Path, format: str, packed: bool
) -> None:
    data = written(make_embeddings, tmp_path, format)
    whole = gzip.compress(data) if packed else data
    for cut in [*range(0, len(whole), max(1, len(whole) // 100)), len(whole) - 2, len(whole) - 9]:
        if format == "glove" and not packed and whole[cut - 1 : cut] in (b"\n", b""):
            continue  # no count tells that lines are missing
        (tmp_path / "cut").write_bytes(whole[:cut])
        with pytest.raises(ModelFormatError, match="cut"):
            brasa.load(tmp_path / "cut")


BROKEN = {
    "no words": (b"0 3\n", "has no words"),
    "dimension 0": (b"2 0\na\nb\n", "0 numbers; brasa holds 1 to 2048"),
    "dimension too large": (b"1 4096\na" + b" 1" * 4096 + b"\n", "4096 numbers"),
    "more words than said": (b"1 2\na 1 2\nb 1 2\n", "says 1 words, and it has more"),
    "fewer words than said": (b"3 2\na 1 2\nb 1 2\n", "says 3 words, and it has 2"),
    "count of 2^31": (b"2147483648 100\na 1\n", "more than 19 bytes can hold"),
    "count of 10^18": (b"1000000000000000000 2\na 1 2\n", "more than"),
    "ragged: few": (b"2 3\na 1 2 3\nb 1 2\n", "line 3: 2 numbers follow the word, not 3"),
    "ragged: many": (b"2 2\na 1 2\nb 1 2 3\n", "line 3: 3 numbers follow the word, not 2"),
    "ragged in glove": (b"a 1 2\nb 1\n", "line 2: 1 numbers follow"),
    "nan": (b"2 2\na 1 2\nb 1 nan\n", "line 3: 'nan' is not a finite number"),
    "inf": (b"a 1 2\nb -inf 2\n", "line 2: '-inf' is not a finite number"),
    "too large for a float": (b"a 1 2\nb 1e39 2\n", "'1e39' is not a finite number"),
    "no number": (b"2 2\na 1 2\nb 1 0x10\n", "'0x10' is not a finite number"),
    "two signs": (b"a 1 2\nb 1 --2\n", "'--2' is not a finite number"),
    "sign twice": (b"a 1 2\nb 1 +-2\n", "is not a finite number"),
    "decimal comma": (b"a 1 2\nb 1,5 2\n", "line 2"),
    "no word": (b"2 2\na 1 2\n 1 2\n", "line 3: it has no word"),
    "NUL in a word": (b"2 2\na 1 2\nb\0c 1 2\n", "line 3"),
    "NUL among spaces": (b"2 2\na 1 2\nb \0 1 2\n", "line 3: its word has a NUL"),
    "no last line end": (b"2 2\na 1 2\nb 1 2", "line 3 has no line end"),
    "binary: bytes at the end": (b"1 1\na \xff\x00\x00\x3fxyz", "bytes follow"),
    "binary: nan": (b"1 1\na \xff\xff\xff\xff", "word 1: a number of 'a' is not finite"),
    "binary: no word": (b"2 1\na \xff\x00\x00\x3f \xff\x00\x00\x3f", "word 2: no word"),
    "binary: lying count": (b"3 1\na \xff\x00\x00\x3fb \xff\x00\x00\x3f", "says 3 words"),
    "binary: huge count": (b"9999999 900\na \xff\x00\x00\x3f", "more than 18 bytes can hold"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_fault_is_named(tmp_path: Path, name: str) -> None:
    content, match = BROKEN[name]
    (tmp_path / "broken").write_bytes(content)
    with pytest.raises(ModelFormatError, match=match) as caught:
        brasa.load(tmp_path / "broken")
    assert str(tmp_path / "broken") in str(caught.value)


def test_a_count_that_lies_costs_no_memory(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for count in (10**5, 2**31 - 1, 2**63):
        for packed in (gzip.compress, bytes):
            (tmp_path / "v").write_bytes(packed(b"%d 2000\na 1 2\n" % count))
            with pytest.raises(ModelFormatError):
                brasa.load(tmp_path / "v")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    line = b"a " + b"0" * 100_000_000 + b"\n"
    (tmp_path / "bomb").write_bytes(gzip.compress(b"1 1\n" + line, 9))
    with pytest.raises(ModelFormatError, match=r"bytes long|times its size"):
        brasa.load(tmp_path / "bomb")


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=100)
@given(data=st.data())
def test_flipped_bytes_never_crash(
    make_embeddings: MakeEmbeddings, tmp_path: Path, flip: Flip, format: str, data: st.DataObject
) -> None:
    content = written(make_embeddings, tmp_path, format)
    (tmp_path / "flipped").write_bytes(flip(data, content, head=12))
    try:
        found = brasa.load(tmp_path / "flipped")
    except ModelFormatError:
        return
    assert len(found.words) == len(found.embeddings.input)
    found.vectors(["word1", "word99"])
