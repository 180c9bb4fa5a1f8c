"""Broken and lying fastText files: refused with the field and its place, or usable; no crash."""

from __future__ import annotations

import contextlib
import dataclasses
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brasa import TextClassifier, WordVectors
from brasa.errors import BrasaError, FormatError
from brasa.formats import fasttext
from brasa.parameters import (
    N_CENTROIDS,
    Classifier,
    Embeddings,
    FastTextArguments,
    FastTextDetails,
    ProductQuantizer,
    QuantizedMatrix,
)
from brasa.quantization import quantize_embeddings
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Flip, MakeEmbeddings

KINDS = ["words.bin", "old.bin", "softmax.bin", "hs.bin", "pruned.ftz", "words.ftz"]
START = 8  # of the arguments; 0 in a file without magic number
SIZES = 56  # of the arguments


def quantized(n_rows: int, dim: int, part_dim: int) -> QuantizedMatrix:
    rng = np.random.default_rng(1)
    book = ProductQuantizer(dim, part_dim, rng.normal(size=256 * dim).astype(np.float32))
    codes = rng.integers(N_CENTROIDS, size=(n_rows, book.n_parts), dtype=np.uint8)
    norms = ProductQuantizer(1, 1, np.arange(N_CENTROIDS, dtype=np.float32))
    return QuantizedMatrix(codes, book, rng.integers(256, size=n_rows, dtype=np.uint8), norms)


def classifier(kind: str) -> Classifier:
    rng = np.random.default_rng(2)
    words = Vocabulary.from_words(["</s>", "fire", "ember", "ação"], [9, 5, 3, 1], 18)
    labels = Vocabulary.from_words(["__label__a", "__label__b", "__label__c"], [4, 3, 2], 18)
    plain = Classifier(
        vocabulary=words,
        labels=labels,
        loss="hs" if kind == "hs.bin" else "softmax",
        word_ngrams=2,
        min_char=2,
        max_char=3,
        buckets=50,
        input=rng.normal(size=(54, 7)).astype(np.float32),
        output=rng.normal(size=(3, 7)).astype(np.float32),
        bucket_ids=np.arange(50, dtype=np.uint32),
    )
    if kind != "pruned.ftz":
        return plain
    return dataclasses.replace(
        plain,
        input=quantized(4 + 10, 7, 2),
        bucket_ids=np.arange(0, 50, 5, dtype=np.uint32),
        bucket_rows=np.arange(10, dtype=np.int32)[::-1].copy(),
        drops_other_buckets=True,
    )


@pytest.fixture(params=KINDS)
def content(
    request: pytest.FixtureRequest, tmp_path: Path, make_embeddings: MakeEmbeddings
) -> bytes:
    """A whole file of each kind."""
    path, kind = tmp_path / "whole", request.param
    model: Embeddings | Classifier
    if kind in ("words.bin", "old.bin"):
        model = make_embeddings(vector_dim=7, buckets=60)
        if kind == "old.bin":
            values = FastTextArguments(7, 5, 5, 5, 5, 1, 2, 2, 60, 3, 6, 100, 1e-4)
            model = dataclasses.replace(model, fasttext=FastTextDetails(0, values))
    elif kind == "words.ftz":
        words = [f"w{i}" for i in range(260)]
        model = quantize_embeddings(make_embeddings(words, vector_dim=3, buckets=60), dsub=3)
    else:
        model = classifier(kind)
    fasttext.write(model, path)
    use(path)
    return path.read_bytes()


def use(path: Path) -> None:
    model = fasttext.read(path)
    if isinstance(model, Classifier):
        found = TextClassifier(model)
        found.predict(["fire in the ember", ""], k=3)
        found.word_vectors(["fire", "x", ""])
        fasttext.write(model, path.with_name("again"))
        return
    vectors = WordVectors(model)
    vectors.vectors(["fire", "embersome", ""])
    vectors.neighbors(vectors.words[0], k=2)


def start_of(content: bytes) -> int:
    return START if content[:4] == fasttext.MAGIC.to_bytes(4, "little") else 0


def test_every_truncation_is_refused(content: bytes, tmp_path: Path) -> None:
    for percent in range(100):
        (tmp_path / "cut").write_bytes(content[: len(content) * percent // 100])
        with pytest.raises(FormatError) as caught:
            fasttext.read(tmp_path / "cut")
        assert str(tmp_path / "cut") in str(caught.value)
        assert caught.value.field in str(caught.value)
        assert 0 <= caught.value.offset <= len(content)
    (tmp_path / "long").write_bytes(content + b"\0")
    with pytest.raises(FormatError, match="end of the model"):
        fasttext.read(tmp_path / "long")


@pytest.mark.parametrize("value", [-(2**31), -1, 0, 1, 10**6, 2**31 - 1])
def test_header_fields_that_lie(content: bytes, tmp_path: Path, value: int) -> None:
    """Counts of the dictionary are always noticed; some arguments have no wrong value."""
    start = start_of(content)
    counts = [start + SIZES + 4 * i for i in range(3)]
    for offset in [*range(0, start + 48, 4), *counts]:
        broken = bytearray(content)
        struct.pack_into("<i", broken, offset, value)
        (tmp_path / "lie").write_bytes(broken)
        if offset in counts and broken != content:
            with pytest.raises(FormatError):
                fasttext.read(tmp_path / "lie")
        else:
            try_to_use(tmp_path / "lie")


@pytest.mark.parametrize("value", [-(2**63), -2, 0, 1, 10**9, 2**63 - 1])
def test_long_counts_that_lie(content: bytes, tmp_path: Path, value: int) -> None:
    start = start_of(content)
    for offset in (start + SIZES + 12, start + SIZES + 20):
        broken = bytearray(content)
        struct.pack_into("<q", broken, offset, value)
        (tmp_path / "lie").write_bytes(broken)
        try_to_use(tmp_path / "lie")


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_each_byte_of_the_header_flipped(content: bytes, tmp_path: Path, mask: int) -> None:
    for offset in range(start_of(content) + SIZES + 28):
        broken = bytearray(content)
        broken[offset] ^= mask
        (tmp_path / "flipped").write_bytes(broken)
        try_to_use(tmp_path / "flipped")


def try_to_use(path: Path) -> None:
    with contextlib.suppress(BrasaError):
        use(path)


@settings(max_examples=100)
@given(data=st.data())
def test_flipped_bytes_never_crash(
    content: bytes, tmp_path: Path, flip: Flip, data: st.DataObject
) -> None:
    (tmp_path / "flipped").write_bytes(flip(data, content, head=130))
    try_to_use(tmp_path / "flipped")


PAIR = struct.Struct("<2i")


def pruning_index(content: bytearray) -> int:
    """Where the first pair is: it follows the last label's count and kind."""
    return content.index(b"__label__c\0") + len(b"__label__c\0") + 9


@pytest.mark.parametrize(
    ("pair", "field"),
    [
        ((0, 10), "row of the pruning index"),
        ((0, -1), "row of the pruning index"),
        ((0, 2**31 - 1), "row of the pruning index"),
        ((50, 9), "bucket of the pruning index"),
        ((-1, 9), "bucket of the pruning index"),
        ((5, 9), "buckets of the pruning index"),
        ((0, 8), "rows of the pruning index"),
    ],
)
def test_pruned_rows_out_of_range(tmp_path: Path, pair: tuple[int, int], field: str) -> None:
    path = tmp_path / "pruned.ftz"
    fasttext.write(classifier("pruned.ftz"), path)
    content = bytearray(path.read_bytes())
    at = pruning_index(content)
    assert PAIR.unpack_from(content, at) == (0, 9)
    PAIR.pack_into(content, at, *pair)
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        fasttext.read(path)
    assert caught.value.field == field
    assert at <= caught.value.offset <= at + 4


def refused(path: Path, field: str, offset: int) -> None:
    with pytest.raises(FormatError) as caught:
        fasttext.read(path)
    assert caught.value.field == field
    assert caught.value.offset == offset


def test_a_word_without_its_end(tmp_path: Path, make_embeddings: MakeEmbeddings) -> None:
    path = tmp_path / "words.bin"
    fasttext.write(make_embeddings(vector_dim=7, buckets=60), path)
    content = path.read_bytes()
    at = content.index(b"the\0")
    cut = content[: at + 3]
    # The dictionary promises at least ten bytes for each entry: enough of them, and no NUL.
    path.write_bytes(cut + b"x" * 400)
    refused(path, "dictionary entry 1, word", at)
    path.write_bytes(content[: at + 3 + 9] + b"\2" + content[at + 3 + 10 :])
    refused(path, "dictionary entry 1, kind", at + 3 + 9)
    path.write_bytes(content[: at + 4] + b"\xff" * 8 + content[at + 12 :])
    refused(path, "dictionary entry 1, count", at + 4)


def test_words_that_are_not_utf8_are_kept(tmp_path: Path, make_embeddings: MakeEmbeddings) -> None:
    path = tmp_path / "words.bin"
    fasttext.write(make_embeddings(vector_dim=7, buckets=60), path)
    content = path.read_bytes()
    path.write_bytes(content.replace("ação".encode(), b"a\xc3\xff\xc3\xa3o"))
    vectors = WordVectors.load(path)
    word = b"a\xc3\xff\xc3\xa3o".decode("utf-8", "surrogateescape")
    assert word in vectors
    assert vectors[word].any()


def test_errors_carry_their_facts(tmp_path: Path) -> None:
    path = tmp_path / "m.ftz"
    fasttext.write(classifier("pruned.ftz"), path)
    content = bytearray(path.read_bytes())
    struct.pack_into("<i", content, 4, 13)
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        fasttext.read(path)
    facts: dict[str, Any] = vars(caught.value)
    assert facts == {
        "path": str(path), "field": "version", "offset": 4, "expected": "11 or 12", "found": "13",
    }  # fmt: skip
