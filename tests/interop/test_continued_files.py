"""A file of fastText 0.9.2, trained on, is a file of fastText 0.9.2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from brasa import WordVectors

if TYPE_CHECKING:
    from pathlib import Path

    from interop.conftest import RunPeer

TRAIN = """
import sys, numpy as np, fasttext
model = fasttext.train_unsupervised(sys.argv[2], model=sys.argv[4], loss=sys.argv[5], dim=16,
                                    minCount=1, bucket=5000, thread=12, epoch=5, t=0.5)
model.save_model(sys.argv[3])
np.savez(sys.argv[1], words=model.get_words())
"""

READ = """
import sys, numpy as np, fasttext
model = fasttext.load_model(sys.argv[2])
words, counts = model.get_words(include_freq=True)
asked = words + ["redder", "unseen", "greenish"]
np.savez(sys.argv[1], words=words, counts=counts, output=model.get_output_matrix(),
         vectors=[model.get_word_vector(word) for word in asked],
         nearest=[word for _, word in model.get_nearest_neighbors("green1", k=5)])
"""


def lines(*groups: str) -> str:
    random = np.random.default_rng(0)
    return "".join(
        " ".join(f"{groups[line % len(groups)]}{i}" for i in random.integers(0, 10, 6)) + "\n"
        for line in range(1000)
    )


@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_continue_and_export_again(run_peer: RunPeer, tmp_path: Path, mode: str, loss: str) -> None:
    (tmp_path / "old.txt").write_text(lines("red", "blue"))
    known = run_peer(TRAIN, tmp_path / "old.txt", tmp_path / "old.bin", mode, loss)["words"]
    (tmp_path / "new.txt").write_text(lines("green", "blue"))
    old = WordVectors.load(tmp_path / "old.bin")
    model = old.continue_training(tmp_path / "new.txt", epochs=5)
    assert model.words[: len(known)] == list(known)
    assert set(model.words) > {f"green{i}" for i in range(10)}
    np.testing.assert_array_equal(model.embeddings.bucket_ids, np.arange(5000))
    model.export(tmp_path / "new.bin")
    found = run_peer(READ, tmp_path / "new.bin")
    assert list(found["words"]) == model.words
    np.testing.assert_array_equal(found["counts"], model.vocabulary.counts)
    np.testing.assert_array_equal(found["output"], model.embeddings.output)
    asked = [*model.words, "redder", "unseen", "greenish"]
    np.testing.assert_allclose(found["vectors"], model.vectors(asked), atol=1e-5)
    assert sum(word.startswith("green") for word in found["nearest"]) >= 4


def test_fasttexts_vec_as_pretrained_vectors(run_peer: RunPeer, tmp_path: Path) -> None:
    """Words and rows as with fastText's own -pretrainedVectors, which keeps all words."""
    (tmp_path / "old.txt").write_text(lines("red", "blue"))
    run_peer(TRAIN, tmp_path / "old.txt", tmp_path / "old.bin", "skipgram", "ns")
    WordVectors.load(tmp_path / "old.bin").export(tmp_path / "old.vec", "word2vec")
    (tmp_path / "new.txt").write_text(lines("green", "blue"))
    script = """
import sys, numpy as np, fasttext
model = fasttext.train_unsupervised(sys.argv[2], dim=16, minCount=1, maxn=0, thread=12, lr=1e-9,
                                    epoch=1, pretrainedVectors=sys.argv[3])
np.savez(sys.argv[1], words=model.get_words(), rows=model.get_input_matrix())
"""
    theirs = run_peer(script, tmp_path / "new.txt", tmp_path / "old.vec")
    ours = WordVectors.train(
        tmp_path / "new.txt", pretrained=tmp_path / "old.vec", keep_pretrained_words=True,
        vector_dim=16, min_count=1, learning_rate=1e-9, epochs=1,
    )  # fmt: skip
    assert set(ours.words) == set(theirs["words"])
    old = [word for word in theirs["words"] if not word.startswith("green")]
    places = [list(theirs["words"]).index(word) for word in old]
    np.testing.assert_allclose(ours.vectors(old), theirs["rows"][places], atol=1e-5)
