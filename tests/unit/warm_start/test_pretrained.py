"""Words that start from vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import formats, lookup, warm_start
from brasa.config import WordVectorsConfig
from brasa.errors import BrasaError, ConfigError, ModelFormatError
from brasa.parameters import Embeddings
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from conftest import AsFloret, MakeEmbeddings, MakeFloretTable
    from unit.warm_start.conftest import Begin, Groups, Lines, Train


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("kind", ["native", "fasttext", "word2vec", "word2vec-binary", "glove"])
def test_words_start_from_vectors_of_any_format(
    old: WordVectors, tmp_path: Path, kind: str, keep: bool, begin: Begin, new_text: Lines,
    small: dict[str, Any],
) -> None:  # fmt: skip
    formats.export(old.embeddings, tmp_path / "old", kind)
    source = formats.load(tmp_path / "old")
    config = WordVectorsConfig(**small)
    start = warm_start.pretrained(source, config, keep_words=keep)
    parameters, vocabulary, _, begun = begin(start, config, new_text)
    words = vocabulary.words
    assert (words[: len(old)] == old.words) == keep
    known = [i for i, word in enumerate(words) if word in old]
    assert {words[i] for i in known} >= {f"blue{i}" for i in range(10)}
    expected = lookup.compose(source, words)
    np.testing.assert_array_equal(parameters.input[known], expected[known])
    np.testing.assert_allclose(expected[known], old.vectors([words[i] for i in known]), atol=1e-4)
    # A model with n-grams has vectors of most other words, too.
    assert source.config.subwords == expected[words.index("green1")].any()
    random = ~expected.any(axis=1)
    np.testing.assert_array_equal(parameters.input[~random], expected[~random])
    assert (np.abs(parameters.input[random]) <= 1 / 16).all()
    assert (parameters.input[random] != 0).all()
    assert begun.n_new_words == random.sum()
    assert not parameters.output.any()


def test_words_that_the_text_does_not_have_are_kept_if_asked(
    old: WordVectors, train: Train, new_text: Lines
) -> None:
    without = train(new_text, pretrained=old)
    assert without.words == train(new_text).words
    model = train(new_text, pretrained=old, keep_pretrained_words=True, min_count=2)
    assert model.words[: len(old)] == old.words
    assert set(model.words) - set(old.words) == {f"green{i}" for i in range(10)}
    red = model.vocabulary.index("red1")
    assert red is not None
    assert model.vocabulary.counts[red] == 0
    if not old.config.subwords:
        np.testing.assert_array_equal(model["red1"], old["red1"])


@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
@pytest.mark.parametrize("exponent", [-1, 0, 0.5])
def test_words_of_count_0_harm_nothing(
    old: WordVectors, mode: str, loss: str, exponent: float, train: Train, new_text: Lines
) -> None:
    model = train(
        new_text, pretrained=old, keep_pretrained_words=True, mode=mode, loss=loss,
        negative_exponent=exponent,
    )  # fmt: skip
    rows = model.embeddings
    assert np.isfinite(rows.input).all()
    if loss == "ns":
        never = np.flatnonzero(rows.vocabulary.counts == 0)
        assert len(never) == 10
        assert not rows.output[never].any()  # neither context nor negative


def test_rows_of_n_grams_come_too_where_they_mean_the_same(
    old: WordVectors, begin: Begin, new_text: Lines, small: dict[str, Any]
) -> None:
    for changes in ({}, {"min_char": 2}, {"buckets": 900}):
        config = WordVectorsConfig(**{**small, "subwords": True, **changes})
        start = warm_start.pretrained(old.embeddings, config)
        parameters, vocabulary, plan, _ = begin(start, config, new_text)
        model = Embeddings(
            vocabulary, config, parameters.input, parameters.output, plan.subwords.bucket_ids
        )
        same = np.array_equal(
            lookup.compose(model, ["blue1", "blue2"]), old.vectors(["blue1", "blue2"])
        )
        assert same == (old.config.subwords and not changes)
        if not same:
            row = vocabulary.index("blue1")
            np.testing.assert_array_equal(parameters.input[row], old["blue1"])


def test_florets_vectors(
    make_embeddings: MakeEmbeddings, as_floret: AsFloret, make_floret_table: MakeFloretTable,
    tmp_path: Path, begin: Begin, small: dict[str, Any],
) -> None:  # fmt: skip
    """A table without words has a vector for each word of the text."""
    make_floret_table(tmp_path)
    lines = [["fire", "ember", "new"]] * 3
    for source in (as_floret(make_embeddings(buckets=300)), formats.load(tmp_path / "table")):
        config = WordVectorsConfig(**{**small, "vector_dim": source.config.vector_dim})
        start = warm_start.pretrained(source, config)
        parameters, vocabulary, _, begun = begin(start, config, lines)
        expected = lookup.compose(source, vocabulary.words)
        known = expected.any(axis=1)
        np.testing.assert_array_equal(parameters.input[known], expected[known])
        assert known.sum() == begun.n_words >= 3
    with pytest.raises(ConfigError, match="the pretrained vectors have no words"):
        WordVectors.train(lines, pretrained=tmp_path / "table", keep_pretrained_words=True)


def test_pretrained_vectors_help_a_short_text(
    old: WordVectors, train: Train, groups: Groups
) -> None:
    text = groups(20, "red", "blue", seed=5)

    def margin(model: WordVectors) -> float:
        pairs = [(f"red{i}", f"red{i + 1}", f"blue{i}") for i in range(9)]
        return float(np.mean([model.similarity(a, b) - model.similarity(a, c)
                              for a, b, c in pairs]))  # fmt: skip

    assert margin(train(text, pretrained=old)) > margin(train(text)) + 0.3


def test_what_pretrained_vectors_must_fit(
    old: WordVectors, tmp_path: Path, train: Train, new_text: Lines
) -> None:
    with pytest.raises(
        ConfigError, match="vector_dim=100 is not possible: vector_dim must be 16, the length"
    ):
        WordVectors.train("/absent", pretrained=old, vector_dim=100)
    assert WordVectors.train(new_text, pretrained=old, epochs=1).vector_dim == 16
    mistakes: list[Any] = [7, old.embeddings, {"red1": [0.5]}]
    for wrong in mistakes:
        with pytest.raises(ConfigError, match="from_gensim"):
            WordVectors.train("/absent", pretrained=wrong)
    with pytest.raises(ConfigError, match="keep_pretrained_words"):
        train(new_text, keep_pretrained_words=True)
    with pytest.raises(ConfigError, match="max_vocab must be 21 or more"):
        train(new_text, pretrained=old, keep_pretrained_words=True, max_vocab=20)
    (tmp_path / "text").write_text("neither a model\nnor vectors\n")
    for path in (tmp_path / "text", tmp_path / "absent"):
        with pytest.raises(BrasaError, match=path.name):
            train(new_text, pretrained=path)
    old.save(tmp_path / "model")
    file = tmp_path / "model" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelFormatError, match=r"model\.safetensors"):
        train(new_text, pretrained=tmp_path / "model")
    with pytest.raises(ModelFormatError, match=r"model\.safetensors"):
        WordVectors.load(tmp_path / "model").continue_training(new_text)
