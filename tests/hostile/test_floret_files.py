"""Broken, truncated and lying files of floret: each is refused by name."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brasa
from brasa import formats
from brasa.errors import ModelFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import AsFloret, Flip, MakeEmbeddings, MakeFloretTable


@pytest.fixture(params=["table", "binary"])
def whole(
    make_floret_table: MakeFloretTable,
    as_floret: AsFloret,
    request: pytest.FixtureRequest,
    make_embeddings: MakeEmbeddings,
    tmp_path: Path,
) -> bytes:
    """The bytes of a table, or of a binary file."""
    if request.param == "table":
        make_floret_table(tmp_path)
    else:
        model = as_floret(make_embeddings(buckets=300))
        formats.export(model, tmp_path / "table", "floret-binary")
    return (tmp_path / "table").read_bytes()


def test_every_truncation_is_refused(whole: bytes, tmp_path: Path) -> None:
    for cut in [*range(0, len(whole), len(whole) // 100), len(whole) - 1]:
        (tmp_path / "cut").write_bytes(whole[:cut])
        with pytest.raises(ModelFormatError, match="cut"):
            brasa.load(tmp_path / "cut")
    (tmp_path / "long").write_bytes(whole + b"x")
    with pytest.raises(ModelFormatError, match="long"):
        brasa.load(tmp_path / "long")


@settings(max_examples=150)
@given(data=st.data())
def test_flipped_bytes_never_crash(
    whole: bytes, tmp_path: Path, flip: Flip, data: st.DataObject
) -> None:
    (tmp_path / "flipped").write_bytes(flip(data, whole, head=110))
    try:
        model = brasa.load(tmp_path / "flipped")
    except ModelFormatError:
        return
    if isinstance(model, brasa.WordVectors):
        model.vectors(["ember", "embersome", "", "</s>"])
        model.subwords("embers")


HEADERS = {
    "no buckets": ("0 6 3 5 2 1 < >", "buckets"),
    "more buckets than rows": ("501 6 3 5 2 1 < >", "says 501 words, and it has 500"),
    "fewer buckets than rows": ("499 6 3 5 2 1 < >", "has more"),
    "2^31 buckets": ("2147483648 6 3 5 2 1 < >", "buckets"),
    "2^31 - 1 buckets": ("2147483647 6 3 5 2 1 < >", "more than"),
    "no dimension": ("500 0 3 5 2 1 < >", "0 numbers"),
    "another dimension": ("500 7 3 5 2 1 < >", "line 2: 6 numbers follow the word, not 7"),
    "long n-grams": ("500 6 3 500 2 1 < >", "max_char"),
    "no hashes": ("500 6 3 5 0 1 < >", "hash_count"),
    "five hashes": ("500 6 3 5 5 1 < >", "hash_count"),
    "seed of 33 bits": ("500 6 3 5 2 4294967296 < >", "seed"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_each_header_field_is_checked(
    make_floret_table: MakeFloretTable, tmp_path: Path, name: str
) -> None:
    header, match = HEADERS[name]
    make_floret_table(tmp_path)
    lines = (tmp_path / "table").read_bytes().partition(b"\n")[2]
    (tmp_path / "table").write_bytes(header.encode() + b"\n" + lines)
    with pytest.raises(ModelFormatError, match=match):
        brasa.load(tmp_path / "table")


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("\n7 ", "\n8 ", "not numbered from 0 to 499"),
        ("\n7 ", "\nx ", "numbered 'x'"),
        ("\n7 ", "\n-7 ", "numbered '-7'"),
        ("\n7 ", "\n99999999999 ", "numbered"),
        ("\n7 ", "\n500 ", "not numbered"),
    ],
)
def test_each_row_must_be_there_once(
    make_floret_table: MakeFloretTable, tmp_path: Path, old: str, new: str, match: str
) -> None:
    make_floret_table(tmp_path)
    text = (tmp_path / "table").read_text()
    (tmp_path / "table").write_text(text.replace(old, new, 1))
    with pytest.raises(ModelFormatError, match=match):
        brasa.load(tmp_path / "table")


@pytest.mark.parametrize("value", [-(2**31), -1, 0, 1, 5, 2**31 - 1])
@pytest.mark.parametrize("field", range(2, 21))
def test_each_number_of_the_binary_header_may_lie(
    as_floret: AsFloret, make_embeddings: MakeEmbeddings, tmp_path: Path, field: int, value: int
) -> None:
    model = as_floret(make_embeddings(buckets=300))
    formats.export(model, tmp_path / "whole", "floret-binary")
    content = bytearray((tmp_path / "whole").read_bytes())
    struct.pack_into("<i", content, 4 * field, value)
    (tmp_path / "lie").write_bytes(content)
    try:
        found = brasa.load(tmp_path / "lie")
    except ModelFormatError:
        return
    found.vectors(["ember", "embersome"])
    found.export(tmp_path / "again", "floret-binary")


def test_a_classifier_on_a_table_is_refused(
    as_floret: AsFloret, make_embeddings: MakeEmbeddings, tmp_path: Path
) -> None:
    model = as_floret(make_embeddings(buckets=300))
    formats.export(model, tmp_path / "whole", "floret-binary")
    content = bytearray((tmp_path / "whole").read_bytes())
    struct.pack_into("<i", content, 8 + 4 * 7, 3)
    (tmp_path / "classifier").write_bytes(content)
    with pytest.raises(ModelFormatError, match="classifier that floret trained"):
        brasa.load(tmp_path / "classifier")
