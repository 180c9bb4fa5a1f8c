from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from brasa import _native, formats, lookup
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeEmbeddings


def format_numbers(values: np.ndarray) -> list[str]:
    words = Vocabulary.from_words(["w"], [1], 1)
    lines = _native.format_vector_lines(
        words.arena, words.offsets, 0, values.astype(np.float32).reshape(1, -1)
    )
    return b"".join(lines).decode().split(" ")[1:-1]


def test_numbers_are_those_of_printf() -> None:
    random = np.random.default_rng(3)
    bits = random.integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32)
    values = np.concatenate(
        [
            random.normal(size=200_000) * 0.1,
            random.uniform(-1, 1, 200_000),
            10.0 ** random.uniform(-6, 6, 100_000),
            bits[np.isfinite(bits)],
            np.arange(-20_000, 20_000) / 2**14,  # many lie half way between two results
            [0.0, -0.0, 1.0, 0.1, 1e-4, 0.99999, 0.999995, 0.9999951, 0.00099999999, 1e5, 123456],
        ]
    ).astype(np.float32)
    assert format_numbers(values) == [f"{value:.5g}" for value in values.tolist()]


def test_not_finite_numbers_are_words_that_readers_know() -> None:
    found = format_numbers(np.array([np.inf, -np.inf, np.nan]))
    assert [float(text) for text in found[:2]] == [np.inf, -np.inf]
    assert np.isnan(float(found[2]))


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("dim", [1, 7, 100])
def test_the_file_has_whole_vectors_by_descending_count(
    make_embeddings: MakeEmbeddings, tmp_path: Path, subwords: bool, dim: int
) -> None:
    words = [f"word{i}" for i in range(3000)]
    embeddings = make_embeddings(words, vector_dim=dim, padding=3, subwords=subwords)
    formats.export(embeddings, tmp_path / "vectors.txt", "word2vec")
    header, *lines = (tmp_path / "vectors.txt").read_bytes().decode().split("\n")
    assert header == f"3000 {dim}"
    assert lines.pop() == ""
    expected = lookup.compose(embeddings, words)
    for line, word, vector in zip(lines, words, expected, strict=True):
        assert line == f"{word} " + "".join(f"{x:.5g} " for x in vector.tolist())
