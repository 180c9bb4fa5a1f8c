"""Models that others trained: what brasa reads in them is what their makers say is there."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brasa import TextClassifier, WordVectors, formats
from brasa.formats import fasttext
from brasa.text_classifier import FASTTEXT_EPSILON

SHARED = Path(__file__).parents[3] / "shared"
MODELS = SHARED / "data/models"
FASTTEXT_FILES = [
    "lid.176.ftz",
    *(
        f"gensim/{name}.bin"
        for name in (
            "cp852_fasttext", "crime-and-punishment", "lee_fasttext", "lee_fasttext_new",
            "non_ascii_fasttext", "pang_lee_polarity_fasttext", "toy-model", "toy-model-pretrained",
        )
    ),
]  # fmt: skip

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")


@pytest.mark.parametrize("name", FASTTEXT_FILES)
def test_the_same_bytes_again(tmp_path: Path, name: str) -> None:
    fasttext.write(formats.open_model(MODELS / name), tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (MODELS / name).read_bytes()


@pytest.mark.parametrize("name", ["crime-and-punishment", "lee_fasttext_new", "toy-model"])
def test_an_independent_reader_finds_the_same(oracle: Any, name: str) -> None:
    vectors = WordVectors.load(MODELS / f"gensim/{name}.bin")
    model = oracle.load(MODELS / f"gensim/{name}.bin")
    words = [*vectors.words, "embersome", "ações", "командам", "北海道の", "", "a", "🔥🔥"]
    expected = np.array([model.word_vector(word) for word in words])
    np.testing.assert_allclose(vectors.vectors(words), expected, atol=1e-6)
    np.testing.assert_array_equal(vectors.embeddings.output, model.output)
    assert vectors.vocabulary.counts.tolist() == [entry.count for entry in model.entries]
    assert vectors.vocabulary.n_tokens == model.ntokens


def vec_file(path: Path) -> tuple[list[str], Any]:
    lines = path.read_text("utf-8").split("\n")[1:-1]
    rows = [line.rstrip(" ").split(" ") for line in lines]
    return [row[0] for row in rows], np.array([row[1:] for row in rows], np.float64)


@pytest.mark.parametrize("name", ["crime-and-punishment", "lee_fasttext", "toy-model"])
def test_vectors_are_those_that_fasttext_printed(name: str) -> None:
    """`lee_fasttext.bin` is from before the magic number, when `</s>` still had n-grams."""
    words, expected = vec_file(MODELS / f"gensim/{name}.vec")
    vectors = WordVectors.load(MODELS / f"gensim/{name}.bin")
    assert vectors.words == words
    if name == "lee_fasttext":
        expected[words.index("</s>")] = vectors["</s>"]
    np.testing.assert_allclose(vectors.vectors(words), expected, rtol=6e-5, atol=1e-5)


def test_words_that_are_not_utf8_keep_their_bytes() -> None:
    vectors = WordVectors.load(MODELS / "gensim/cp852_fasttext.bin")
    odd = [word for word in vectors.words if not word.isascii()]
    assert any("\udc80" <= letter <= "\udcff" for word in odd for letter in word)
    for word in odd:
        assert vectors[word].any()
        assert vectors.neighbors(word, k=1)[0][0] in vectors.words


@pytest.mark.parametrize("name", ["lid.176.ftz", "gensim/pang_lee_polarity_fasttext.bin"])
def test_an_independent_reader_predicts_the_same(oracle: Any, name: str) -> None:
    classifier = TextClassifier.load(MODELS / name)
    model = oracle.load(MODELS / name)
    path = SHARED / "data/classification/langid9.test.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as text:
        lines = [line.rstrip("\n") for line in itertools.islice(text, 300)]
    lines += ["", " ", "olá mundo", "команда друзей", "北海道の 札幌", "🔥", "the __label__en film"]
    for line, found in zip(lines, classifier._many(lines, 5, 0.0, FASTTEXT_EPSILON), strict=True):
        expected = model.predict(line, 5)
        assert all(p < 2e-5 for _, p in expected[len(found) :])  # fastText leaves these out of hs
        probabilities = [p for _, p in expected[: len(found)]]
        assert [p for _, p in found] == pytest.approx(probabilities, abs=1e-5)
        assert [label for label, p in found if p > 1e-4] == [
            label for label, p in expected if p > 1e-4
        ]
    words = [*classifier.words[:500], "embersome", "ações", "командам", "北海道の", "", "🔥🔥"]
    encoded = [word.encode("utf-8", "surrogateescape") for word in words]
    expected_vectors = np.array([model.word_vector(word) for word in encoded])
    np.testing.assert_allclose(classifier.word_vectors(words), expected_vectors, atol=1e-5)
