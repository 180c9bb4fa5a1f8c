from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import brasa
from brasa import TextClassifier, WordVectors
from brasa.errors import ConfigError, ModelFormatError, UnknownWordError
from brasa.formats import fasttext
from brasa.parameters import Classifier
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeEmbeddings

WORDS = ["</s>", "fire", "ember", "river"]


def make(n_labels: int = 5, dim: int = 7, **changes: Any) -> Classifier:
    """Words only: a text's vector is the mean of its words' rows and that of </s>."""
    rng = np.random.default_rng(1)
    names = [f"__label__{i}" for i in range(n_labels)]
    plain = Classifier(
        vocabulary=Vocabulary.from_words(WORDS, [9, 5, 3, 1], 18),
        labels=Vocabulary.from_words(names, np.arange(n_labels, 0, -1), 18),
        loss="softmax",
        word_ngrams=1,
        min_char=0,
        max_char=0,
        buckets=0,
        input=rng.normal(size=(len(WORDS), dim)).astype(np.float32),
        output=rng.normal(size=(n_labels, dim)).astype(np.float32),
        bucket_ids=np.empty(0, np.uint32),
    )
    return dataclasses.replace(plain, **changes)


def scores_of(model: Classifier, *words: str) -> Any:
    rows = [WORDS.index(word) for word in words] + [0]
    return np.asarray(model.output) @ np.asarray(model.input)[rows].mean(axis=0)


@pytest.mark.parametrize("n_labels", [1, 2, 15, 16, 17, 300])
@pytest.mark.parametrize("dim", [1, 7, 16, 100])
def test_softmax(n_labels: int, dim: int) -> None:
    model = make(n_labels, dim)
    scores = scores_of(model, "fire", "river").astype(np.float64)
    expected = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    order = np.argsort(-expected)
    classifier = TextClassifier(model)
    one = classifier.predict("fire river", k=n_labels)
    many = classifier.predict(["fire  river\t"] * 37, k=n_labels)
    for found in (one, *many):
        assert [label for label, _ in found] == [classifier.labels[i] for i in order]
        assert [p for _, p in found] == pytest.approx(expected[order], abs=1e-6)
        assert sum(p for _, p in found) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("n_labels", [1, 2, 3, 40])
def test_a_tree_gives_probabilities_that_sum_to_one(n_labels: int) -> None:
    classifier = TextClassifier(make(n_labels, loss="hs"))
    found = classifier.predict("ember", k=n_labels)
    assert sorted(label for label, _ in found) == sorted(classifier.labels)
    assert sum(p for _, p in found) == pytest.approx(1, abs=1e-6)
    assert [p for _, p in found] == sorted((p for _, p in found), reverse=True)
    for k in range(1, n_labels):
        assert classifier.predict("ember", k=k) == found[:k]


def test_labels_that_never_occurred_make_a_deep_tree() -> None:
    """As deep as there are labels; it must not overflow a stack."""
    n = 60_000
    labels = Vocabulary.from_words([f"__label__{i}" for i in range(n)], np.zeros(n), 18)
    model = make(n, 1, loss="hs", labels=labels, output=np.zeros((n, 1), np.float32))
    assert TextClassifier(model).predict("fire", k=1)[0][1] == pytest.approx(0.5)


@pytest.mark.parametrize("loss", ["ns", "ova"])
def test_labels_on_their_own(loss: str) -> None:
    """fastText's sigmoid is a table: a step of 1/32 of at most 1/4 in slope."""
    model = make(20, loss=loss)
    expected = dict(
        zip(model.labels.words, 1 / (1 + np.exp(-scores_of(model, "fire"))), strict=True)
    )
    for label, p in TextClassifier(model).predict("fire", k=20):
        assert p == pytest.approx(expected[label], abs=1 / 128)


def test_the_threshold_leaves_labels_out() -> None:
    classifier = TextClassifier(make(10))
    everything = classifier.predict("fire", k=10)
    for i in range(10):
        middle = everything[i][1]
        assert classifier.predict("fire", k=10, threshold=middle) == everything[: i + 1]
    assert classifier.predict(["fire"], k=10, threshold=1.1) == [[]]


def test_labels_without_their_prefix() -> None:
    classifier = TextClassifier(make(4))
    expected = [(label[len("__label__") :], p) for label, p in classifier.predict("fire", k=4)]
    assert classifier.predict("fire", k=4, prefix=False) == expected
    assert classifier.predict(["fire"] * 3, 4, prefix=False) == [expected] * 3
    assert classifier.predict(["fire"], prefix=False) == [expected[:1]]
    assert classifier.plain_labels == ["0", "1", "2", "3"]


def test_texts_of_which_nothing_is_known() -> None:
    vocabulary = Vocabulary.from_words(WORDS[1:], [5, 3, 1], 18)
    rows = np.ones((3, 7), np.float32)
    classifier = TextClassifier(make(vocabulary=vocabulary, input=rows))
    assert classifier.predict("unknown words") == []
    assert classifier.predict(["", "fire", "unknown"])[::2] == [[], []]
    assert not classifier.sentence_vector("").any()


def test_more_labels_than_there_are_means_all() -> None:
    classifier = TextClassifier(make())
    every = classifier.predict("fire ember", k=len(classifier.labels))
    assert classifier.predict("fire ember", k=2**70) == every
    assert classifier.test(["__label__1 fire"], k=2**70).micro.n_predicted == len(every)


def test_labels_in_a_text_are_passed_over() -> None:
    classifier = TextClassifier(make())
    plain = classifier.predict("fire ember", k=5)
    assert classifier.predict("__label__1 fire __label__unknown ember", k=5) == plain
    assert classifier.predict("fire ember </s> river", k=5) == plain
    assert classifier.predict("fire\0ember", k=5) == plain


def test_buckets_without_a_row() -> None:
    """Either nothing or zeros: the divisor of the mean tells."""
    changes: dict[str, Any] = {"word_ngrams": 2, "buckets": 1000}
    zeros = TextClassifier(make(**changes)).sentence_vector("fire ember")
    dropped = TextClassifier(make(**changes, drops_other_buckets=True)).sentence_vector(
        "fire ember"
    )
    np.testing.assert_allclose(dropped * 3, zeros * 5, rtol=1e-5)  # 3 words, 2 pairs


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("fire", 0), "k"), (("fire", -1), "k"), (("fire", True), "k"), (("fire", 1.5), "k"),
        (("fire", 1, float("nan")), "threshold"), (("fire", 1, "x"), "threshold"),
        (("two\nlines",), "texts"), ((["ok", "two\nlines"],), "texts"), (([7],), "texts"),
        ((None,), "texts"), ((b"fire",), "texts"), (("\ud800",), "texts"),
        ((["\ud800"],), "texts"),
    ],
)  # fmt: skip
def test_impossible_questions(arguments: tuple[Any, ...], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TextClassifier(make()).predict(*arguments)
    assert caught.value.field == field


@pytest.mark.parametrize("kind", [list, tuple, iter])
@pytest.mark.parametrize(("text", "said"), [("two\nlines", "one line each"), (7, "strings")])
def test_a_text_that_is_refused_is_named(kind: Any, text: Any, said: str) -> None:
    for ask in (TextClassifier(make()).predict, TextClassifier(make()).probabilities):
        with pytest.raises(ConfigError, match=said) as caught:
            ask(kind(["fire", text, "ember"]))
        assert caught.value.value == text


def test_more_labels_than_there_are() -> None:
    classifier = TextClassifier(make(3))
    assert len(classifier.predict("fire", k=10**6)) == 3
    assert classifier.predict([]) == []
    with pytest.raises(UnknownWordError):
        classifier.word_vector("\ud800")


def test_threads_may_share_a_classifier() -> None:
    classifier = TextClassifier(make(50))
    texts = ["fire", "ember river", "", "river river fire"] * 300
    expected = classifier.predict(texts, k=3)
    with ThreadPoolExecutor(4) as pool:
        assert all(
            found == expected
            for found in pool.map(lambda _: classifier.predict(texts, 3), range(8))
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"input": np.zeros((3, 7), np.float32)},
        {"output": np.zeros((5, 8), np.float32)},
        {"output": np.zeros((4, 7), np.float32)},
        {"bucket_ids": np.arange(3, dtype=np.uint32)},
    ],
)
def test_parts_that_do_not_fit(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelFormatError, match="shapes"):
        TextClassifier(make(**changes))


def test_load_tells_classifiers_from_word_vectors(
    make_embeddings: MakeEmbeddings, tmp_path: Path
) -> None:
    classifier, vectors = tmp_path / "a", tmp_path / "b"
    TextClassifier(make()).export(classifier)
    fasttext.write(make_embeddings(), vectors)
    assert isinstance(brasa.load(classifier), TextClassifier)
    assert isinstance(brasa.load(vectors), WordVectors)
    with pytest.raises(ModelFormatError, match=r"TextClassifier\.load"):
        WordVectors.load(classifier)
    with pytest.raises(ModelFormatError, match=r"WordVectors\.load"):
        TextClassifier.load(vectors)
    assert TextClassifier.load(classifier).predict("fire") == TextClassifier(make()).predict("fire")
