"""The loop as classifiers run it: events, early stopping, seeds, what it refuses."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from brasa.classifier_training import train_classifier
from brasa.config import TextClassifierConfig
from brasa.corpus import Corpus
from brasa.errors import ConfigError, DivergenceError, TrainingInterrupted
from brasa.parameters import Classifier
from brasa.training import (
    CorpusRead,
    DeviceChosen,
    Event,
    Listener,
    Progress,
    ReadProgress,
    Scored,
    TrainingFinished,
    Validated,
)
from brasa.warm_start import ClassifierCheckpoint, resumed_classifier

LOSSES = ["softmax", "hs", "ns", "ova"]


def texts(n: int = 600) -> list[str]:
    """Six words of a label's ten; label 0 twice as often as 1 and 2."""
    random = np.random.default_rng(0)
    return [
        f"__label__{(0, 1, 0, 2)[i % 4]} "
        + " ".join(f"w{(0, 1, 0, 2)[i % 4]}x{k}" for k in random.integers(0, 10, 6))
        for i in range(n)
    ]


def train_on(
    lines: Iterable[str],
    listeners: Iterable[Listener] = (),
    keep_partial: bool = False,
    accuracy: Callable[[Classifier], tuple[float, int]] | None = None,
    **hyperparameters: Any,
) -> Classifier:
    defaults: dict[str, Any] = {
        "vector_dim": 8,
        "min_count": 1,
        "threads": 1,
        "buckets": 1000,
        "learning_rate": 0.5,
    }
    config = TextClassifierConfig(**{**defaults, **hyperparameters})
    return train_classifier(
        Corpus(iter(lines)),
        config,
        listeners=listeners,
        keep_partial=keep_partial,
        accuracy=accuracy,
    )


def digest(model: Classifier) -> str:
    matrices = np.array(model.input), np.array(model.output)
    return hashlib.sha256(b"".join(matrix.tobytes() for matrix in matrices)).hexdigest()


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_same_seed_gives_the_same_bytes(loss: str, subwords: bool) -> None:
    runs = [digest(train_on(texts(), loss=loss, subwords=subwords, seed=s)) for s in (7, 7, 8)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_a_model() -> None:
    model = train_on(texts(), label_prefix="__label__")
    assert model.labels.words == ["__label__0", "__label__1", "__label__2"]
    assert model.labels.counts.tolist() == [300, 150, 150]
    assert model.input.shape == (len(model.vocabulary) + len(model.bucket_ids), 8)
    assert model.output.shape == (3, 8)
    assert (model.word_ngrams, model.max_char, model.label_prefix) == (2, 0, "__label__")
    assert model.metadata["n_texts"] == 600
    assert model.metadata["hyperparameters"]["learning_rate"] == 0.5
    losses = [loss for _, loss in model.metadata["loss_history"]]
    assert losses[-1] < 0.1 < losses[0]


def test_events() -> None:
    events: list[Event] = []
    train_on(texts(), [events.append], epochs=6)
    kinds = [kind for kind, _ in itertools.groupby(events, type)]
    assert kinds == [
        ReadProgress, CorpusRead, DeviceChosen, Progress, TrainingFinished, Scored,
    ]  # fmt: skip
    read = next(event for event in events if isinstance(event, CorpusRead))
    assert read.n_tokens == 600 * 8
    finished = events[-2]
    assert isinstance(finished, TrainingFinished)
    assert (finished.words, finished.interrupted) == (6 * 600 * 8, False)
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[-1].epoch == 6
    assert progress[-1].learning_rate == 0


def test_validation_at_the_end_of_every_epoch() -> None:
    events: list[Event] = []
    values = iter([0.5, 0.75, 0.75, 0.9])
    model = train_on(texts(), [events.append], accuracy=lambda model: (next(values), 9), epochs=4)
    found = [event for event in events if isinstance(event, Validated)]
    assert found == [
        Validated(1, 0.5, True, 0, False),
        Validated(2, 0.75, True, 0, False),
        Validated(3, 0.75, False, 1, False),
        Validated(4, 0.9, True, 0, False),
    ]
    assert model.metadata["validation_accuracy"] == [[1, 0.5], [2, 0.75], [3, 0.75], [4, 0.9]]


def test_early_stopping_restores_the_best_epoch() -> None:
    """As BlazingText: first looked at after min_epochs, then patience epochs without a rise."""
    seen: list[str] = []
    values = iter([0.6, 0.8, 0.7, 0.8])
    events: list[Event] = []

    def accuracy(model: Classifier) -> tuple[float, int]:
        seen.append(digest(model))
        return next(values), 9

    model = train_on(
        texts(),
        [events.append],
        accuracy=accuracy,
        early_stopping=True,
        epochs=20,
        min_epochs=3,
        patience=2,
    )
    assert len(set(seen)) == 4
    assert digest(model) == seen[1]
    assert [e.epoch for e in events if isinstance(e, Validated)] == [3, 4, 5, 6]
    finished = events[-2]
    assert isinstance(finished, TrainingFinished)
    assert (finished.words, finished.interrupted) == (6 * 600 * 8, False)


def test_early_stopping_without_a_reason_to_stop() -> None:
    values = itertools.count(1)
    model = train_on(
        texts(60),
        accuracy=lambda model: (next(values) / 100, 9),
        early_stopping=True,
        epochs=5,
        min_epochs=1,
        patience=1,
    )
    assert [epoch for epoch, _ in model.metadata["validation_accuracy"]] == [1, 2, 3, 4, 5]


def test_the_last_epoch_is_the_best_that_is_kept() -> None:
    plain = train_on(texts(), epochs=4)
    watched = train_on(texts(), epochs=4, accuracy=lambda model: (0.5, 9))
    assert digest(plain) == digest(watched)


def test_divergence_is_told() -> None:
    with pytest.raises(DivergenceError, match=r"Lower learning_rate \(now 99\)$"):
        train_on([f"{line} " + "a " * 50 for line in texts(3000)], learning_rate=99, epochs=50)


@pytest.mark.parametrize("keep", [False, True])
def test_interruption(keep: bool) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.epoch >= 2:
            raise KeyboardInterrupt

    if keep:
        model = train_on(texts(), [stop], keep_partial=True, epochs=50)
        assert model.metadata["interrupted"]
        return
    with pytest.raises(TrainingInterrupted, match="nothing was kept"):
        train_on(texts(), [stop], epochs=50)


def test_early_stopping_with_threads_is_no_interruption() -> None:
    stopping: dict[str, Any] = {"early_stopping": True, "min_epochs": 1, "patience": 1}
    model = train_on(texts(), accuracy=lambda model: (0.5, 9), threads=2, **stopping)
    assert not model.metadata["interrupted"]
    assert len(model.metadata["validation_accuracy"]) == 2


def test_another_machine_goes_on_with_a_checkpoint() -> None:
    """Threads, kernels and devices are a machine's: they leave a training what it was."""
    config = TextClassifierConfig(min_count=1, vector_dim=4, epochs=50, threads=1, device="cpu")
    kept: list[ClassifierCheckpoint] = []

    def stop(snapshot: Callable[[], ClassifierCheckpoint]) -> None:
        kept.append(snapshot())
        raise KeyboardInterrupt

    lines = [f"__label__{i % 3} w{i % 7} w{i % 3}" for i in range(300)]
    train_classifier(Corpus(iter(lines)), config, keep_partial=True, between_spans=stop)
    other = dataclasses.replace(config, device="auto", threads=2, instruction_set="scalar")
    resumption = resumed_classifier(kept[0], other)
    whole = train_classifier(Corpus(iter(lines)), other, resumption=resumption)
    assert not whole.metadata["interrupted"]
    with pytest.raises(ConfigError, match="as before the interruption"):
        resumed_classifier(kept[0], dataclasses.replace(config, seed=1))
