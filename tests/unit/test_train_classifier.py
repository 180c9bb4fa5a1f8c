"""`TextClassifier.train`, `test` and `save`: what goes in, what comes out, what is refused."""

from __future__ import annotations

import gzip
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brasa
from brasa import Corpus, TextClassifier, WordVectors
from brasa.config import TextOptions
from brasa.errors import BrasaError, ConfigError, CorpusError, ModelFormatError, StorageError
from brasa.training import Event, Scored, Validated

TEXTS = [f"{'warm' if i % 2 else 'cold'} word{i % 7} word{i % 5}" for i in range(200)]
LABELS = ["hot" if i % 2 else "ice" for i in range(200)]
LINES = [f"__label__{label} {text}" for label, text in zip(LABELS, TEXTS, strict=True)]
QUICK: dict[str, Any] = {"min_count": 1, "vector_dim": 8, "learning_rate": 0.5, "threads": 1}


def train(texts: Any = LINES, *arguments: Any, **options: Any) -> TextClassifier:
    return TextClassifier.train(texts, *arguments, **{**QUICK, **options})


def write(path: Path, lines: list[str] = LINES) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_all_forms_of_text_give_the_same_model(tmp_path: Path) -> None:
    file = write(tmp_path / "train.txt")
    (tmp_path / "train.gz").write_bytes(gzip.compress(file.read_bytes()))
    expected = np.array(train(file).model.input)
    forms: list[tuple[Any, ...]] = [
        (str(file),),
        (tmp_path / "train.gz",),
        ([file],),
        (Corpus(file),),
        (iter(LINES),),
        (LINES,),
        (list(zip(TEXTS, LABELS, strict=True)),),
        (zip(TEXTS, [[label] for label in LABELS], strict=True),),
        (TEXTS, LABELS),
        (iter(TEXTS), (f"__label__{label}" for label in LABELS)),
        (np.array(TEXTS), np.array(LABELS)),
    ]
    for form in forms:
        np.testing.assert_array_equal(train(*form).model.input, expected)


@pytest.mark.parametrize("loss", ["softmax", "hs", "ns", "ova"])
def test_a_classifier_is_trained(loss: str) -> None:
    classifier = train(loss=loss, epochs=10)
    assert classifier.labels == ["__label__hot", "__label__ice"]
    assert classifier.predict("warm word3")[0][0] == "__label__hot"
    assert classifier.predict(["cold word3"], k=9)[0][0][0] == "__label__ice"
    report = classifier.test(LINES)
    assert (report.n, report.accuracy, report.precision, report.recall) == (200, 1, 1, 1)


def test_numbers_as_labels() -> None:
    classifier = train(TEXTS, [i % 3 for i in range(200)])
    assert sorted(classifier.labels) == ["__label__0", "__label__1", "__label__2"]


def test_validation_every_epoch(tmp_path: Path) -> None:
    file = write(tmp_path / "valid.txt", LINES[:50])
    expected = None
    pairs = list(zip(TEXTS[:50], LABELS[:50], strict=True))
    for validation in (file, Corpus(file), LINES[:50], pairs, (TEXTS[:50], LABELS[:50])):
        events: list[Event] = []
        classifier = train(validation=validation, callback=events.append, epochs=4)
        found = [event for event in events if isinstance(event, Validated)]
        assert [event.epoch for event in found] == [1, 2, 3, 4]
        expected = expected or found
        assert found == expected
        scored = events[-1]
        assert isinstance(scored, Scored)
        assert (scored.n_train, scored.n_validation) == (200, 50)
        assert scored.validation_accuracy == classifier.test(file).accuracy
        assert scored.train_accuracy == classifier.test(LINES).accuracy
        assert classifier.metadata["scores"]["validation_accuracy"] == scored.validation_accuracy


def test_early_stopping_keeps_the_best() -> None:
    """The validation texts contradict the training: less training is better."""
    contrary = [
        line.replace("hot", "x").replace("ice", "hot").replace("x", "ice") for line in LINES
    ]
    events: list[Event] = []
    classifier = train(
        validation=contrary[:51],
        early_stopping=True,
        epochs=50,
        min_epochs=1,
        patience=3,
        learning_rate=0.05,
        callback=events.append,
    )
    accuracies = [event.accuracy for event in events if isinstance(event, Validated)]
    assert 3 < len(accuracies) < 50
    assert classifier.test(contrary[:51]).accuracy == max(accuracies)
    assert max(accuracies) > accuracies[-1]


def test_evaluation_can_be_left_out() -> None:
    events: list[Event] = []
    train(evaluation=False, callback=events.append)
    assert events[-1] == Scored(None, 200, None, 0)


def test_unknown_labels_in_the_validation_texts_do_not_count() -> None:
    valid = [*LINES[:10], "__label__new warm", "no label", ""]
    report = train().test(valid)
    assert (report.n, report.n_skipped, report.n_unknown_labels) == (10, 3, 1)
    with pytest.raises(CorpusError, match=r"no validation text has both .*\(2 other labels\)"):
        train(validation=["__label__new warm", "__label__other cold"])


def test_weights() -> None:
    """Texts that weigh nothing do not move the model."""
    wrong = [f"__label__ice {text}" for text in TEXTS if text.startswith("warm")] * 3
    weights = [1.0] * len(LINES) + [0.0] * len(wrong)
    classifier = train([*LINES, *wrong], weights=weights, epochs=20)
    assert classifier.predict("warm")[0][0] == "__label__hot"
    assert train([*LINES, *wrong], epochs=20).predict("warm")[0][0] == "__label__ice"


def test_class_weights() -> None:
    rare = [*LINES[:1:2] * 20, *LINES[1:4:2], "__label__ice warm word0"]
    assert (
        train(rare, class_weights={"hot": 0, "__label__ice": 1})
        .predict("warm")[0][0]
        .endswith("ice")
    )
    assert train(rare, class_weights={"hot": 9.0}, epochs=30).predict("warm")[0][0].endswith("hot")
    balanced = train(rare, class_weights="balanced", epochs=5)
    plain = train(rare, epochs=5)
    hot = "__label__hot"
    assert dict(balanced.predict("word1", k=2))[hot] > dict(plain.predict("word1", k=2))[hot]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": [1.0] * 3}, "3 weights for 200 lines"),
        ({"weights": [1.0] * 199 + [math.nan]}, "<iterable>:200: the weight nan is not a finite"),
        ({"weights": [-1.0] + [1.0] * 199}, "<iterable>:1: the weight -1.0"),
        ({"weights": [0.0] * 200}, "the weights of all texts are 0"),
        ({"class_weights": {"hut": 2.0}}, "class_weights='hut' is not possible: .*__label__hot"),
        ({"class_weights": {"hot": math.nan}}, "class_weights={'hot': nan} is not possible"),
        ({"class_weights": {"hot": "2"}}, "class_weights={'hot': '2'} is not possible"),
        ({"class_weights": {"hot": -1}}, "finite numbers from 0 up"),
        ({"class_weights": "even"}, "a dict of labels and numbers, or 'balanced'"),
        ({"early_stopping": True}, "early_stopping=True is not possible: .*validation"),
        ({"window_size": 5}, "window_size=5 is not possible: .* one of the known names"),
        ({"labels": LABELS[:-1], "texts": TEXTS}, "<iterable>:200: there is no label"),
        ({"labels": LABELS, "texts": TEXTS[:-1]}, "<iterable>:200: there is no text"),
        ({"labels": "hot", "texts": TEXTS}, "labels='hot' is not possible"),
        ({"labels": LABELS, "texts": "train.txt"}, "texts='train.txt' is not possible"),
        ({"labels": LABELS, "texts": Corpus(iter(LINES))}, "in the lines of a Corpus"),
        ({"text_options": TextOptions(), "texts": Corpus(iter(LINES))}, "those of the corpus"),
        ({"texts": ["__label__a b"]}, "__label__a is the only label"),
        ({"texts": ["a b", "c d"]}, "no label in the text"),
        ({"texts": iter([])}, "no label in the text"),
        ({"texts": "/nowhere/train.txt"}, "no such file"),
        ({"validation": "/nowhere/valid.txt"}, "no such file"),
        ({"texts": [("a", 1.5)]}, "neither a str nor an int"),
        ({"texts": 7}, "a corpus cannot be made of int"),
    ],
)
def test_what_cannot_be_trained(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BrasaError, match=message):
        train(options.pop("texts", iter(LINES)), **options)


@pytest.mark.parametrize(
    ("k", "threshold"),
    [(0, 0.0), (-1, 0.0), (1.5, 0.0), (True, 0.0), (1, math.nan), (1, "0.5")],
)
def test_impossible_tests(k: Any, threshold: Any) -> None:
    with pytest.raises(ConfigError):
        train().test(LINES, k, threshold)


def test_metrics_of_several_labels() -> None:
    """Against a count by hand over single predictions."""
    lines = [f"__label__{i % 3} __label__{i % 2}x w{i % 3} v{i % 2} u{i % 11}" for i in range(300)]
    classifier = train(lines, loss="ova", epochs=3)
    for k, threshold in ((1, 0.0), (2, 0.4), (5, 0.5), (99, 0.0)):
        report = classifier.test(lines, k, threshold)
        n_true = n_predicted = n_correct = n_first = 0
        for line in lines:
            true = {word for word in line.split() if word.startswith("__label__")}
            found = [label for label, p in classifier.predict(line, k) if p >= threshold]
            n_true, n_predicted = n_true + len(true), n_predicted + len(found)
            n_correct += len(true & set(found))
            n_first += bool(found) and found[0] in true
        micro = report.micro
        assert (micro.n_true, micro.n_predicted, micro.n_correct) == (
            n_true,
            n_predicted,
            n_correct,
        )
        assert report.accuracy == n_first / 300
        assert sum(score.n_true for score in report.labels.values()) == n_true


def test_pretrained_vectors(tmp_path: Path) -> None:
    text = [line.split() for line in TEXTS]
    vectors = WordVectors.train(text, vector_dim=8, min_count=1, threads=1, sampling_threshold=0.5)
    before = train(pretrained=vectors, learning_rate=1e-30, epochs=1)
    rows = np.array(before.model.input)
    for word in ("warm", "word3"):
        np.testing.assert_array_equal(rows[before.words.index(word)], vectors[word])
    vectors.save(tmp_path / "vectors")
    again = train(pretrained=tmp_path / "vectors", learning_rate=1e-30, epochs=1)
    np.testing.assert_array_equal(again.model.input, before.model.input)
    with pytest.raises(ConfigError, match="vector_dim=9 is not possible: vector_dim must be 8"):
        train(pretrained=vectors, vector_dim=9)


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("word_ngrams", [1, 3])
@pytest.mark.parametrize("loss", ["softmax", "hs", "ns", "ova"])
def test_save_and_load(tmp_path: Path, loss: str, word_ngrams: int, subwords: bool) -> None:
    classifier = train(loss=loss, word_ngrams=word_ngrams, subwords=subwords, buckets=5000)
    classifier.save(tmp_path / "model")
    classifier.export(tmp_path / "model.bin")
    texts = [*TEXTS[:20], "unseen words", "", "warm __label__hot"]
    expected = classifier.predict(texts, k=2)
    assert brasa.load(tmp_path / "model").predict(texts, k=2) == expected
    assert TextClassifier.load(tmp_path / "model").metadata == classifier.metadata
    assert TextClassifier.load(tmp_path / "model.bin").predict(texts, k=2) == expected
    size = (tmp_path / "model.bin").stat().st_size
    assert (size > 5000 * 8 * 4) == (subwords or word_ngrams > 1)


def test_only_touched_rows_are_kept(tmp_path: Path) -> None:
    classifier = train(buckets=2_000_000)
    assert len(classifier.model.bucket_ids) < 200
    classifier.save(tmp_path / "model")
    assert sum(file.stat().st_size for file in (tmp_path / "model").iterdir()) < 100_000


def test_a_big_model_opens_at_once(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lines = [
        f"__label__{i % 5} " + " ".join(map(str, random.integers(0, 100_000, 50)))
        for i in range(10_000)
    ]
    train(lines, vector_dim=50, epochs=1).save(tmp_path / "model")
    brasa.load(tmp_path / "model")
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        brasa.load(tmp_path / "model")
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.05


def test_what_a_model_is_not(tmp_path: Path) -> None:
    train().save(tmp_path / "model")
    with pytest.raises(ModelFormatError, match="a text classifier"):
        WordVectors.load(tmp_path / "model")
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="is a file"):
        train().save(tmp_path / "file")
