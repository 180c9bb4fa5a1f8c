"""Data and a reader that are not ours to ship: where they lie beside the repository, they agree."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import formats, lookup
from brasa.evaluation import analogy, similarity, wordsim

if TYPE_CHECKING:
    from conftest import MakeEmbeddings

SHARED = Path(__file__).parents[3] / "shared"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")


def test_the_halves_have_the_checksums_that_fetching_expects() -> None:
    for name, member in wordsim.MEMBERS.items():
        pairs = similarity.read_pairs(SHARED / "data/similarity/en" / name)
        text = "".join(f"{a}\t{b}\t{score:.2f}\n" for a, b, score in pairs)
        assert hashlib.sha256(text.encode()).hexdigest() == member.sha256


def test_the_bundled_table_has_the_scores_of_eval_word_vectors() -> None:
    bundled = wordsim.tables()["EN-WS-353-ALL.txt"]
    assert bundled is not None
    assert sorted(similarity.read_pairs(bundled)) == sorted(
        similarity.read_pairs(SHARED / "data/similarity/en/WS-353-ALL.tsv")
    )


@pytest.mark.parametrize(
    ("table", "n_pairs"),
    [
        ("en/WS-353-REL.tsv", 252),
        ("en/WS-353-SIM.tsv", 203),
        ("en/SIMLEX-999.tsv", 999),
        ("en/RW-STANFORD.tsv", 2034),
        ("pt/LX-WordSim-353.tsv", 352),
        ("pt/LX-SimLex-999.tsv", 999),
        ("pt/LX-RareWord.tsv", 2034),
    ],
)
def test_public_tables_are_read_whole(table: str, n_pairs: int) -> None:
    assert len(similarity.read_pairs(SHARED / "data/similarity" / table)) == n_pairs


@pytest.mark.parametrize(
    ("file", "n_questions"), [("questions-words.txt", 19_544), ("LX-4WAnalogiesBr.txt", 17_558)]
)
def test_public_analogies_are_read_whole(
    make_embeddings: MakeEmbeddings, file: str, n_questions: int
) -> None:
    result = analogy.score(make_embeddings(), SHARED / "data/analogy" / file)
    assert result.total.total == n_questions
    assert len(result.sections) == 14
    assert result.syntactic is not None


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize(("min_char", "max_char"), [(3, 6), (1, 3), (2, 2)])
def test_an_independent_reader_finds_the_same_vectors(
    make_embeddings: MakeEmbeddings,
    tmp_path: Path,
    oracle: Any,
    subwords: bool,
    min_char: int,
    max_char: int,
) -> None:
    embeddings = make_embeddings(subwords=subwords, min_char=min_char, max_char=max_char)
    formats.export(embeddings, tmp_path / "vectors.bin", "fasttext")
    model = oracle.load(tmp_path / "vectors.bin")
    words = [*embeddings.vocabulary.words, "embersome", "ações", "北海道の", "", "a", "🔥🔥"]
    expected = np.array([model.word_vector(word) for word in words])
    np.testing.assert_allclose(lookup.compose(embeddings, words), expected, atol=1e-6)
    np.testing.assert_array_equal(model.output, embeddings.output)
    assert [entry.count for entry in model.entries] == embeddings.vocabulary.counts.tolist()
