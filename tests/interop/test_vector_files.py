"""gensim, floret and spaCy, in an environment of their own: files and objects, both ways."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import brasa
from brasa import formats, lookup
from brasa.errors import StorageError

if TYPE_CHECKING:
    from conftest import AsFloret, MakeEmbeddings
    from interop.conftest import RunPeer

MODELS = Path(__file__).parents[3] / "shared/data/models/gensim"
UNSEEN = ["embersome", "fir", "a", "ações", "командам", "北海道の", "🔥🔥", "naïve", "x" * 100]

# brasa itself in the peers' Python, behind the peers' own packages.
WITH_BRASA = f"""
import site, sys
site.addsitedir({sysconfig.get_path("purelib")!r})
import numpy as np, brasa
"""

SAVE_WITH_GENSIM = """
import sys, numpy as np
from gensim.models import KeyedVectors
vectors = KeyedVectors.load_word2vec_format(sys.argv[2], binary=sys.argv[3] == "binary",
                                            no_header=sys.argv[3] == "glove")
kinds = {"text": {}, "binary": {"binary": True}, "glove": {"write_header": False}}
for name, options in kinds.items():
    vectors.save_word2vec_format(f"{sys.argv[4]}/{name}", **options)
np.savez(sys.argv[1], words=vectors.index_to_key, vectors=vectors.vectors)
"""


@pytest.mark.parametrize(
    ("name", "kind"), [("word2vec", "text"), ("word2vec-binary", "binary"), ("glove", "glove")]
)
def test_gensim_and_brasa_read_each_other(
    make_embeddings: MakeEmbeddings, run_peer: RunPeer, tmp_path: Path, name: str, kind: str
) -> None:
    embeddings = make_embeddings([f"word{i}" for i in range(50)] + ["ação", "北海道"])
    formats.export(embeddings, tmp_path / "ours", name)
    found = run_peer(SAVE_WITH_GENSIM, tmp_path / "ours", kind, tmp_path)
    assert found["words"].tolist() == embeddings.vocabulary.words
    ours = formats.load(tmp_path / "ours")
    np.testing.assert_array_equal(found["vectors"], ours.input)
    for theirs in ("text", "binary", "glove"):
        again = formats.load(tmp_path / theirs)
        assert again.vocabulary.words == embeddings.vocabulary.words
        np.testing.assert_array_equal(again.input, ours.input)


GENSIM_IN_MEMORY = (
    WITH_BRASA
    + """
from gensim.models import FastText, Word2Vec
lines = [f"o fogo da brasa {i % 50} aquece a noite {i % 7} e a ação".split() for i in range(500)]
plain = Word2Vec(lines, vector_size=12, min_count=1, epochs=1, workers=1)
taken = brasa.WordVectors.from_gensim(plain)
assert taken.words == plain.wv.index_to_key
assert (taken.embeddings.input == plain.wv.vectors).all()
counts = [plain.wv.get_vecattr(word, "count") for word in taken.words]
assert taken.vocabulary.counts.tolist() == counts
back = taken.to_gensim()
assert back.index_to_key == taken.words and (back.vectors == plain.wv.vectors).all()
assert [back.get_vecattr(word, "count") for word in taken.words] == counts
ours, theirs = taken.neighbors("fogo", 3), back.most_similar("fogo", topn=3)
assert [word for word, _ in ours] == [word for word, _ in theirs]
subwords = FastText(lines, vector_size=12, min_count=1, epochs=1, workers=1, bucket=5000)
taken = brasa.WordVectors.from_gensim(subwords)
words = taken.words + ["fogos", "abrasar", "noitinha"]
np.testing.assert_allclose(taken.vectors(words), [subwords.wv[w] for w in words], atol=1e-6)
assert taken.to_gensim().index_to_key == taken.words
np.savez(sys.argv[1], done=True)
"""
)


def test_gensim_in_memory(run_peer: RunPeer) -> None:
    assert run_peer(GENSIM_IN_MEMORY)["done"]


FLORET = """
import sys, numpy as np, floret
model = floret.load_model(sys.argv[2])
words = open(sys.argv[3], encoding="utf-8", newline="\\n").read().split("\\n")
model.save_floret_vectors(sys.argv[2] + ".table")
model.save_model(sys.argv[2] + ".again")
np.savez(sys.argv[1], vectors=[model.get_word_vector(word) for word in words], known=model.words)
"""

FLORET_TRAINS = """
import sys, numpy as np, floret
model = floret.train_unsupervised(sys.argv[2], mode="floret", hashCount=int(sys.argv[4]), dim=10,
    bucket=700, minn=int(sys.argv[5]), maxn=int(sys.argv[6]), minCount=1, epoch=1, thread=1,
    verbose=0)
model.save_model(sys.argv[3] + ".bin")
model.save_floret_vectors(sys.argv[3] + ".floret")
words = model.words + sys.argv[7:]
np.savez(sys.argv[1], words=words, vectors=[model.get_word_vector(word) for word in words])
"""


@pytest.mark.parametrize("settings", [(1, 3, 5), (2, 2, 3), (4, 1, 4), (1, 0, 0)])
def test_what_floret_trains(
    run_peer: RunPeer, needs: Any, tmp_path: Path, settings: tuple[int, int, int]
) -> None:
    needs("floret")
    lines = (f"o fogo da brasa {i % 50} aquece a noite e a ação 北海道 🔥\n" for i in range(2000))
    (tmp_path / "text").write_text("".join(lines), encoding="utf-8")
    found = run_peer(FLORET_TRAINS, tmp_path / "text", tmp_path / "m", *map(str, settings), *UNSEEN)
    words = found["words"].tolist()
    model, table = brasa.load(tmp_path / "m.bin"), brasa.load(tmp_path / "m.floret")
    np.testing.assert_allclose(model.vectors(words), found["vectors"], atol=1e-6)
    # The first word and the line end have a row of their own, which is not in the table.
    shared = [i for i, word in enumerate(words) if word not in (words[0], "</s>")]
    np.testing.assert_allclose(table.vectors(words)[shared], found["vectors"][shared], atol=1e-5)
    for source, name, suffix in (
        (model, "floret-binary", "bin"), (model, "floret", "floret"), (table, "floret", "floret")
    ):  # fmt: skip
        source.export(tmp_path / "again", name)
        assert (tmp_path / "again").read_bytes() == (tmp_path / f"m.{suffix}").read_bytes()


@pytest.mark.parametrize("kind", ["floret", "fasttext", "words"])
def test_floret_opens_what_brasa_writes(
    make_embeddings: MakeEmbeddings, as_floret: AsFloret, run_peer: RunPeer, needs: Any,
    tmp_path: Path, kind: str,
) -> None:  # fmt: skip
    needs("floret")
    model = make_embeddings(buckets=300, subwords=kind != "words")
    if kind == "floret":
        model = as_floret(model)
    words = model.vocabulary.words + (UNSEEN if kind != "words" else [])
    (tmp_path / "words").write_bytes("\n".join(words).encode())
    formats.export(model, tmp_path / "m.bin", "floret-binary")
    found = run_peer(FLORET, tmp_path / "m.bin", tmp_path / "words")
    assert found["known"].tolist() == model.vocabulary.words
    np.testing.assert_allclose(found["vectors"], lookup.compose(model, words), atol=1e-5)
    assert (tmp_path / "m.bin.again").read_bytes() == (tmp_path / "m.bin").read_bytes()
    if kind == "floret":
        formats.export(model, tmp_path / "table", "floret")
        assert (tmp_path / "table").read_bytes() == (tmp_path / "m.bin.table").read_bytes()


SPACY = (
    WITH_BRASA
    + """
import spacy
from spacy.vectors import Vectors
model = brasa.load(sys.argv[2])
unseen = sys.argv[3:]
words = [word for word in model.words if word != "</s>"]
whole = model.to_spacy()
assert (whole.data == model.vectors(model.words)).all()
assert all((whole[word] == model[word]).all() for word in words)
back = brasa.WordVectors.from_spacy(whole)
assert back.words == model.words and (back.embeddings.input == whole.data).all()
nlp = spacy.blank("pt")
nlp.vocab.vectors = whole
assert sorted(brasa.WordVectors.from_spacy(nlp).words) == sorted(model.words)
assert sorted(brasa.WordVectors.from_spacy(nlp.vocab).words) == sorted(model.words)
table = model.to_spacy(floret_table=True)
nlp.vocab.vectors = table
np.testing.assert_allclose([nlp.vocab[w].vector for w in words], model.vectors(words), atol=1e-4)
back = brasa.WordVectors.from_spacy(nlp.vocab)
assert len(back) == 0
spacys = np.array([nlp.vocab[w].vector for w in words + unseen])
np.testing.assert_allclose(back.vectors(words + unseen), spacys, atol=1e-4)
again = back.to_spacy()
assert (again.data == table.data).all() and again.hash_seed == table.hash_seed
np.savez(sys.argv[1], done=True)
"""
)


def test_spacy_in_memory(
    make_embeddings: MakeEmbeddings, run_peer: RunPeer, needs: Any, tmp_path: Path
) -> None:
    needs("spacy")
    model = make_embeddings([*(f"word{i}" for i in range(300)), "ação", "北海道", "</s>"])
    formats.native.write(model, tmp_path / "model")
    assert run_peer(SPACY, tmp_path / "model", *UNSEEN)["done"]


SPACY_FILES = """
import subprocess, sys, numpy as np, spacy
subprocess.run([sys.executable, "-m", "spacy", "init", "vectors", "xx", sys.argv[2], sys.argv[3],
                "--mode", sys.argv[4]], check=True, capture_output=True)
vocab = spacy.load(sys.argv[3]).vocab
np.savez(sys.argv[1], vectors=[vocab[word].vector for word in sys.argv[5:]])
"""


@pytest.mark.parametrize(("name", "mode"), [("floret", "floret"), ("word2vec", "default")])
def test_spacy_reads_the_files(
    make_embeddings: MakeEmbeddings, run_peer: RunPeer, needs: Any, tmp_path: Path,
    name: str, mode: str,
) -> None:  # fmt: skip
    needs("spacy")
    words = [*(f"word{i}" for i in range(300)), "ação", "北海道"]
    model = make_embeddings(words)
    formats.export(model, tmp_path / "vectors", name)
    found = run_peer(SPACY_FILES, tmp_path / "vectors", tmp_path / "pipeline", mode, *words)
    np.testing.assert_allclose(found["vectors"], lookup.compose(model, words), atol=1e-3)
    if mode == "floret":
        table = brasa.load(tmp_path / "vectors")
        np.testing.assert_allclose(found["vectors"], table.vectors(words), atol=1e-4)


@pytest.mark.skipif(not MODELS.is_dir(), reason="../shared is not there")
@pytest.mark.parametrize(
    "name",
    ["toy-model.vec", "lee_fasttext.vec", "crime-and-punishment.vec", "euclidean_vectors.bin",
     "high_precision.kv.bin", "high_precision.kv.txt"],
)  # fmt: skip
def test_gensims_own_files(run_peer: RunPeer, tmp_path: Path, name: str) -> None:
    path = MODELS / name
    binary = name.endswith(".bin")
    found = run_peer(SAVE_WITH_GENSIM, path, "binary" if binary else "text", tmp_path)
    model = brasa.load(path)
    assert model.words == found["words"].tolist()
    np.testing.assert_array_equal(model.embeddings.input, found["vectors"])
    if name.endswith(".vec"):
        model.export(tmp_path / "again", "word2vec")
        assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_gensims_own_format_is_refused(run_peer: RunPeer, tmp_path: Path) -> None:
    script = (
        "import sys, numpy as np; from gensim.models import KeyedVectors\n"
        "vectors = KeyedVectors(2); vectors.add_vectors(['a', 'b'], np.ones((2, 2), 'f4'))\n"
        "vectors.save(sys.argv[2]); np.savez(sys.argv[1])"
    )
    run_peer(script, tmp_path / "pickle")
    with pytest.raises((brasa.ModelFormatError, StorageError), match="pickle"):
        brasa.load(tmp_path / "pickle")
