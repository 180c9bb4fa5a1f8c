"""Real fastText 0.9.2 and gensim, in an environment of their own, read what brasa writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import WordVectors, formats, lookup

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeEmbeddings
    from interop.conftest import RunPeer

UNSEEN = [
    "embersome", "fir", "", "a", "ações", "командам", "北海道の", "🔥🔥", "xyzzy", "é", "naïve",
    "two words",
]  # fmt: skip

FASTTEXT = """
import sys, numpy as np, fasttext
model = fasttext.load_model(sys.argv[2])
words = open(sys.argv[3], encoding="utf-8", newline="\\n").read().split("\\n")
counts = model.get_words(include_freq=True)[1]
np.savez(sys.argv[1], vectors=[model.get_word_vector(word) for word in words], counts=counts,
         output=model.get_output_matrix(), known=model.get_words())
"""

GENSIM = """
import sys, numpy as np
from gensim.models.fasttext import load_facebook_model
model = load_facebook_model(sys.argv[2]).wv
words = open(sys.argv[3], encoding="utf-8", newline="\\n").read().split("\\n")
np.savez(sys.argv[1], vectors=[model[word] for word in words], known=model.index_to_key)
"""

WORD2VEC = """
import sys, numpy as np
from gensim.models import KeyedVectors
model = KeyedVectors.load_word2vec_format(sys.argv[2])
np.savez(sys.argv[1], vectors=model.vectors, known=model.index_to_key)
"""

SETTINGS = [
    {"mode": "skipgram"},
    {"mode": "cbow", "min_char": 1, "max_char": 4},
    {"mode": "batch_skipgram", "vector_dim": 1},
    {"mode": "skipgram", "loss": "hs", "buckets": 1},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_fasttext_gives_the_same_vectors(
    make_embeddings: MakeEmbeddings, run_peer: RunPeer, tmp_path: Path, settings: dict[str, Any]
) -> None:
    embeddings = make_embeddings(**settings)
    words = embeddings.vocabulary.words + UNSEEN
    (tmp_path / "words").write_bytes("\n".join(words).encode())
    formats.export(embeddings, tmp_path / "vectors.bin", "fasttext")
    found = run_peer(FASTTEXT, tmp_path / "vectors.bin", tmp_path / "words")
    np.testing.assert_allclose(found["vectors"], lookup.compose(embeddings, words), atol=1e-5)
    assert list(found["known"]) == embeddings.vocabulary.words
    np.testing.assert_array_equal(found["counts"], embeddings.vocabulary.counts)
    np.testing.assert_array_equal(found["output"], embeddings.output)


def test_fasttext_without_subwords(
    make_embeddings: MakeEmbeddings, run_peer: RunPeer, tmp_path: Path
) -> None:
    embeddings = make_embeddings(subwords=False)
    words = embeddings.vocabulary.words
    (tmp_path / "words").write_bytes("\n".join(words).encode())
    formats.export(embeddings, tmp_path / "vectors.bin", "fasttext")
    found = run_peer(FASTTEXT, tmp_path / "vectors.bin", tmp_path / "words")
    np.testing.assert_array_equal(found["vectors"], embeddings.input)


@pytest.mark.parametrize("settings", SETTINGS)
def test_gensim_gives_the_same_vectors(
    make_embeddings: MakeEmbeddings, run_peer: RunPeer, tmp_path: Path, settings: dict[str, Any]
) -> None:
    embeddings = make_embeddings(**settings)
    # gensim gives </s> n-grams, which fastText does not; and refuses words without any n-gram.
    words = [word for word in embeddings.vocabulary.words if word != "</s>"] + [
        word for word in UNSEEN if lookup.compose(embeddings, [word]).any()
    ]
    (tmp_path / "words").write_bytes("\n".join(words).encode())
    formats.export(embeddings, tmp_path / "vectors.bin", "fasttext")
    found = run_peer(GENSIM, tmp_path / "vectors.bin", tmp_path / "words")
    np.testing.assert_allclose(found["vectors"], lookup.compose(embeddings, words), atol=1e-5)
    assert list(found["known"]) == embeddings.vocabulary.words


@pytest.mark.parametrize("subwords", [False, True])
def test_gensim_reads_the_text(
    make_embeddings: MakeEmbeddings, run_peer: RunPeer, tmp_path: Path, subwords: bool
) -> None:
    embeddings = make_embeddings(subwords=subwords)
    formats.export(embeddings, tmp_path / "vectors.txt", "word2vec")
    found = run_peer(WORD2VEC, tmp_path / "vectors.txt")
    words = embeddings.vocabulary.words
    assert list(found["known"]) == words
    np.testing.assert_allclose(
        found["vectors"], lookup.compose(embeddings, words), rtol=1e-4, atol=1e-9
    )


@pytest.mark.parametrize("loss", ["ns", "hs"])
def test_fasttext_opens_a_trained_model(run_peer: RunPeer, tmp_path: Path, loss: str) -> None:
    lines = [
        f"o fogo da brasa {i % 50} aquece a noite {i % 7} e a ação 北海道" for i in range(3000)
    ]
    trained = WordVectors.train(
        lines, subwords=True, vector_dim=16, epochs=2, threads=1, loss=loss, buckets=20_000
    )
    words = [*trained.words, *UNSEEN]
    (tmp_path / "words").write_bytes("\n".join(words).encode())
    trained.export(tmp_path / "vectors.bin", "fasttext")
    found = run_peer(FASTTEXT, tmp_path / "vectors.bin", tmp_path / "words")
    assert list(found["known"]) == trained.words
    np.testing.assert_allclose(found["vectors"], trained.vectors(words), atol=1e-5)
    assert np.abs(found["vectors"]).max() > 0.01
