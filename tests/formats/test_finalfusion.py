"""Files of finalfusion, written here after its specification."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brasa
from brasa import _native
from brasa.errors import FormatError, ModelFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Flip

Matrix = np.ndarray[Any, Any]
WORDS = ["the", "fire", "ember", "embers", "brasa", "ação", "команда", "北海道", "🔥", "é", "o"]
UNSEEN = ["embersome", "fires", "ações", "brasas", "командам", "北海道の"]
DIM = 6


def chunk(kind: int, body: bytes) -> bytes:
    return struct.pack("<IQ", kind, len(body)) + body


def with_padding(before: int, header: bytes, array: Matrix) -> bytes:
    """Header and numbers of a chunk that begins at byte `before` of the file."""
    return header + bytes(4 - (before + 12 + len(header)) % 4) + array.tobytes()


def items(texts: list[str]) -> bytes:
    return b"".join(struct.pack("<I", len(t.encode())) + t.encode() for t in texts)


def ngrams(word: str, low: int, high: int) -> list[str]:
    wrapped = f"<{word}>"
    return [
        wrapped[i : i + n]
        for i in range(len(wrapped))
        for n in range(low, high + 1)
        if i + n <= len(wrapped)
    ]


def fnv64(ngram: str) -> int:
    value = 0xCBF29CE484222325
    for byte in struct.pack(f"<Q{len(ngram)}I", len(ngram), *map(ord, ngram)):
        value = (value ^ byte) * 0x100000001B3 & 2**64 - 1
    return value


KINDS = {"simple": 1, "bucket": 3, "fasttext": 7, "explicit": 8}


def write(path: Path, kind: str, *, norms: bool = True, quantized: bool = False) -> dict[str, Any]:
    """A model with random rows; returns its rows, norms and rows of n-grams."""
    random = np.random.default_rng(6)
    low, high, n_rows = 3, 5, 0
    found = sorted({ngram for word in WORDS for ngram in ngrams(word, low, high)})
    head = struct.pack("<Q", len(WORDS))
    row_of: dict[str, int] = {}
    if kind == "bucket":
        head += struct.pack("<3I", low, high, 10)
        row_of, n_rows = {ngram: fnv64(ngram) % 1024 for ngram in found}, 1024
    if kind == "fasttext":
        head += struct.pack("<3I", low, high, 700)
        row_of, n_rows = {n: _native.hash_word(n.encode()) % 700 for n in found}, 700
    vocabulary = head + items(WORDS)
    if kind == "explicit":
        row_of, n_rows = {ngram: i // 2 for i, ngram in enumerate(found)}, -(-len(found) // 2)
        vocabulary = struct.pack("<2Q2I", len(WORDS), len(found), low, high) + items(WORDS)
        vocabulary += b"".join(items([n]) + struct.pack("<Q", row_of[n]) for n in found)
    rows = random.normal(size=(len(WORDS) + n_rows, DIM)).astype(np.float32)
    scale = random.uniform(1, 3, len(WORDS)).astype(np.float32)
    parts = [(5, b'name = "test"\n'), (KINDS[kind], vocabulary)]
    data = struct.pack("<4s2I", b"FiFu", 0, 3 + norms)
    data += struct.pack(f"<{3 + norms}I", 5, KINDS[kind], 4 if quantized else 2, *[6] * norms)
    for number, body in parts:
        data += chunk(number, body)
    if quantized:
        books = random.normal(size=(3, 16, DIM // 3)).astype(np.float32)
        turn = np.linalg.qr(random.normal(size=(DIM, DIM)))[0].astype(np.float32)
        codes = random.integers(0, 16, size=(len(rows), 3)).astype(np.uint8)
        lengths = random.uniform(1, 2, len(rows)).astype(np.float32)
        head = struct.pack("<5IQ2I", 1, 1, 3, DIM, 16, len(rows), 1, 10)
        body = with_padding(len(data), head, np.concatenate([turn.ravel(), books.ravel(), lengths]))
        data += chunk(4, body + codes.tobytes())
        rows = np.concatenate([books[i][codes[:, i]] for i in range(3)], axis=1) @ turn.T
        rows *= lengths[:, None]
    else:
        head = struct.pack("<Q2I", len(rows), DIM, 10)
        data += chunk(2, with_padding(len(data), head, rows))
    if norms:
        head = struct.pack("<QI", len(WORDS), 10)
        data += chunk(6, with_padding(len(data), head, scale))
    path.write_bytes(data)
    return {"rows": rows, "norms": scale if norms else np.ones(len(WORDS)), "row_of": row_of}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norms", [False, True])
@pytest.mark.parametrize("quantized", [False, True])
def test_words_have_their_whole_vectors_and_unseen_words_their_direction(
    tmp_path: Path, kind: str, norms: bool, quantized: bool
) -> None:
    made = write(tmp_path / "model", kind, norms=norms, quantized=quantized)
    model = brasa.load(tmp_path / "model")
    assert model.words == WORDS
    assert model.metadata == {
        "source": "finalfusion", "finalfusion_metadata": 'name = "test"\n'
    }  # fmt: skip
    rows, row_of = made["rows"], made["row_of"]
    whole = rows[: len(WORDS)] * made["norms"][:, None]
    np.testing.assert_allclose(model.vectors(WORDS), whole, rtol=1e-4, atol=1e-5)
    assert model.config.subwords == (kind != "simple")
    for word in UNSEEN if row_of else []:
        known = [row_of[n] for n in ngrams(word, 3, 5) if n in row_of]
        if kind == "fasttext":
            known = [_native.hash_word(n.encode()) % 700 for n in ngrams(word, 3, 5)]
        wanted = rows[len(WORDS) + np.array(known)].sum(axis=0)
        cosine = model[word] @ wanted / np.linalg.norm(model[word]) / np.linalg.norm(wanted)
        assert cosine == pytest.approx(1, abs=1e-5)
    model.save(tmp_path / "saved")
    np.testing.assert_array_equal(
        brasa.load(tmp_path / "saved").vectors(UNSEEN + WORDS), model.vectors(UNSEEN + WORDS)
    )


def test_the_short_chunk_of_the_python_package(tmp_path: Path) -> None:
    """It counts an explicit n-gram's length and bytes, and forgets its row."""
    made = write(tmp_path / "model", "explicit")
    data = bytearray((tmp_path / "model").read_bytes())
    place = data.index(struct.pack("<I", 8), 40)
    (length,) = struct.unpack_from("<Q", data, place + 4)
    struct.pack_into("<Q", data, place + 4, length - 8 * len(made["row_of"]))
    (tmp_path / "short").write_bytes(data)
    found, wanted = brasa.load(tmp_path / "short"), brasa.load(tmp_path / "model")
    np.testing.assert_array_equal(found.embeddings.input, wanted.embeddings.input)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("quantized", [False, True])
def test_every_truncation_is_refused(tmp_path: Path, kind: str, quantized: bool) -> None:
    write(tmp_path / "whole", kind, quantized=quantized)
    data = (tmp_path / "whole").read_bytes()
    for cut in [*range(0, len(data), len(data) // 100), len(data) - 1]:
        (tmp_path / "cut").write_bytes(data[:cut])
        with pytest.raises(ModelFormatError, match="cut"):
            brasa.load(tmp_path / "cut")
    (tmp_path / "long").write_bytes(data + b"\0")
    with pytest.raises(FormatError, match="more bytes"):
        brasa.load(tmp_path / "long")


@pytest.mark.parametrize("top_byte", [124, 126, 127])
def test_numbers_that_overflow_when_multiplied_are_refused(tmp_path: Path, top_byte: int) -> None:
    """Each float near the end (norms, centroids, projection) is made so large that products do."""
    write(tmp_path / "whole", "explicit", quantized=True)
    content = (tmp_path / "whole").read_bytes()
    refused = 0
    for place in range(len(content) - 400, len(content)):
        (tmp_path / "large").write_bytes(content[:place] + bytes([top_byte]) + content[place + 1 :])
        try:
            model = brasa.load(tmp_path / "large")
        except ModelFormatError:
            refused += 1
        else:
            assert np.isfinite(model.vectors(["ember", "embersome"])).all()
    assert refused > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("quantized", [False, True])
@settings(max_examples=60)
@given(data=st.data())
def test_flipped_bytes_never_crash(
    tmp_path: Path, flip: Flip, kind: str, quantized: bool, data: st.DataObject
) -> None:
    write(tmp_path / "whole", kind, quantized=quantized)
    content = (tmp_path / "whole").read_bytes()
    (tmp_path / "flipped").write_bytes(flip(data, content, head=120))
    try:
        model = brasa.load(tmp_path / "flipped")
    except ModelFormatError:
        return
    assert model.vectors(["ember", "embersome"]).shape == (2, model.vector_dim)


@pytest.mark.parametrize("value", [0, 1, 2**31 - 1, 2**32 - 1])
@pytest.mark.parametrize("kind", KINDS)
def test_each_number_of_the_headers_may_lie(tmp_path: Path, kind: str, value: int) -> None:
    write(tmp_path / "whole", kind)
    data = (tmp_path / "whole").read_bytes()
    matrix = data.index(struct.pack("<I", DIM) + struct.pack("<I", 10)) - 20
    for place in [*range(4, 90, 2), *range(matrix, matrix + 28, 4)]:
        content = bytearray(data)
        struct.pack_into("<I", content, place, value)
        (tmp_path / "lie").write_bytes(content)
        try:
            model = brasa.load(tmp_path / "lie")
        except ModelFormatError:
            continue
        assert len(model) == len(model.embeddings.vocabulary.words)
