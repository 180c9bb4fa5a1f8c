"""Sentence vectors are those of fastText 0.9.2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brasa import WordVectors

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeEmbeddings
    from interop.conftest import RunPeer

SENTENCES = ["ember the fire", "the xqzj  ember\t北海道 brasas", "xqzj", "", "the </s> ação the"]
PEER = """
import sys, fasttext, numpy as np
model = fasttext.load_model(sys.argv[2])
lines = open(sys.argv[3], encoding="utf-8").read().split("|")
np.savez(sys.argv[1], vectors=[model.get_sentence_vector(line) for line in lines])
"""


def test_sentence_vectors_equal_fasttexts(
    make_embeddings: MakeEmbeddings, run_peer: RunPeer, tmp_path: Path
) -> None:
    vectors = WordVectors(make_embeddings())
    vectors.export(tmp_path / "vectors.bin", "fasttext")
    (tmp_path / "sentences").write_text("|".join(SENTENCES), "utf-8")
    found = run_peer(PEER, tmp_path / "vectors.bin", tmp_path / "sentences")["vectors"]
    np.testing.assert_allclose(vectors.sentence_vectors(SENTENCES), found, atol=1e-6)
    assert found[1].any()
