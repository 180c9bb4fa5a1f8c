"""Classifiers that are trained on: what stays, what moves, what is refused."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import TextClassifier
from brasa.config import TextClassifierConfig
from brasa.corpus import Corpus
from brasa.errors import BrasaError, ConfigError, CorpusError, ModelFormatError, StorageError
from brasa.examples import encode_examples
from brasa.parameters import Classifier, QuantizedMatrix
from brasa.quantization import keep_largest_rows
from brasa.vocabulary import Vocabulary
from brasa.warm_start import continued_classifier

if TYPE_CHECKING:
    from pathlib import Path

    from brasa.training import Event
    from conftest import MakeClassifier

LOSSES = ["softmax", "hs", "ns", "ova"]
STILL: dict[str, Any] = {"learning_rate": 1e-30, "epochs": 1, "evaluation": False, "threads": 1}


def lines_of(n: int, seed: int, n_labels: int = 40) -> list[str]:
    """Texts of words that each label likes, and of any others."""
    random = np.random.default_rng(seed)
    lines = []
    for i in range(n):
        label = i % n_labels
        words = random.integers(0, 12, 8) + 12 * label
        words[random.random(8) < 0.4] = random.integers(0, 12 * n_labels)
        lines.append(f"__label__{label} " + " ".join(f"w{word}" for word in words))
    return lines


TRAIN, TEST = lines_of(2000, 1), lines_of(1000, 2)


@pytest.fixture(scope="module")
def classifier() -> TextClassifier:
    return TextClassifier.train(
        TRAIN, min_count=1, vector_dim=12, epochs=5, learning_rate=0.5, buckets=5000, threads=1
    )


def rows(model: Classifier) -> Any:
    assert not isinstance(model.input, QuantizedMatrix)
    return np.asarray(model.input)


def begin(model: Classifier) -> None:
    """All that is done before a text is read."""
    start, _ = continued_classifier(model, {})
    start.parameters(model.bucket_ids)


def test_an_unchanged_model_is_the_same(classifier: TextClassifier) -> None:
    again = classifier.train_on(TRAIN, **STILL)
    np.testing.assert_array_equal(again.probabilities(TEST), classifier.probabilities(TEST))
    np.testing.assert_array_equal(rows(again.model), rows(classifier.model))
    assert again.words == classifier.words
    assert again.labels == classifier.labels


@pytest.mark.parametrize("loss", LOSSES)
def test_what_a_cutoff_took_is_learned_again(loss: str) -> None:
    """Of 481 rows 256 stay; training on wins back a third of what that costs, or more."""
    options: dict[str, Any] = {"epochs": 10, "threads": 1, "evaluation": False}
    model = TextClassifier.train(
        TRAIN, min_count=1, vector_dim=12, learning_rate=0.5, word_ngrams=1, loss=loss, **options
    )
    smaller = TextClassifier(keep_largest_rows(model.model, 256))
    again = smaller.train_on(TRAIN, **options)
    assert rows(again.model).shape == (256, 12)
    whole, lost, found = (m.test(TRAIN).accuracy for m in (model, smaller, again))
    assert whole > 0.9
    assert lost < whole - 0.05
    assert found > lost + (whole - lost) / 3


def test_quantized_after_a_retraining(classifier: TextClassifier, tmp_path: Path) -> None:
    (tmp_path / "texts").write_text("\n".join(TRAIN) + "\n")
    events: list[Event] = []
    plain = classifier.quantize(cutoff=400, qnorm=True)
    small = classifier.quantize(
        cutoff=400, qnorm=True, retrain=tmp_path / "texts", epochs=3, listeners=[events.append]
    )
    assert small.quantized
    assert small.test(TRAIN).accuracy > plain.test(TRAIN).accuracy
    assert small.metadata["hyperparameters"]["epochs"] == 3
    assert {type(event).__name__ for event in events} >= {"CorpusRead", "TrainingFinished"}
    by_size = classifier.quantize(max_bytes=21_000, retrain=TRAIN)
    by_size.export(tmp_path / "small.ftz")
    assert (tmp_path / "small.ftz").stat().st_size <= 21_000
    untouched = classifier.quantize(retrain=TRAIN)
    assert untouched.metadata == classifier.metadata


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("drops", [False, True])
def test_features_are_those_of_prediction(
    make_classifier: MakeClassifier, drops: bool, subwords: bool
) -> None:
    """The mean of the rows that are trained is the vector that a text is classified by."""
    model = make_classifier(
        buckets=3000, word_ngrams=3, drops_other_buckets=drops,
        **({"min_char": 2, "max_char": 3} if subwords else {}),
    )  # fmt: skip
    held = np.random.default_rng(3).permutation(3000)[:900]
    ids = np.sort(held).astype(np.uint32)
    order = np.random.default_rng(4).permutation(900).astype(np.int32)
    model = dataclasses.replace(model, input=rows(model)[:1300], bucket_ids=ids, bucket_rows=order)
    lines = [
        "w1 w7 unseen w9 __label__3",
        "__label__1 __label__2 w3",
        "__label__5 unseen words only here",
        "__label__absent __label__9 w4 w4 w4",
    ]
    n_new = 0
    for line in lines:
        start, config = continued_classifier(model, {"threads": 1})
        found = encode_examples(Corpus([line]), config, known=start.features)
        assert len(found) == 1
        matrix = start.parameters(found.bucket_ids).input
        vector = matrix[found.rows_of(0)].mean(axis=0, dtype=np.float64)
        wanted = TextClassifier(model).sentence_vector(line)
        np.testing.assert_allclose(vector, wanted, rtol=0, atol=1e-6)
        named = [model.labels.word(label) for label in found.labels_of(0)]
        assert named == [t for t in line.split() if t.startswith("__label__") and t[-1].isdigit()]
        assert found.n_unknown_labels == line.count("absent")
        assert set(ids.tolist()) <= set(found.bucket_ids.tolist())
        n_new += len(found.bucket_ids) - len(ids)
    assert (n_new == 0) == drops


def test_a_pruned_model_keeps_only_its_rows(make_classifier: MakeClassifier) -> None:
    smaller = keep_largest_rows(make_classifier(word_ngrams=3, max_char=3, min_char=2), 300)
    again = TextClassifier(smaller).train_on(["__label__1 w1 w2 entirely new", "__label__2 w3"])
    assert rows(again.model).shape == (300, 7)
    assert again.words == smaller.vocabulary.words
    assert again.model.bucket_ids.tolist() == smaller.bucket_ids.tolist()
    assert again.model.labels.counts.tolist() == smaller.labels.counts.tolist()
    assert again.model.drops_other_buckets


def test_a_model_of_brasas_own_gets_new_ngrams(classifier: TextClassifier) -> None:
    again = classifier.train_on(["__label__1 w1 never before", "__label__2 w2"], epochs=20)
    old, new = classifier.model, again.model
    assert set(old.bucket_ids.tolist()) < set(new.bucket_ids.tolist())
    assert new.vocabulary.words == old.vocabulary.words
    added = ~np.isin(new.bucket_ids, old.bucket_ids)
    assert np.abs(rows(new)[len(new.vocabulary) :][added]).max() > 0
    before = again.predict("w1 never before")[0]
    assert before[0] == "__label__1"


def test_unknown_labels_are_counted(classifier: TextClassifier) -> None:
    more = [*TRAIN[:50], "__label__new w1", "__label__new __label__3 w2", "__label__4", "w1"]
    again = classifier.train_on(more, epochs=1)
    assert again.metadata["n_unknown_labels"] == 2
    assert again.metadata["n_skipped_lines"] == 2  # "__label__4" has the line's end
    assert again.metadata["n_texts"] == 52
    assert again.labels == classifier.labels


def test_the_history_of_a_model(classifier: TextClassifier, tmp_path: Path) -> None:
    again = classifier.train_on(TRAIN, epochs=1, seed=5, evaluation=False)
    third = again.train_on(TRAIN)
    assert third.metadata["hyperparameters"]["epochs"] == 1
    assert third.metadata["hyperparameters"]["learning_rate"] == 0.5
    assert third.metadata["hyperparameters"]["seed"] == 0
    runs = third.metadata["previous_runs"]
    assert [run["hyperparameters"]["epochs"] for run in runs] == [5, 1]
    third.save(tmp_path / "model")
    assert TextClassifier.load(tmp_path / "model").metadata == third.metadata


def test_one_thread_and_a_seed_give_the_same_bytes(classifier: TextClassifier) -> None:
    one, two, other = (
        classifier.train_on(TRAIN, epochs=1, threads=1, seed=seed).model for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(rows(one), rows(two))
    assert not np.array_equal(rows(one), rows(other))


def test_validation_and_weights(classifier: TextClassifier) -> None:
    again = classifier.train_on(TRAIN, validation=TEST, epochs=2, threads=1)
    accuracy = again.metadata["scores"]["validation_accuracy"]
    assert accuracy == again.test(TEST).accuracy
    texts = ["__label__1 w1 w2", "__label__2 w1 w2"]
    for weights, wanted in (([1, 0], "__label__1"), ([0, 1], "__label__2")):
        heavy = classifier.train_on(texts, weights=weights, epochs=50)
        assert heavy.predict("w1 w2")[0][0] == wanted
    with pytest.raises(ConfigError, match="early_stopping"):
        classifier.train_on(TRAIN, early_stopping=True)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "no label in the text; the model has __label__0, __label__1, __label__10, ..."),
        (["w1 w2", "w3"], "no label in the text; the model has __label__0"),
        (["__label__99 w1"], "only labels that the model does not have"),
    ],
)
def test_texts_without_anything_to_learn(
    classifier: TextClassifier, texts: list[str], message: str
) -> None:
    with pytest.raises(CorpusError, match=message):
        classifier.train_on(texts)
    with pytest.raises(CorpusError):
        classifier.quantize(cutoff=300, retrain=texts)


def test_texts_without_a_known_feature(make_classifier: MakeClassifier) -> None:
    model = make_classifier(buckets=0, bucket_ids=np.empty(0, np.uint32))
    words = Vocabulary.from_words(["w1", "w2"], [2, 1], 3)
    model = dataclasses.replace(model, vocabulary=words, input=rows(model)[:2])
    with pytest.raises(CorpusError, match="a word or n-gram that the model has a row for"):
        TextClassifier(model).train_on(["__label__1 something else"])
    assert TextClassifier(model).train_on(["__label__1 w1"], epochs=1).words == ["w1", "w2"]


def test_hyperparameters_of_a_foreign_model(make_classifier: MakeClassifier) -> None:
    lies = {"epochs": -3, "learning_rate": "fast", "negative_samples": True, "min_count": 7}
    model = make_classifier(metadata={"hyperparameters": lies})
    _, config = continued_classifier(model, {})
    default = TextClassifierConfig()
    assert (config.epochs, config.learning_rate) == (default.epochs, default.learning_rate)
    assert (config.negative_samples, config.min_count) == (default.negative_samples, 7)
    assert (config.vector_dim, config.word_ngrams, config.buckets) == (7, 2, 90)
    _, config = continued_classifier(make_classifier(metadata={"hyperparameters": 3}), {})
    assert config.epochs == default.epochs


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("vector_dim", 50, "vector_dim must be 12, as in the model that is trained on"),
        ("loss", "ova", "loss must be 'softmax'"),
        ("subwords", True, "subwords must be False"),
        ("word_ngrams", 5, "word_ngrams must be 2"),
        ("buckets", 9, "buckets must be 5000"),
        ("label_prefix", "#", "label_prefix must be '__label__'"),
        ("epochs", 0, "epochs must be between 1"),
        ("learning_rate", -1.0, "learning_rate must be between"),
        ("epoch", 3, "one of the known names"),
    ],
)
def test_what_cannot_change(
    classifier: TextClassifier, name: str, value: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        classifier.train_on("/absent", **{name: value})
    with pytest.raises(ConfigError, match=message):
        classifier.quantize(cutoff=300, retrain="/absent", **{name: value})


def test_what_is_refused(classifier: TextClassifier) -> None:
    with pytest.raises(ConfigError, match="epochs must be given with retrain"):
        classifier.quantize(cutoff=300, epochs=3)
    with pytest.raises(StorageError, match="absent"):
        classifier.quantize(cutoff=300, retrain="/absent")
    quantized = classifier.quantize(cutoff=300)
    with pytest.raises(ConfigError, match="codes cannot be trained"):
        quantized.train_on(TRAIN)


def test_broken_models_are_refused(make_classifier: MakeClassifier) -> None:
    plain = make_classifier()
    endless = rows(plain).copy()
    endless[5, 3] = np.nan
    large = rows(plain).copy()
    large[400, 0] = 1e6
    rising = Vocabulary.from_words(plain.labels.words, np.arange(300), 9000)
    counts = np.arange(300, 0, -1) * 10**13
    many = Vocabulary.from_words(plain.labels.words, counts, 9000)
    output: Any = plain.output
    one = Vocabulary.from_words(["__label__1"], [1], 9000)
    broken: list[tuple[type[BrasaError], str, dict[str, Any]]] = [
        (ModelFormatError, "go up to nan", {"input": endless}),
        (ModelFormatError, "less than 10000", {"input": large}),
        (ModelFormatError, r"go up to \d.\de\+06", {"output": output * np.float32(1e6)}),
        (ModelFormatError, "no Huffman tree", {"labels": rising, "loss": "hs"}),
        (ModelFormatError, "no Huffman tree", {"labels": many, "loss": "hs"}),
        (ModelFormatError, "has the count 0", {"labels": rising, "loss": "ns"}),
        (ModelFormatError, "bucket_ids", {"bucket_ids": plain.bucket_ids[::-1]}),
        (ConfigError, "a single label", {"labels": one, "output": output[:1]}),
    ]
    for kind, message, changes in broken:
        model = dataclasses.replace(plain, **changes)
        with pytest.raises(kind, match=message):
            begin(model)
