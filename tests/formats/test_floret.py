from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import brasa
from brasa import formats, lookup
from brasa.errors import ModelFormatError
from brasa.formats import floret
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from brasa.subwords import FloretHashing
    from conftest import AsFloret, MakeEmbeddings, MakeFloretTable

M = 2**64 - 1
UNSEEN = ["embersome", "fir", "a", "ações", "北海道の", "🔥🔥", "two words", "x" * 200, "naïve"]


def murmur(data: bytes, seed: int) -> list[int]:
    """MurmurHash3_x64_128 as in its specification, as four numbers of 32 bits."""

    def rotl(x: int, r: int) -> int:
        return (x << r | x >> (64 - r)) & M

    def fmix(k: int) -> int:
        k = (k ^ k >> 33) * 0xFF51AFD7ED558CCD & M
        k = (k ^ k >> 33) * 0xC4CEB9FE1A85EC53 & M
        return k ^ k >> 33

    c1, c2, h1, h2 = 0x87C37B91114253D5, 0x4CF5AD432745937F, seed, seed
    n_blocks = len(data) // 16
    for i in range(n_blocks + 1):
        k1, k2 = struct.unpack("<2Q", data[16 * i : 16 * i + 16].ljust(16, b"\0"))
        h1 ^= rotl(k1 * c1 & M, 31) * c2 & M
        if i < n_blocks:
            h1 = ((rotl(h1, 27) + h2) * 5 + 0x52DCE729) & M
        h2 ^= rotl(k2 * c2 & M, 33) * c1 & M
        if i < n_blocks:
            h2 = ((rotl(h2, 31) + h1) * 5 + 0x38495AB5) & M
    h1, h2 = h1 ^ len(data), h2 ^ len(data)
    h1 = (h1 + h2) & M
    h2 = (h2 + h1) & M
    h1, h2 = fmix(h1), fmix(h2)
    h1 = (h1 + h2) & M
    h2 = (h2 + h1) & M
    return [h1 & 0xFFFFFFFF, h1 >> 32, h2 & 0xFFFFFFFF, h2 >> 32]


def expected(table: np.ndarray, hashing: FloretHashing, word: str) -> Any:
    """The definition of a floret vector, as floret's `computeSubwords` has it."""
    wrapped = hashing.begin + word + hashing.end
    parts = [wrapped] + [
        wrapped[i : i + n]
        for i in range(len(wrapped))
        for n in range(max(1, hashing.min_char), hashing.max_char + 1)
        if i + n <= len(wrapped) and not (n == 1 and (i == 0 or i + n == len(wrapped)))
    ]
    rows = [
        table[key % hashing.buckets]
        for part in parts
        for key in murmur(part.encode(), hashing.seed)[: hashing.hash_count]
    ]
    return np.mean(np.asarray(rows, np.float64), axis=0)


@pytest.mark.parametrize(
    "fields",
    [{}, {"hash_count": 4, "min_char": 1}, {"seed": 7, "hash_count": 1}, {"buckets": 1},
     {"min_char": 0, "max_char": 0}, {"begin": "^^", "end": "€"}],
)  # fmt: skip
def test_a_table_has_a_vector_for_every_word(
    make_floret_table: MakeFloretTable, tmp_path: Path, fields: dict[str, Any]
) -> None:
    hashing, rows = make_floret_table(tmp_path, **fields)
    model = brasa.load(tmp_path / "table")
    assert model.embeddings.floret == hashing
    assert len(model) == 0
    words = [*UNSEEN, "</s>", ""]
    wanted = [expected(rows, hashing, word) for word in words]
    np.testing.assert_allclose(model.vectors(words), wanted, atol=2e-5)
    np.testing.assert_array_equal(model["ember"], model.vectors(["ember"])[0])
    part = model.subwords("ember")[0]
    assert part.text == hashing.begin + "ember" + hashing.end
    assert part.bucket == part.row == murmur(part.text.encode(), hashing.seed)[0] % hashing.buckets
    model.export(tmp_path / "again", "floret")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "table").read_bytes()


def test_rows_in_any_order(make_floret_table: MakeFloretTable, tmp_path: Path) -> None:
    make_floret_table(tmp_path)
    header, *lines = (tmp_path / "table").read_text().splitlines(keepends=True)
    (tmp_path / "turned").write_text(header + "".join(reversed(lines)))
    whole, turned = brasa.load(tmp_path / "table"), brasa.load(tmp_path / "turned")
    np.testing.assert_array_equal(whole.embeddings.input, turned.embeddings.input)


def test_a_table_is_saved_and_similarity_works(
    make_floret_table: MakeFloretTable, tmp_path: Path
) -> None:
    make_floret_table(tmp_path)
    model = brasa.load(tmp_path / "table")
    model.save(tmp_path / "model")
    again = brasa.load(tmp_path / "model")
    assert again.embeddings.floret == model.embeddings.floret
    np.testing.assert_array_equal(again.vectors(UNSEEN), model.vectors(UNSEEN))
    assert again.similarity("ember", "ember") == pytest.approx(1)
    for name in ("fasttext", "word2vec", "word2vec-binary", "glove", "floret-binary"):
        with pytest.raises(ModelFormatError, match="not written"):
            again.export(tmp_path / "no", name)


def test_the_binary_format_comes_back(
    as_floret: AsFloret, make_embeddings: MakeEmbeddings, tmp_path: Path
) -> None:
    model = as_floret(make_embeddings(buckets=300))
    formats.export(model, tmp_path / "a", "floret-binary")
    found = formats.load(tmp_path / "a")
    assert found.floret == model.floret
    words = [*model.vocabulary.words[1:], *UNSEEN]
    table = model.input[len(model.vocabulary) :]
    assert model.floret is not None
    wanted = [expected(table, model.floret, word) for word in words]
    np.testing.assert_allclose(lookup.compose(found, words), wanted, atol=2e-5)
    # floret's program gives the line end its own row, where it is the first word
    np.testing.assert_array_equal(lookup.compose(found, ["</s>"]), model.input[:1])
    formats.export(found, tmp_path / "b", "floret-binary")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    formats.export(found, tmp_path / "table", "floret")
    assert formats.load(tmp_path / "table").floret == model.floret
    for name in ("word2vec", "word2vec-binary", "glove"):
        formats.export(found, tmp_path / name, name)
        vectors = formats.load(tmp_path / name)
        np.testing.assert_allclose(
            vectors.input, lookup.compose(found, vectors.vocabulary.words), rtol=1e-4
        )


@pytest.mark.parametrize("subwords", [False, True])
def test_a_model_of_fasttext_in_the_binary_format(
    make_embeddings: MakeEmbeddings, tmp_path: Path, subwords: bool
) -> None:
    model = make_embeddings(subwords=subwords)
    formats.export(model, tmp_path / "floret.bin", "floret-binary")
    formats.export(model, tmp_path / "fasttext.bin", "fasttext")
    data = (tmp_path / "fasttext.bin").read_bytes()
    assert (tmp_path / "floret.bin").read_bytes() == data[:52] + struct.pack("<2i", 1, 1) + data[
        52:
    ]
    found = formats.load(tmp_path / "floret.bin")
    words = model.vocabulary.words + UNSEEN
    np.testing.assert_array_equal(lookup.compose(found, words), lookup.compose(model, words))


@pytest.mark.parametrize(("min_char", "max_char"), [(3, 6), (1, 2)])
def test_a_table_is_fitted_to_a_model_with_subwords(
    make_embeddings: MakeEmbeddings, tmp_path: Path, min_char: int, max_char: int
) -> None:
    words = ["</s>", "of", *(f"word{i}" for i in range(2000)), "ação", "<a>", "a", "</s"]
    model = make_embeddings(words, min_char=min_char, max_char=max_char, buckets=100_000)
    formats.export(model, tmp_path / "table", "floret")
    found = brasa.load(tmp_path / "table")
    np.testing.assert_allclose(found.vectors(words), lookup.compose(model, words), atol=1e-4)
    # n-grams that all occur in words: n / (n + 1) of the vector, but for noise of the word itself
    n_rows = len(found.embeddings.input)
    assert np.any(found.embeddings.input, axis=1).mean() == pytest.approx(1 / 3, abs=0.02)
    assert n_rows % 3 == 1
    (tmp_path / "a").unlink(missing_ok=True)
    with pytest.raises(ModelFormatError, match="no subwords"):
        formats.export(make_embeddings(subwords=False), tmp_path / "a", "floret")
    assert not (tmp_path / "a").exists()


def test_a_seed_without_a_solution_is_passed_over(
    make_embeddings: MakeEmbeddings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floret, "_ROWS_PER_ITEM", 0.5)
    with pytest.raises(ModelFormatError, match="no table was found with 8 seeds"):
        formats.export(make_embeddings(), tmp_path / "a", "floret")


def test_models_that_floret_could_not_have_made(
    as_floret: AsFloret, make_embeddings: MakeEmbeddings, tmp_path: Path
) -> None:
    other = as_floret(make_embeddings(buckets=300), begin="^")
    with pytest.raises(ModelFormatError, match="another seed or marks"):
        formats.export(other, tmp_path / "a", "floret-binary")
    assert Vocabulary.from_words([], [], 0).words == []
