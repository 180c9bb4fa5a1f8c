"""Trainings that were interrupted, and finish later."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa.errors import ConfigError
from brasa.training import Event, Progress, TrainingFinished
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from unit.warm_start.conftest import Digest, Groups, Train


def interrupt_at_a_third(event: Event) -> None:
    if isinstance(event, Progress) and 3 * event.words >= event.total_words:
        raise KeyboardInterrupt


@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_a_resumed_training_gives_the_bytes_of_one_that_was_not_interrupted(
    mode: str, loss: str, tmp_path: Path, train: Train, groups: Groups, digest: Digest
) -> None:
    settings: dict[str, Any] = {"epochs": 60, "subwords": True, "mode": mode, "loss": loss}
    text = groups(500, "red", "blue")
    whole = train(text, **settings)
    part = train(text, **settings, callback=interrupt_at_a_third, keep_partial=True)
    assert part.metadata["interrupted"]
    assert part.metadata["blocks_done"] < part.metadata["total_blocks"]
    assert digest(part) != digest(whole)
    part.save(tmp_path / "part")
    events: list[Event] = []
    model = WordVectors.load(tmp_path / "part").continue_training(
        text, resume=True, threads=1, callback=events.append
    )
    assert digest(model) == digest(whole)
    assert model.metadata["interrupted"] is False
    assert model.metadata["started_from"]["how"] == "resumed"
    done = part.metadata["blocks_done"] / part.metadata["total_blocks"]
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[0].words > done * progress[0].total_words
    assert progress[0].learning_rate < 0.05 * (1 - done)
    assert progress[-1].seconds_left == 0
    assert model.metadata["loss_history"][0][0] > done
    finished = events[-1]
    assert isinstance(finished, TrainingFinished)
    share = (1 - done) * finished.words
    assert finished.words_per_second == pytest.approx(share / finished.seconds)


@pytest.mark.parametrize("how", ["continued", "pretrained", "kept words"])
@pytest.mark.parametrize("loss", ["ns", "hs"])
def test_a_training_that_itself_started_from_a_model(
    how: str, loss: str, train: Train, groups: Groups, digest: Digest
) -> None:
    before = train(groups(500, "red", "blue"), subwords=True, loss=loss)
    text = groups(500, "green", "blue", seed=1)

    def start(**more: Any) -> WordVectors:
        if how == "continued":
            return before.continue_training(text, epochs=60, threads=1, **more)
        keep = {"keep_pretrained_words": how == "kept words"}
        return train(text, pretrained=before, epochs=60, loss=loss, **keep, **more)

    whole, part = start(), start(callback=interrupt_at_a_third, keep_partial=True)
    model = part.continue_training(text, resume=True, threads=1)
    assert model.words == whole.words
    np.testing.assert_array_equal(model.vocabulary.counts, whole.vocabulary.counts)
    assert digest(model) == digest(whole)
    assert [run["started_from"]["how"] for run in model.metadata["previous_runs"][1:]] == [
        "continued" if how == "continued" else "pretrained"
    ]


def test_what_cannot_be_resumed(old: WordVectors, train: Train, groups: Groups) -> None:
    text = groups(500, "red", "blue")
    with pytest.raises(ConfigError, match="not of a training that was interrupted and kept"):
        old.continue_training(text, resume=True)
    part = train(text, epochs=60, callback=interrupt_at_a_third, keep_partial=True)
    for changes in ({"epochs": 61}, {"learning_rate": 0.1}, {"seed": 3}, {"mode": "cbow"}):
        with pytest.raises(ConfigError, match="as before the interruption"):
            part.continue_training(text, resume=True, **changes)
    for other in (text[:-1], [*text[:-1], text[-1][:-1]], [*text[:-1], ["new"] * 6], text[::-1]):
        with pytest.raises(ConfigError, match="Give the same text, or continue without resume"):
            part.continue_training(other, resume=True)
    for lie in ({"total_blocks": 3}, {"blocks_done": -1}, {"blocks_done": 10**9},
                {"blocks_done": True}, {"interrupted": "yes"}, {"blocks_done": None}):  # fmt: skip
        metadata = {**part.metadata, **lie}
        lying = WordVectors(dataclasses.replace(part.embeddings, metadata=metadata))
        with pytest.raises(ConfigError, match="resume"):
            lying.continue_training(text, resume=True)
