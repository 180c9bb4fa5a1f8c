from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import WordVectors
from brasa.errors import ConfigError, ModelFormatError
from brasa.merging import merge

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import AsFloret, MakeEmbeddings

FIRST = ["</s>", "the", "fire", "ember", "embers"]
SECOND = ["fire", "river", "</s>", "rivers", "é", "the"]


@pytest.mark.parametrize("conflict", ["first", "second", "mean"])
@pytest.mark.parametrize("subwords", [(True, True), (True, False), (False, True), (False, False)])
def test_words_of_both_keep_their_vectors(
    make_embeddings: MakeEmbeddings, tmp_path: Path, conflict: Any, subwords: tuple[bool, bool]
) -> None:
    models = [
        WordVectors(make_embeddings(words, seed=seed, subwords=with_ngrams))
        for seed, (words, with_ngrams) in enumerate(zip((FIRST, SECOND), subwords, strict=True))
    ]
    merged = models[0].merge(models[1], conflict=conflict)
    assert merged.words == [*FIRST, "river", "rivers", "é"]
    assert merged.config.subwords == any(subwords)
    merged.save(tmp_path / "model")
    merged = WordVectors.load(tmp_path / "model")
    for word in merged.words:
        of_both = [m[word] for m in models if word in m]
        wanted = {"first": of_both[0], "second": of_both[-1], "mean": np.mean(of_both, axis=0)}
        np.testing.assert_allclose(merged[word], wanted[conflict], atol=1e-5, err_msg=word)
    counts = dict(zip(merged.words, merged.vocabulary.counts.tolist(), strict=True))
    for word, count in counts.items():
        places = [(m, m.vocabulary.index(word)) for m in models]
        assert count == sum(int(m.vocabulary.counts[i]) for m, i in places if i is not None)
    assert merged.vocabulary.n_tokens == sum(m.vocabulary.n_tokens for m in models)
    assert merged.metadata["conflict"] == conflict


@pytest.mark.parametrize("conflict", ["first", "second", "mean"])
def test_ngrams_of_both(make_embeddings: MakeEmbeddings, conflict: Any) -> None:
    first, second = (make_embeddings(words, seed=i) for i, words in enumerate((FIRST, SECOND)))
    merged = merge(first, second, conflict=conflict)
    rows = [
        dict(zip(m.bucket_ids.tolist(), m.input[len(m.vocabulary) :], strict=True))
        for m in (first, second, merged)
    ]
    assert sorted(rows[2]) == merged.bucket_ids.tolist() == sorted({*rows[0], *rows[1]})
    assert rows[0].keys() & rows[1].keys()
    for bucket, row in rows[2].items():
        found = [of[bucket] for of in rows[:2] if bucket in of]
        wanted = {"first": found[0], "second": found[-1], "mean": np.mean(found, axis=0)}
        np.testing.assert_allclose(row, wanted[conflict], atol=1e-6)


def test_a_model_merged_with_itself_is_itself(make_embeddings: MakeEmbeddings) -> None:
    vectors = WordVectors(make_embeddings())
    merged = vectors.merge(vectors)
    words = [*vectors.words, "embersome", "xyz"]
    np.testing.assert_allclose(merged.vectors(words), vectors.vectors(words), atol=1e-5)
    assert merged.neighbors("fire", 3)[0][0] == vectors.neighbors("fire", 3)[0][0]


def test_models_that_do_not_fit(make_embeddings: MakeEmbeddings, as_floret: AsFloret) -> None:
    first = make_embeddings()
    with pytest.raises(ConfigError, match=r"vector_dim=7 .* must be 20, as in the first model"):
        merge(first, make_embeddings(vector_dim=7))
    for changed in ({"min_char": 2}, {"max_char": 4}, {"buckets": 5001}):
        with pytest.raises(ConfigError, match=r"those of the first model \(min_char 3, max_char 6"):
            merge(first, make_embeddings(**changed))
    with pytest.raises(ConfigError, match=r"conflict='newest' .* one of first, second, mean"):
        merge(first, first, conflict="newest")  # type: ignore[arg-type]
    for pair in ((first, as_floret(first)), (as_floret(first), first)):
        with pytest.raises(ConfigError, match="one of floret's"):
            merge(*pair)
    broken = make_embeddings()
    broken.input[2, 2] = np.nan
    for pair in ((first, broken), (broken, first)):
        with pytest.raises(ModelFormatError, match="not finite"):
            merge(*pair)


def test_counts_beyond_all_counting(make_embeddings: MakeEmbeddings) -> None:
    model = make_embeddings()
    large = dataclasses.replace(model.vocabulary, counts=model.vocabulary.counts + (2**63 - 99))
    large_model = dataclasses.replace(model, vocabulary=large)
    with pytest.raises(ModelFormatError, match="counts above"):
        merge(large_model, large_model)
