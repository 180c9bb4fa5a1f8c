"""Neighbors are those of fastText 0.9.2 and gensim, with their cosines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brasa import WordVectors

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeEmbeddings
    from interop.conftest import RunPeer

WORDS = [f"word{i}" for i in range(400)]
PEER = """
import sys, fasttext, numpy as np
from gensim.models import KeyedVectors
model = fasttext.load_model(sys.argv[2])
words = KeyedVectors.load_word2vec_format(sys.argv[3])
found = {
    "neighbors": [(w, c) for c, w in model.get_nearest_neighbors("word7", k=9)],
    "unseen": [(w, c) for c, w in model.get_nearest_neighbors("word7word8", k=9)],
    "analogy": [(w, c) for c, w in model.get_analogies("word1", "word2", "word3", k=9)],
    "gensim": words.most_similar("word7", topn=9),
    "restricted": words.most_similar("word7", topn=9, restrict_vocab=50),
    "sum": words.most_similar(["word1", "word2"], ["word3", "word4"], topn=9),
}
np.savez(sys.argv[1], **{name: np.array(pairs) for name, pairs in found.items()})
"""


def test_neighbors_equal_fasttexts_and_gensims(
    make_embeddings: MakeEmbeddings, run_peer: RunPeer, tmp_path: Path
) -> None:
    vectors = WordVectors(make_embeddings(WORDS))
    vectors.export(tmp_path / "vectors.bin", "fasttext")
    vectors.export(tmp_path / "vectors.vec", "word2vec")
    whole = WordVectors.load(tmp_path / "vectors.vec")  # with the digits that gensim reads
    found = run_peer(PEER, tmp_path / "vectors.bin", tmp_path / "vectors.vec")
    expected = {
        "neighbors": vectors.neighbors("word7", 9),
        "unseen": vectors.neighbors("word7word8", 9),
        "analogy": vectors.analogy("word2", "word1", "word3", 9),  # their a - b + c
        "gensim": whole.neighbors("word7", 9),
        "restricted": whole.neighbors("word7", 9, among=50),
        "sum": whole.most_similar(["word1", "word2"], ["word3", "word4"], 9),
    }
    for name, pairs in expected.items():
        assert found[name][:, 0].tolist() == [word for word, _ in pairs], name
        cosines = [cosine for _, cosine in pairs]
        theirs = found[name][:, 1].astype(np.float64)
        np.testing.assert_allclose(theirs, cosines, rtol=0, atol=1e-5)
