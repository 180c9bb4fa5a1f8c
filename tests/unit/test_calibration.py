from __future__ import annotations

import dataclasses
import pickle
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import brasa
from brasa import TextClassifier
from brasa.calibration import KEY, best_temperature, fit_platt, log_odds_of
from brasa.errors import CorpusError, ModelFormatError
from brasa.metrics import expected_calibration_error
from brasa.parameters import QuantizedMatrix
from brasa.quantization import quantize_classifier

if TYPE_CHECKING:
    from pathlib import Path

LOSSES = ["softmax", "hs", "ova", "ns"]


def made(n: int, seed: int) -> list[str]:
    """One word in four tells a label at random: no model can be sure."""
    draw = random.Random(seed)
    lines = []
    for _ in range(n):
        label = draw.choice("aaabbc")
        words = [f"is{label if draw.random() < 0.75 else draw.choice('abc')}"]
        words += [f"w{draw.randrange(2000)}" for _ in range(3)]
        lines.append(f"__label__{label} {' '.join(words)}")
    return lines


VALIDATION, TEST = made(1500, 2), made(1500, 3)


def train(loss: str, **changes: Any) -> TextClassifier:
    """Far too long, so that it is far too sure."""
    options = {"vector_dim": 8, "epochs": 40, "learning_rate": 0.5, "min_count": 1, "threads": 1}
    return TextClassifier.train(
        iter(made(600, 1)), loss=loss, **{**options, "buckets": 2000, **changes}
    )


def error_of_best(classifier: TextClassifier) -> float:
    is_true, probabilities = classifier.truth_and_probabilities(iter(TEST))
    best = probabilities.argmax(axis=1)
    rows = np.arange(len(best))
    return expected_calibration_error(is_true[rows, best], probabilities[rows, best])


@pytest.mark.parametrize("loss", LOSSES)
def test_probabilities_become_true(loss: str) -> None:
    """On texts that neither the training nor the calibration has seen."""
    classifier = train(loss)
    texts = [line.split(" ", 1)[1] for line in TEST]
    before = classifier.predict(texts, k=3)
    calibrated = classifier.calibrated(iter(VALIDATION))
    assert error_of_best(classifier) > 0.1
    assert error_of_best(calibrated) < 0.05
    found = calibrated.metadata[KEY]
    assert found["method"] == ("temperature" if loss in ("softmax", "hs") else "platt")
    first, second = found.get("negative_log_likelihood") or found["brier_score"]
    assert second < first
    assert KEY not in classifier.metadata
    assert classifier.predict(texts, k=3) == before
    if loss in ("softmax", "hs"):
        np.testing.assert_allclose(calibrated.probabilities(texts).sum(axis=1), 1, atol=1e-5)
    if loss == "softmax":
        best = [answer[0][0] for answer in before]
        assert [answer[0][0] for answer in calibrated.predict(texts)] == best
        logs, expected = (np.log(c.probabilities(texts)) for c in (classifier, calibrated))
        scaled = logs / found["temperature"]
        scaled -= np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        np.testing.assert_allclose(scaled, expected, atol=1e-3)


def test_scales_and_offsets_of_labels() -> None:
    """Each way to ask gives the same mapping of what the plain model says."""
    plain = train("ova")
    model = plain.calibrated(iter(VALIDATION))
    found = model.metadata[KEY]
    texts = [line.split(" ", 1)[1] for line in TEST[:50]]
    scores = np.array(found["scale"]) * log_odds_of(plain.probabilities(texts)) + found["offset"]
    expected = (1 / (1 + np.exp(-scores))).astype(np.float32)
    np.testing.assert_allclose(model.probabilities(texts), expected, rtol=1e-5)
    for k, threshold in ((1, 0.0), (2, 0.3), (9, 0.0), (3, 1.1)):
        many = model.predict(texts, k, threshold)
        assert many == [model.predict(text, k, threshold) for text in texts]
        for row, answer in zip(expected.tolist(), many, strict=True):
            best = sorted(zip(model.labels, row, strict=True), key=lambda pair: -pair[1])[:k]
            wanted = [(label, p) for label, p in best if p >= threshold]
            assert [label for label, _ in answer] == [label for label, _ in wanted]
            assert [p for _, p in answer] == pytest.approx([p for _, p in wanted], rel=1e-5)
    report, is_true = model.test(iter(TEST)), model.truth_and_probabilities(iter(TEST))[0]
    best = model.probabilities([line.split(" ", 1)[1] for line in TEST]).argmax(axis=1)
    assert report.accuracy == is_true[np.arange(len(best)), best].mean()
    assert (
        model.explain(texts[0], "a").probability
        == model.probabilities(texts[:1])[0, model.labels.index("__label__a")]
    )
    np.testing.assert_array_equal(model.sentence_vector("isa"), plain.sentence_vector("isa"))


@pytest.mark.parametrize("loss", LOSSES)
def test_files_keep_it(loss: str, tmp_path: Path) -> None:
    model = train(loss).calibrated(iter(VALIDATION))
    texts = [line.split(" ", 1)[1] for line in TEST[:20]]
    expected = model.predict(texts, k=3)
    model.save(tmp_path / "model")
    assert brasa.load(tmp_path / "model").predict(texts, k=3) == expected
    assert pickle.loads(pickle.dumps(model)).predict(texts, k=3) == expected
    if loss in ("softmax", "hs"):
        model.export(tmp_path / "model.bin")
        assert brasa.load(tmp_path / "model.bin").predict(texts, k=3) == expected


@pytest.mark.parametrize("qnorm", [False, True])
def test_quantized_classifiers(qnorm: bool) -> None:
    lines = [f"__label__{i % 300} word{i % 300}" for i in range(3000)]
    model = TextClassifier.train(
        iter(lines), vector_dim=6, min_count=1, threads=1, epochs=3, word_ngrams=1
    ).model
    small = TextClassifier(quantize_classifier(model, qnorm=qnorm, qout=True))
    fitted = small.calibrated(iter(lines[:300]))
    assert isinstance(fitted.model.output, QuantizedMatrix)
    temperature = fitted.metadata[KEY]["temperature"]
    assert isinstance(small.model.output, QuantizedMatrix)
    np.testing.assert_allclose(
        fitted.model.output.decode() * temperature, small.model.output.decode(), rtol=1e-4
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_calibrating_again_starts_from_what_is_there(loss: str) -> None:
    classifier = train(loss)
    once = classifier.calibrated(iter(VALIDATION))
    twice = once.calibrated(iter(VALIDATION))
    texts = [line.split(" ", 1)[1] for line in TEST[:50]]
    np.testing.assert_allclose(once.probabilities(texts), twice.probabilities(texts), atol=0.01)


def test_texts_of_no_use() -> None:
    for loss in ("softmax", "ova"):
        for lines in ([], ["no label"], ["__label__other isa"], [""]):
            with pytest.raises(CorpusError, match="no text has both"):
                train(loss, epochs=1).calibrated(iter(lines))


def test_labels_that_no_validation_text_has() -> None:
    model = train("ova").calibrated(iter(line for line in VALIDATION if "__label__c" not in line))
    row = model.labels.index("__label__c")
    assert (model.metadata[KEY]["scale"][row], model.metadata[KEY]["offset"][row]) == (1, 0)


@pytest.mark.parametrize("value", [None, [1.0], ["a", 1, 1], [1, 1, float("nan")], [1, 1, 1e300]])
def test_a_broken_calibration_is_refused(value: Any) -> None:
    model = train("ova", epochs=1).model
    metadata = {KEY: {"method": "platt", "scale": value, "offset": [0.0, 0.0, 0.0]}}
    with pytest.raises(ModelFormatError, match="no scale for each of 3 labels"):
        TextClassifier(dataclasses.replace(model, metadata=metadata))


def test_the_least_loss_is_found() -> None:
    for wanted in (0.06, 0.5, 1.0, 3.0, 19.0):
        found = best_temperature(lambda t, wanted=wanted: (1 / t - 1 / wanted) ** 2)  # type: ignore[misc]
        assert found == pytest.approx(wanted, rel=2e-3)


def test_platts_scaling() -> None:
    """Labels drawn with known probabilities give their scale and offset back."""
    rng = np.random.default_rng(4)
    odds = rng.uniform(-6, 6, 200_000)
    is_true = rng.random(200_000) < 1 / (1 + np.exp(-(0.4 * odds - 1)))
    assert fit_platt(odds, is_true) == pytest.approx((0.4, -1), abs=0.03)
    scale, offset = fit_platt(odds, rng.random(200_000) < 0.2)
    assert [abs(scale), offset] == pytest.approx([0, -1.386], abs=0.03)
    assert fit_platt(odds, odds < 0) == pytest.approx((0, 0), abs=0.02)
    assert fit_platt(odds[:5], np.ones(5, bool)) == (1.0, 0.0)
    assert fit_platt(np.zeros(4), np.array([True, False, False, False]))[1] < 0
    perfect = fit_platt(odds[:1000], odds[:1000] > 0)
    assert np.isfinite(perfect).all()
