from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.errors import CorpusError, DivergenceError, TrainingInterrupted
from brasa.parameters import Embeddings
from brasa.training import (
    CorpusRead,
    DeviceChosen,
    Event,
    Listener,
    Progress,
    ReadProgress,
    TrainingFinished,
    train,
)
from brasa.word_vectors import WordVectors

MODES = ["skipgram", "cbow", "batch_skipgram"]


def two_groups(n_lines: int = 2000) -> list[list[str]]:
    """Lines of six words, all even ones or all odd ones of word0 to word19."""
    random = np.random.default_rng(0)
    return [
        [f"word{i + line % 2}" for i in random.integers(0, 10, 6) * 2] for line in range(n_lines)
    ]


def train_on(
    lines: Iterable[list[str]],
    listeners: Iterable[Listener] = (),
    keep_partial: bool = False,
    **hyperparameters: Any,
) -> Embeddings:
    defaults: dict[str, Any] = {
        "vector_dim": 16,
        "min_count": 1,
        "threads": 1,
        "sampling_threshold": 0.5,
        "buckets": 1000,
    }
    config = WordVectorsConfig(**{**defaults, **hyperparameters})
    return train(Corpus(lines), config, listeners=listeners, keep_partial=keep_partial)


def losses_in(events: list[Event]) -> list[float]:
    progress = [event for event in events if isinstance(event, Progress)]
    return [event.loss for event in progress if event.loss is not None]


def digest(model: Embeddings) -> str:
    return hashlib.sha256(model.input.tobytes() + model.output.tobytes()).hexdigest()


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("mode", MODES)
def test_the_same_seed_gives_the_same_bytes(mode: str, loss: str, subwords: bool) -> None:
    runs = [
        digest(train_on(two_groups(300), mode=mode, loss=loss, subwords=subwords, seed=seed))
        for seed in (7, 7, 8)
    ]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    script = (
        "import hashlib; from brasa.config import WordVectorsConfig; from brasa.corpus import "
        "Corpus; from brasa.training import train\n"
        "for mode in ('skipgram', 'cbow', 'batch_skipgram'):\n"
        "    config = WordVectorsConfig(mode=mode, min_count=1, threads=1, vector_dim=16, seed=7,"
        "        subwords=True, buckets=1000, sampling_threshold=0.5)\n"
        "    model = train(Corpus([f'w{i % 7} w{i % 3}' for i in range(500)]), config)\n"
        "    whole = model.input.tobytes() + model.output.tobytes()\n"
        "    print(hashlib.sha256(whole).hexdigest())\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    lines = [[f"w{i % 7}", f"w{i % 3}"] for i in range(500)]
    assert found.stdout.split() == [
        digest(train_on(lines, mode=mode, seed=7, subwords=True)) for mode in MODES
    ]


def test_events() -> None:
    """Reading, then the corpus, then training up to its end; dropped words are counted."""
    lines = [[*line, f"rare{i}"] for i, line in enumerate(two_groups())]
    events: list[Event] = []
    model = train_on(lines, [events.append], epochs=30, min_count=2)
    kinds = [kind for kind, _ in itertools.groupby(events, type)]
    assert kinds == [ReadProgress, CorpusRead, DeviceChosen, Progress, TrainingFinished]
    n_tokens = 8 * len(lines)  # six words, a dropped one, and the line's end
    read = next(event for event in events if isinstance(event, CorpusRead))
    assert (read.n_words, read.n_tokens) == (21, n_tokens)
    assert read.sources == ("<iterable>",)
    reading = [event for event in events if isinstance(event, ReadProgress)]
    assert (reading[-1].n_tokens, reading[-1].n_bytes) == (n_tokens, read.n_bytes)

    progress = [event for event in events if isinstance(event, Progress)]
    assert len(progress) > 2
    for before, after in itertools.pairwise(progress):
        assert before.words < after.words
        assert before.epoch < after.epoch
        assert before.learning_rate > after.learning_rate
    for event in progress:
        assert event.total_words == 30 * n_tokens
        assert event.words == pytest.approx(event.total_words * event.epoch / 30, abs=1)
        assert event.learning_rate == pytest.approx(0.05 * (1 - event.epoch / 30))
        assert event.words_per_second > 0
        assert event.seconds_left >= 0
    last = progress[-1]
    assert (last.words, last.epoch, last.seconds_left) == (30 * n_tokens, 30, 0)
    assert last.learning_rate == 0

    finished = events[-1]
    assert isinstance(finished, TrainingFinished)
    assert (finished.words, finished.interrupted) == (30 * n_tokens, False)
    assert finished.words_per_second == pytest.approx(finished.words / finished.seconds)
    assert model.metadata["words_per_second"] == finished.words_per_second
    assert model.metadata["interrupted"] is False


@pytest.mark.parametrize("shared_negatives", [None, 0])
@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("mode", MODES)
def test_loss_falls(mode: str, loss: str, shared_negatives: int | None) -> None:
    """From that of vectors that know nothing: 6 ln 2 = 4.2 with ns, 4.4 ln 2 = 3.0 with hs."""
    events: list[Event] = []
    model = train_on(
        two_groups(),
        [events.append],
        mode=mode,
        loss=loss,
        shared_negatives=shared_negatives,
        epochs=20,
    )
    losses = losses_in(events)
    history = model.metadata["loss_history"]
    finished = events[-1]
    assert isinstance(finished, TrainingFinished)
    assert finished.loss is not None
    assert finished.loss == pytest.approx(losses[-1], rel=0.1)
    assert history[-1][0] == 1
    assert [point for point, _ in history] == sorted({point for point, _ in history})
    assert losses[0] < (4.2 if loss == "ns" else 3.0)
    assert losses[-1] < losses[0] - 0.05
    # Of hs, what is left to guess is one of ten words and the line's end: ln 11 = 2.4.
    assert 2.0 < finished.loss < 2.5


@pytest.mark.parametrize("event_type", [ReadProgress, CorpusRead, Progress, TrainingFinished])
def test_what_a_listener_raises_ends_training(event_type: type) -> None:
    seen: list[Event] = []

    def listener(event: Event) -> None:
        seen.append(event)
        if isinstance(event, event_type):
            raise ZeroDivisionError("of the listener's own")

    with pytest.raises(ZeroDivisionError, match="of the listener's own"):
        train_on(two_groups(100), [listener])
    assert isinstance(seen[-1], event_type)


def interrupt_at_a_third(event: Event) -> None:
    if isinstance(event, Progress) and 3 * event.words >= event.total_words:
        raise KeyboardInterrupt


def test_an_interrupted_training_leaves_nothing_unless_asked() -> None:
    with pytest.raises(TrainingInterrupted, match=r"interrupted at \d+%; nothing was kept"):
        train_on(two_groups(), [interrupt_at_a_third], epochs=100)


def test_an_interrupted_training_can_be_kept() -> None:
    events: list[Event] = []
    listeners = [events.append, interrupt_at_a_third]
    model = train_on(two_groups(), listeners, keep_partial=True, epochs=100)
    finished = events[-1]
    assert isinstance(finished, TrainingFinished)
    assert finished.interrupted
    assert finished.loss is not None
    assert finished.loss < 3.5  # 4.2 at the start
    assert model.metadata["interrupted"] is True
    done = finished.words / (7 * 2000 * 100)
    assert 1 / 3 <= done < 1
    assert model.metadata["loss_history"][-1][0] == pytest.approx(done, abs=0.34)
    assert_groups_are_told_apart(model)


@pytest.mark.parametrize("shared_negatives", [None, 0])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n_lines", [20, 1000])
def test_divergence_is_told_with_what_to_change(
    mode: str, shared_negatives: int | None, n_lines: int
) -> None:
    """Of the short text, the loss is looked at once, before anything has moved."""
    with pytest.raises(DivergenceError) as caught:
        train_on(
            [["a", "b", "c"]] * n_lines,
            mode=mode,
            shared_negatives=shared_negatives,
            learning_rate=99,
            epochs=1,
        )
    assert "Lower learning_rate (now 99), or raise shared_negatives or min_count" in str(
        caught.value
    )


def test_finite_numbers_that_mean_nothing_are_divergence() -> None:
    """At this rate, cbow's losses go up to 1e12 and come back: nothing is ever infinite."""
    with pytest.raises(DivergenceError, match=r"a loss of \d\.\de\+\d+ means nothing"):
        train_on(two_groups(), mode="cbow", shared_negatives=0, learning_rate=0.6)


def test_many_negatives_are_not_divergence() -> None:
    """1000 negatives a pair lose 694 before anything is learned."""
    events: list[Event] = []
    lines = [[f"w{i % 50}", f"w{i % 7}"] for i in range(200)]
    train_on(lines, [events.append], negative_samples=1000, learning_rate=0.0001, epochs=1)
    assert losses_in(events)[0] == pytest.approx(1001 * np.log(2), rel=0.01)


@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("mode", MODES)
def test_more_threads_than_blocks(mode: str, loss: str) -> None:
    """A text of one block: there is nobody to race with, so the bytes are those of one thread."""
    lines = two_groups(100)
    many = train_on(lines, mode=mode, loss=loss, threads=64, epochs=1)
    assert digest(many) == digest(train_on(lines, mode=mode, loss=loss, epochs=1))
    assert many.metadata["threads"] == 64


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("mode", MODES)
def test_texts_of_two_words(mode: str, loss: str, subwords: bool) -> None:
    for lines in ([["a", "b"]], [["a"], ["b"]]):
        model = train_on(lines, mode=mode, loss=loss, subwords=subwords)
        assert len(model.vocabulary) == 3  # with the line's end
        assert np.isfinite(model.input).all()
        assert np.isfinite(model.output).all()


def test_texts_that_are_too_short() -> None:
    texts: list[list[list[str]]] = [[], [[]], [["a", "b"]]]
    for lines in texts:
        with pytest.raises(CorpusError):
            train_on(lines, min_count=2)


def test_generators() -> None:
    def lines() -> Iterator[list[str]]:
        yield from two_groups(200)

    assert digest(train_on(lines())) == digest(train_on(two_groups(200)))


def test_what_a_generator_raises_ends_training() -> None:
    def lines() -> Iterator[list[str]]:
        yield from two_groups(10)
        raise ZeroDivisionError("of the generator's own")

    with pytest.raises(ZeroDivisionError, match="of the generator's own"):
        train_on(lines())


@pytest.mark.parametrize("dim", [1, 2048])
def test_the_shortest_and_the_longest_vectors(dim: int) -> None:
    model = train_on(two_groups(50), vector_dim=dim)
    assert model.input.shape == (21, dim)
    assert np.isfinite(model.input).all()


def assert_groups_are_told_apart(model: Embeddings) -> None:
    """The nine nearest of every word are the nine others of its group."""
    vectors = WordVectors(model)
    for number in range(20):
        nearest = [word for word, _ in vectors.neighbors(f"word{number}", k=10) if word != "</s>"]
        assert {int(word[4:]) % 2 for word in nearest[:9]} == {number % 2}, nearest


@pytest.mark.parametrize("shared_negatives", [None, 0])
@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("mode", MODES)
def test_words_that_go_together_are_near(
    mode: str, loss: str, subwords: bool, shared_negatives: int | None
) -> None:
    model = train_on(
        two_groups(),
        mode=mode,
        loss=loss,
        subwords=subwords,
        shared_negatives=shared_negatives,
        epochs=10,
    )
    assert_groups_are_told_apart(model)
