"""Files and objects of other programs, trained on, are files that those programs open."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import WordVectors
from brasa.errors import ModelFormatError

if TYPE_CHECKING:
    from interop.conftest import RunPeer

SHARED = Path(__file__).parents[3] / "shared"
MODELS = SHARED / "data/models"
REAL = ["cp852_fasttext", "crime-and-punishment", "lee_fasttext", "lee_fasttext_new",
        "non_ascii_fasttext", "toy-model"]  # fmt: skip
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")

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
    model = old.continue_training(tmp_path / "new.txt", epochs=20)
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


@needs_shared
@pytest.mark.parametrize("name", REAL)
def test_real_files(oracle: Any, tmp_path: Path, name: str) -> None:
    """Three are from before the magic number; one has words that are not UTF-8."""
    old = WordVectors.load(MODELS / f"gensim/{name}.bin")
    known = old.words[1:4]
    text = [[*known, "brasa", "brasas"], known[:2]] * 50
    grown = old.continue_training(text, epochs=0, min_count=1)
    assert grown.words[: len(old)] == old.words
    assert {*grown.words[len(old) :]} - {"</s>"} == {"brasa", "brasas"}
    asked = [*old.words, "unseen", "brasas"]
    np.testing.assert_array_equal(grown.vectors(asked[:-1]), old.vectors(asked[:-1]))
    model = old.continue_training(text, min_count=1, sampling_threshold=0.9, learning_rate=0.01)
    assert model.words == grown.words
    assert not np.allclose(model[known[0]], old[known[0]], atol=1e-4)
    touched = {old.vocabulary.index(word) for word in ("</s>", *known)}
    rest = [i for i in range(len(old)) if i not in touched]
    np.testing.assert_array_equal(model.embeddings.input[rest], old.embeddings.input[rest])
    model.export(tmp_path / "new.bin")
    read = oracle.load(tmp_path / "new.bin")
    expected = [read.word_vector(word.encode("utf-8", "surrogateescape")) for word in asked]
    np.testing.assert_allclose(model.vectors(asked), expected, atol=1e-6)


@needs_shared
@pytest.mark.parametrize("name", ["crime-and-punishment", "lee_fasttext_new", "toy-model"])
def test_real_files_as_pretrained_vectors(name: str) -> None:
    """Where the lengths and buckets of n-grams agree their rows come, too."""
    path = MODELS / f"gensim/{name}.bin"
    old = WordVectors.load(path)
    text = [[*old.words[1:20], "brasa"]] * 20
    same = {k: getattr(old.config, k) for k in ("subwords", "min_char", "max_char", "buckets")}
    settings: dict[str, Any] = {"min_count": 1, "epochs": 1, "learning_rate": 1e-9}
    model = WordVectors.train(text, pretrained=path, **same, **settings)
    words = [word for word in model.words if word in old]
    assert len(words) >= 19
    np.testing.assert_allclose(model.vectors(words), old.vectors(words), atol=1e-6)
    assert model.metadata["started_from"]["n_words"] == len(words)
    ids = model.embeddings.bucket_ids
    rows = old.embeddings.input[len(old) + ids.astype(np.intp)]
    np.testing.assert_allclose(model.embeddings.input[len(model) :], rows, atol=1e-6)
    words_only = WordVectors.train(text, pretrained=old, **settings)
    np.testing.assert_allclose(words_only["brasa"], old["brasa"], atol=1e-6)


@needs_shared
@pytest.mark.parametrize("name", ["gensim/pang_lee_polarity_fasttext.bin", "lid.176.ftz"])
def test_classifiers_are_refused(name: str) -> None:
    with pytest.raises(ModelFormatError, match="a text classifier"):
        WordVectors.load(MODELS / name)
    with pytest.raises(ModelFormatError, match="a text classifier"):
        WordVectors.train([["one", "two"]] * 9, pretrained=MODELS / name)


FLORET_TRAINS = """
import sys, numpy as np, floret
model = floret.train_unsupervised(sys.argv[2], model=sys.argv[4], mode="floret", hashCount=2,
    dim=16, bucket=2000, minn=2, maxn=4, minCount=1, epoch=5, t=0.5, thread=1, verbose=0)
model.save_model(sys.argv[3])
np.savez(sys.argv[1], words=model.words)
"""

FLORET_READS = """
import sys, numpy as np, floret
model = floret.load_model(sys.argv[2])
asked = model.words + ["redder", "unseen", "greenish"]
np.savez(sys.argv[1], words=model.words, vectors=[model.get_word_vector(word) for word in asked],
         nearest=[word for _, word in model.get_nearest_neighbors("green1", k=5)])
"""


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_what_floret_trained(run_peer: RunPeer, needs: Any, tmp_path: Path, mode: str) -> None:
    needs("floret")
    (tmp_path / "old.txt").write_text(lines("red", "blue"))
    known = run_peer(FLORET_TRAINS, tmp_path / "old.txt", tmp_path / "old.bin", mode)["words"]
    (tmp_path / "new.txt").write_text(lines("green", "blue"))
    model = WordVectors.load(tmp_path / "old.bin").continue_training(
        tmp_path / "new.txt", min_count=1, epochs=5
    )
    assert model.words[: len(known)] == list(known)
    assert set(model.words) > {f"green{i}" for i in range(10)}
    model.export(tmp_path / "new.bin", "floret-binary")
    found = run_peer(FLORET_READS, tmp_path / "new.bin")
    assert list(found["words"]) == model.words
    asked = [*model.words, "redder", "unseen", "greenish"]
    np.testing.assert_allclose(found["vectors"], model.vectors(asked), atol=1e-5)
    assert sum(word.startswith("green") for word in found["nearest"]) >= 4


IN_MEMORY = f"""
import site, sys
site.addsitedir({sysconfig.get_path("purelib")!r})
import numpy as np, brasa
lines = [f"o fogo da brasa {{i % 50}} aquece a noite {{i % 7}}".split() for i in range(500)]
def started(vectors, **options):
    return brasa.WordVectors.train(lines, pretrained=vectors, min_count=1, epochs=1,
                                   learning_rate=1e-9, **options)
"""

GENSIM_IN_MEMORY = (
    IN_MEMORY
    + """
from gensim.models import FastText, Word2Vec
plain = Word2Vec(lines, vector_size=12, min_count=1, epochs=1)
for model in (started(brasa.WordVectors.from_gensim(plain)),
              brasa.WordVectors.from_gensim(plain).continue_training(lines, learning_rate=1e-9)):
    np.testing.assert_allclose(model["brasa"], plain.wv["brasa"], atol=1e-6)
subwords = FastText(lines, vector_size=12, min_count=1, epochs=1, bucket=5000)
taken = brasa.WordVectors.from_gensim(subwords)
model = taken.continue_training([["brasas", "fogo"]] * 9, learning_rate=1e-9)
np.testing.assert_allclose(model["noitinha"], subwords.wv["noitinha"], atol=1e-6)
model = started(taken, subwords=True, buckets=5000)
np.testing.assert_allclose(model["brasa"], subwords.wv["brasa"], atol=1e-6)
np.savez(sys.argv[1], done=True)
"""
)

SPACY_IN_MEMORY = (
    IN_MEMORY
    + """
import spacy
from spacy.vectors import Vectors
rows = np.random.default_rng(0).normal(size=(3, 7)).astype(np.float32)
nlp = spacy.blank("pt")
for word in ("fogo", "brasa", "gelo"):
    nlp.vocab.strings.add(word)
nlp.vocab.vectors = Vectors(data=rows, keys=["fogo", "brasa", "gelo"], strings=nlp.vocab.strings)
model = started(brasa.WordVectors.from_spacy(nlp))
np.testing.assert_allclose(model["brasa"], rows[1], atol=1e-6)
assert "gelo" not in model
rows = np.random.default_rng(1).normal(size=(100, 7)).astype(np.float32)
nlp.vocab.vectors = Vectors(mode="floret", data=rows, minn=2, maxn=3, hash_count=2)
model = started(brasa.WordVectors.from_spacy(nlp.vocab))
np.testing.assert_allclose(model["brasa"], nlp.vocab["brasa"].vector, atol=1e-6)
np.savez(sys.argv[1], done=True)
"""
)


def test_gensims_objects(run_peer: RunPeer) -> None:
    assert run_peer(GENSIM_IN_MEMORY)["done"]


def test_spacys_objects(run_peer: RunPeer, needs: Any) -> None:
    needs("spacy")
    assert run_peer(SPACY_IN_MEMORY)["done"]
