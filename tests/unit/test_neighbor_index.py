from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import brasa
from brasa import WordVectors
from brasa.errors import (
    ConfigError,
    MissingExtraError,
    ModelFormatError,
    StorageError,
    UnknownWordError,
)
from brasa.formats import index_file

if TYPE_CHECKING:
    from pathlib import Path

    from brasa.neighbor_index import NeighborIndex
    from conftest import MakeEmbeddings

pytest.importorskip("usearch")

WORDS = [f"word{i}" for i in range(3000)]


@pytest.fixture
def vectors(make_embeddings: MakeEmbeddings) -> WordVectors:
    embeddings = make_embeddings(WORDS, subwords=False)
    embeddings.input[7] = 0
    embeddings.input[8] *= 1e15  # beyond f16
    return WordVectors(embeddings)


@pytest.fixture
def index(vectors: WordVectors) -> NeighborIndex:
    return vectors.build_index(expansion_search=512)


def test_what_is_found_has_the_cosines_and_the_order_of_the_scan(
    vectors: WordVectors, index: NeighborIndex
) -> None:
    assert len(index) == 2999
    assert repr(index) == "<NeighborIndex: 2999 words, f16>"
    asked = ["word8", *WORDS[100:150]]
    found, exact = index.neighbors_batch(asked), vectors.neighbors_batch(asked, 2999)
    for some, every in zip(found, exact, strict=True):
        assert len(some) == 10
        assert some == [pair for pair in every if pair in some]
    same = sum(len(set(a) & set(b[:10])) for a, b in zip(found, exact, strict=True))
    assert same / 510 == pytest.approx(index.recall(n_queries=3000), abs=0.1)
    assert index.neighbors("word8") == found[0]
    by_vector = index.neighbors(vectors["word8"], 1)
    assert by_vector == [("word8", 1.0)]
    assert "word7" not in {word for word, _ in index.neighbors("word1", 3000)}


def test_recall_is_measured_against_the_scan(vectors: WordVectors, index: NeighborIndex) -> None:
    assert 0.9 < index.recall() <= 1
    assert index.recall(seed=1) == index.recall(seed=1)
    poor = vectors.build_index(connectivity=2, expansion_add=1, expansion_search=1)
    assert poor.recall() < 0.5 * index.recall()
    for wrong in ({"k": 0}, {"n_queries": 0}, {"n_queries": 2.5}):
        with pytest.raises(ConfigError):
            index.recall(**wrong)


def test_excluded_words_are_replaced_by_others(index: NeighborIndex) -> None:
    first = [word for word, _ in index.neighbors("word1", 40)]
    found = [word for word, _ in index.neighbors("word1", 10, exclude=[*first[:30], "unseen"])]
    assert len(found) == 10
    assert not set(found) & {*first[:30], "word1"}


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
def test_a_saved_index_answers_as_before(vectors: WordVectors, dtype: Any, tmp_path: Path) -> None:
    index = vectors.build_index(dtype=dtype, connectivity=9, expansion_add=77, expansion_search=99)
    index.save(tmp_path / "index")
    again = vectors.load_index(tmp_path / "index")
    assert again.neighbors_batch(WORDS[20:90]) == index.neighbors_batch(WORDS[20:90])
    assert repr(again) == repr(index)
    again.save(tmp_path / "again")
    read = index_file.read(tmp_path / "again")[0]
    assert (read["connectivity"], read["expansion_add"], read["expansion_search"]) == (9, 77, 99)
    vectors.save(tmp_path / "model")
    assert len(brasa.load(tmp_path / "model").load_index(tmp_path / "index")) == 2999


def test_an_index_is_of_its_vectors_only(
    vectors: WordVectors, index: NeighborIndex, make_embeddings: MakeEmbeddings, tmp_path: Path
) -> None:
    index.save(tmp_path / "index")
    renamed = WordVectors(make_embeddings(["other", *WORDS[1:]], subwords=False))
    renamed.embeddings.input[:] = vectors.embeddings.input
    moved = WordVectors(make_embeddings(WORDS, subwords=False))
    moved.embeddings.input[:] = vectors.embeddings.input
    assert len(moved.load_index(tmp_path / "index")) == 2999
    moved.embeddings.input[2999, 19] += 1
    for other in (renamed, moved, WordVectors(make_embeddings(subwords=True))):
        with pytest.raises(ModelFormatError, match="of other vectors"):
            other.load_index(tmp_path / "index")
    for load in (brasa.load, WordVectors.load):
        with pytest.raises(ModelFormatError, match="an index of neighbors"):
            load(tmp_path / "index")


def test_broken_files(vectors: WordVectors, index: NeighborIndex, tmp_path: Path) -> None:
    path = tmp_path / "index"
    index.save(path)
    content = path.read_bytes()
    for percent in range(100):
        path.write_bytes(content[: len(content) * percent // 100])
        with pytest.raises(ModelFormatError):
            vectors.load_index(path)
    random = np.random.default_rng(0)
    for place in [*range(12), *random.integers(12, len(content), 50).tolist()]:
        broken = bytearray(content)
        broken[place] ^= 0xFF
        path.write_bytes(broken)
        with pytest.raises(ModelFormatError):
            vectors.load_index(path)
    with pytest.raises(StorageError):
        vectors.load_index(tmp_path / "nothing")
    with pytest.raises(StorageError):
        vectors.load_index(tmp_path)
    with pytest.raises(StorageError):
        index.save(tmp_path / "nothing" / "index")


@pytest.mark.parametrize(
    ("field", "value"),
    [("connectivity", 2**60), ("expansion_add", -1), ("expansion_search", 0), ("dtype", "i7"),
     ("n_rows", 2998), ("n_bytes", "1"), ("sha256", None), ("usearch", 3), ("n_rows", True)],
)  # fmt: skip
def test_lying_descriptions(
    vectors: WordVectors, index: NeighborIndex, tmp_path: Path, field: str, value: Any
) -> None:
    index.save(tmp_path / "index")
    description, graph = index_file.read(tmp_path / "index")
    text = json.dumps({**description, field: value}).encode()
    head = index_file.MAGIC + len(text).to_bytes(4, "little")
    (tmp_path / "index").write_bytes(head + text + bytes(graph))
    with pytest.raises(ModelFormatError):
        vectors.load_index(tmp_path / "index")


def test_a_graph_that_is_none(vectors: WordVectors, index: NeighborIndex, tmp_path: Path) -> None:
    index.save(tmp_path / "index")
    description, _ = index_file.read(tmp_path / "index")
    for graph in (b"", b"x" * 1000):
        index_file.write(tmp_path / "index", description, graph)
        with pytest.raises(ModelFormatError, match="usearch"):
            vectors.load_index(tmp_path / "index")


def test_impossible_options_and_queries(vectors: WordVectors, index: NeighborIndex) -> None:
    options: list[dict[str, Any]] = [
        {"dtype": "i8"}, {"dtype": None}, {"connectivity": 1}, {"connectivity": 2**20},
        {"expansion_add": 0}, {"expansion_search": 2.5}, {"expansion_search": True},
    ]  # fmt: skip
    for option in options:
        with pytest.raises(ConfigError, match=next(iter(option))):
            vectors.build_index(**option)
    with pytest.raises(UnknownWordError):
        index.neighbors("unseen")
    with pytest.raises(ConfigError, match="shape"):
        index.neighbors(np.ones(19))
    with pytest.raises(ConfigError, match="k="):
        index.neighbors("word1", 0)
    assert index.neighbors_batch([]) == []


def test_models_without_words_or_directions(make_embeddings: MakeEmbeddings) -> None:
    embeddings = make_embeddings(["a", "b"], subwords=False)
    embeddings.input[:] = 0
    index = WordVectors(embeddings).build_index()
    assert len(index) == 0
    assert index.neighbors(np.ones(20)) == []
    with pytest.raises(ConfigError, match="no word"):
        index.recall()


def test_without_usearch(vectors: WordVectors, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def missing(name: str, *rest: Any) -> Any:
        if name.startswith("usearch"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'brasa\[ann\]'"):
        vectors.build_index()
