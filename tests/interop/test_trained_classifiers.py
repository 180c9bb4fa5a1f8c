"""Classifiers that brasa trains and exports: real fastText 0.9.2 loads them, predicts the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import TextClassifier
from brasa.text_classifier import FASTTEXT_EPSILON

if TYPE_CHECKING:
    from pathlib import Path

    from interop.conftest import AssertSameAnswers, LabeledLines, RunPeer

PREDICT_AND_TEST = """
import json, sys, numpy as np, fasttext
lines = open(sys.argv[3], encoding="utf-8", newline="\\n").read().split("\\n")[:-1]
model = fasttext.load_model(sys.argv[2])
answers = [[(l, p) for p, l in model.f.predict(line + "\\n", 3, 0.0, "strict")] for line in lines]
tests = [model.test(sys.argv[3], k=k, threshold=t) for k, t in ((1, 0.0), (2, 0.3), (50, 0.0))]
np.savez(sys.argv[1], json=json.dumps([answers, tests]))
"""

SETTINGS: dict[str, dict[str, Any]] = {
    "softmax": {"word_ngrams": 1},
    "word n-grams": {"word_ngrams": 3},
    "character n-grams": {"subwords": True, "min_char": 2, "max_char": 4, "word_ngrams": 2},
    "rare words dropped": {"min_count": 40, "word_ngrams": 2},
    "hs": {"loss": "hs", "word_ngrams": 2},
    "ns": {"loss": "ns"},
    "ova": {"loss": "ova", "subwords": True},
}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory, labeled_lines: LabeledLines) -> Path:
    lines = labeled_lines(1500, 23, 7)
    path = tmp_path_factory.mktemp("trained") / "text"
    path.write_text("\n".join([*lines, "own3 word7", "__label__unseen word3", "__label__3"]) + "\n")
    return path


@pytest.mark.parametrize("name", SETTINGS)
def test_fasttext_predicts_and_tests_the_same(
    run_peer: RunPeer, text: Path, assert_same_answers: AssertSameAnswers, name: str
) -> None:
    options = {"min_count": 1, "vector_dim": 10, "buckets": 3000, "learning_rate": 0.5}
    classifier = TextClassifier.train(text, **{**options, **SETTINGS[name]})
    file = text.parent / f"{name}.bin"
    classifier.export(file)
    answers, tests = json.loads(str(run_peer(PREDICT_AND_TEST, file, text)["json"]))
    lines = text.read_text().splitlines()
    assert_same_answers(classifier._many(lines, 3, 0.0, FASTTEXT_EPSILON), answers)
    for (k, threshold), (n, precision, recall) in zip(
        ((1, 0.0), (2, 0.3), (50, 0.0)), tests, strict=True
    ):
        report = classifier.test(text, k, threshold)
        assert report.n == n
        # A probability at the threshold, to 1e-5, may fall on either side.
        assert report.precision == pytest.approx(np.nan_to_num(precision), abs=1e-3)
        assert report.recall == pytest.approx(recall, abs=1e-3)
