"""The text on the device, whole or in parts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.parameters import Parameters
from brasa.plan import TrainingPlan, make_plan

if TYPE_CHECKING:
    from conftest import Gpu


def plan_for(n_lines: int, **changes: Any) -> TrainingPlan:
    random = np.random.default_rng(0)
    lines = [[f"w{k}" for k in random.integers(0, 9, 7)] for _ in range(n_lines)]
    config = WordVectorsConfig(
        min_count=1, epochs=2, vector_dim=4, window_size=1, sampling_threshold=0.3
    )
    vocabulary, encoded = encode(Corpus(lines), config)
    plan = make_plan(vocabulary, encoded, config)
    return dataclasses.replace(plan, **changes)


@pytest.mark.parametrize("n_streams", [1, 3])
def test_both_give_the_same_blocks(gpu: Gpu, n_streams: int) -> None:
    from brasa.backends.gpu import device, texts

    plan = plan_for(40, block_tokens=32, n_streams=n_streams)
    there = device.open_device()
    assert isinstance(texts.texts_on(there, plan, plan.tokens.nbytes, 4), texts.ResidentText)
    whole = texts.ResidentText(there, plan)
    window = texts.texts_on(there, plan, plan.tokens.nbytes - 1, 4)
    assert isinstance(window, texts.StreamedText)
    for first in range(0, plan.total_blocks, 4):
        last = min(plan.total_blocks, first + 4)
        read = []
        for kind in (whole, window):
            tokens, begins, lengths = (part.cpu().numpy() for part in kind.load(first, last))
            read.append([tokens[b : b + n].tolist() for b, n in zip(begins, lengths, strict=True)])
            kind.release()
        assert read[0] == read[1]
        block = plan.block_of(first)
        assert read[0][0] == plan.tokens[block * 32 : block * 32 + 32].tolist()


def test_a_text_that_does_not_fit_is_trained_in_parts(
    gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the same result."""
    from brasa.backends.gpu import runner, texts, word_vectors

    plan = plan_for(16, block_tokens=16)
    monkeypatch.setattr(runner, "MAX_BLOCKS_OF_A_LAUNCH", 2)
    monkeypatch.setattr(word_vectors, "MAX_BLOCKS_OF_A_LAUNCH", 2)
    results = []
    for kind in (texts.ResidentText, texts.StreamedText):
        monkeypatch.setattr(
            word_vectors,
            "texts_on",
            lambda device, plan, room, n, kind=kind: kind(
                device, plan, *([n] if kind is texts.StreamedText else [])
            ),
        )
        parameters = Parameters.initial(plan.n_input_rows, plan.n_words, plan.config, 1)
        backend = gpu.one_program(plan, parameters, 1)
        backend.train(0, 5)
        backend.write_back()
        results.append(parameters)
    np.testing.assert_array_equal(results[0].input, results[1].input)
    np.testing.assert_array_equal(results[0].output, results[1].output)
    assert np.abs(results[0].output).max() > 0
