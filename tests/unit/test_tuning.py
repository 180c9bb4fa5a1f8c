from __future__ import annotations

import dataclasses
import gzip
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brasa import TextClassifier
from brasa.errors import ConfigError, CorpusError, TrainingInterrupted
from brasa.labeled_tables import LabeledTable
from brasa.metrics import precision_recall_curve
from brasa.tuning import Metric, NoTrialError, Trial, TuningResult, size_in_bytes, tune

COOKING = Path(__file__).parents[3] / "shared/data/classification/cooking.pre.train.txt.gz"
WORDS = {"hot": "oven ember fire", "ice": "snow frost hail", "mild": "rain fog mist"}


def made(n: int, seed: int) -> list[str]:
    """Lines whose label most words tell, and a few words of any label."""
    draw = random.Random(seed)
    every = " ".join(WORDS.values()).split()
    lines = []
    for i in range(n):
        label = list(WORDS)[i % 3]
        words = draw.choices(WORDS[label].split(), k=2) + draw.choices(every, k=3)
        lines.append(f"__label__{label} {' '.join(words)} word{draw.randrange(300)}")
    return lines


TRAIN, VALIDATION = made(300, 1), made(90, 2)
FAST: dict[str, Any] = {"min_count": 1, "threads": 1, "vector_dim": 5, "buckets": 2000}


def run(**options: Any) -> TuningResult:
    options = {"trials": 4, "validation": iter(VALIDATION), **FAST, **options}
    return tune(options.pop("texts", iter(TRAIN)), **options)


def comparable(trials: list[Trial]) -> list[dict[str, Any]]:
    return [{**dataclasses.asdict(trial), "seconds": 0} for trial in trials]


def test_the_best_trial_is_the_result() -> None:
    told: list[Trial] = []
    found = run(trials=8, callback=told.append)
    assert found.trials == told
    assert [trial.number for trial in told] == list(range(8))
    assert found.stopped_by == "trials"
    scores = [trial.score for trial in told if trial.score is not None]
    assert found.best.score == max(scores)
    assert [trial.is_best for trial in told] == [
        trial.score is not None and trial.score > max(
            (s.score for s in told[:i] if s.score is not None), default=-1
        )
        for i, trial in enumerate(told)
    ]  # fmt: skip
    assert found.classifier.test(iter(VALIDATION)).f1 == found.best.score
    again = TextClassifier.train(iter(TRAIN), **FAST, **found.best.hyperparameters)
    assert again.predict("snow oven", k=3) == found.classifier.predict("snow oven", k=3)
    assert found.classifier.metadata["tuning"]["score"] == found.best.score
    assert set(found.best.hyperparameters) >= {"learning_rate", "epochs", "word_ngrams", "loss"}
    assert not set(found.best.hyperparameters) & FAST.keys()


def test_the_first_trial_has_the_defaults() -> None:
    first = run(trials=1).trials[0]
    assert first.hyperparameters == {
        "learning_rate": 0.05, "epochs": 5, "word_ngrams": 2, "subwords": False, "loss": "softmax",
    }  # fmt: skip


def test_the_seed_decides() -> None:
    first, second = run(trials=13, seed=5), run(trials=13, seed=5)
    assert comparable(first.trials) == comparable(second.trials)
    assert first.classifier.predict("snow", k=3) == second.classifier.predict("snow", k=3)
    assert comparable(run(trials=3, seed=6).trials) != comparable(first.trials[:3])


def test_what_is_fixed_is_not_searched() -> None:
    found = run(loss="ova", learning_rate=0.5, subwords=True, min_char=2, max_char=3, word_ngrams=1)
    assert all(set(trial.hyperparameters) == {"epochs"} for trial in found.trials)
    assert found.classifier.model.loss == "ova"
    assert (found.classifier.model.min_char, found.classifier.model.max_char) == (2, 3)


def test_all_losses_and_character_ngrams_are_tried() -> None:
    trials = run(trials=30, epochs=1).trials
    assert {trial.hyperparameters["loss"] for trial in trials} == {"softmax", "hs", "ns", "ova"}
    assert {trial.hyperparameters.get("max_char") for trial in trials} == {None, 4, 5, 6}


@pytest.mark.parametrize(
    "metric",
    ["accuracy", "macro_f1", "f1", "f1:ice", "f1:__label__ice", "precisionAtRecall:30",
     "precisionAtRecall:90:mild", "recallAtPrecision:80:hot", "recallAtPrecision:99.5"],
)  # fmt: skip
def test_metrics(metric: str) -> None:
    """Each against a count of its own, with another library's definitions."""
    found = run(metric=metric, learning_rate=0.3, epochs=8, trials=2, k=2, threshold=0.2)
    names = [line.split()[0] for line in VALIDATION]
    texts = [line.split(" ", 1)[1] for line in VALIDATION]
    labels = found.classifier.labels
    answers = found.classifier.predict(texts, k=3)
    probabilities = np.array([[dict(answer)[label] for label in labels] for answer in answers])
    truth = np.array([[name == label for label in labels] for name in names])
    kept = np.array([[d in dict(a[:2]) and dict(a)[d] >= 0.2 for d in labels] for a in answers])
    kind, *rest = metric.split(":")
    if kind == "accuracy":
        best = probabilities.argmax(axis=1)
        expected = np.mean(truth[np.arange(90), best] & (probabilities.max(axis=1) >= 0.2))
    elif kind.endswith("f1"):
        column = [labels.index("__label__ice")] if rest else [0, 1, 2]
        true, given = truth[:, column], kept[:, column]
        axis = 0 if kind == "macro_f1" else None
        both = 2 * (true & given).sum(axis=axis)
        expected = np.mean(both / (true.sum(axis=axis) + given.sum(axis=axis)))
    else:
        at = float(rest[0]) / 100
        column = [labels.index(f"__label__{rest[1]}")] if len(rest) > 1 else [0, 1, 2]
        scores, true = probabilities[:, column].ravel(), truth[:, column].ravel()
        points = [(true[scores >= s].mean(), true[scores >= s].sum() / true.sum()) for s in scores]
        if kind == "precisionAtRecall":
            expected = max((p for p, r in points if r >= at), default=0)
        else:
            expected = max((r for p, r in points if p >= at), default=0)
    assert found.best.score == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    ["", "f2", "f1:", "accuracy:x", "macro_f1:ice", "precisionAtRecall", "precisionAtRecall:",
     "precisionAtRecall:0", "precisionAtRecall:101", "precisionAtRecall:nan",
     "recallAtPrecision:x:ice", "recallAtPrecision:30:", "precisionAtPrecision:30", 7, None],
)  # fmt: skip
def test_metrics_that_there_are_not(text: Any) -> None:
    with pytest.raises(ConfigError, match="metric="):
        run(metric=text)


def test_labels_with_a_colon() -> None:
    assert Metric.parse("f1:a:b").label == "a:b"
    assert Metric.parse("precisionAtRecall:50:a:b") == Metric("precisionAtRecall", 0.5, "a:b")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trials": 0}, "trials=0"), ({"trials": 1.5}, "trials=1.5"), ({"trials": True}, "trials="),
        ({"seconds": 0}, "seconds=0"), ({"seconds": float("nan")}, "seconds=nan"),
        ({"validation": None}, "validation=None"), ({"max_bytes": 0}, "max_bytes=0"),
        ({"max_bytes": "2M"}, "max_bytes='2M'"), ({"metric": "f1:fog"}, "training texts have"),
        ({"early_stopping": True}, "early_stopping=True"), ({"mode": "cbow"}, "mode="),
        ({"window_size": 3}, "window_size=3"), ({"vector_dim": 0}, "vector_dim=0"),
        ({"seed": -1}, "seed=-1"), ({"k": 0}, "k=0"), ({"threshold": float("nan")}, "threshold="),
        ({"min_char": 5, "max_char": 3, "subwords": True}, "min_char=5"),
        ({"metric": "f1:hot", "validation": iter(VALIDATION[1:2])}, "validation texts have"),
        ({"metric": "f1:hot", "min_count_label": 5000}, "training texts have"),
    ],
)  # fmt: skip
def test_what_is_refused_before_any_trial(options: dict[str, Any], message: str) -> None:
    told: list[Trial] = []
    with pytest.raises(ConfigError, match=message):
        run(callback=told.append, **options)
    assert not told


@pytest.mark.parametrize(
    "validation", [iter([]), iter(["__label__other snow"]), iter(["no label"]), iter([""])]
)
@pytest.mark.parametrize("metric", ["f1", "precisionAtRecall:30"])
def test_validation_texts_of_no_use(validation: Any, metric: str) -> None:
    with pytest.raises(CorpusError, match="no validation text has both"):
        run(validation=validation, metric=metric)


def test_a_budget_of_time_stops_the_running_trial() -> None:
    told: list[Trial] = []
    long = {"epochs": 1_000_000, "learning_rate": 0.05}
    with pytest.raises(NoTrialError, match=r"none of 1 trials .* the budget of 0.5 s ended"):
        run(trials=None, seconds=0.5, callback=told.append, **long)
    assert [trial.state for trial in told] == ["stopped"]
    assert 0.3 < told[0].seconds < 5
    found = run(trials=None, seconds=1.5)
    assert found.stopped_by == "time"
    assert found.best.score is not None
    assert run(trials=2, seconds=100).stopped_by == "trials"


def test_ctrl_c_keeps_the_best_so_far() -> None:
    def interrupt(trial: Trial) -> None:
        if trial.number == 2:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()

    found = run(trials=100_000, callback=interrupt)
    assert found.stopped_by == "interrupt"
    assert 3 <= len(found.trials) < 100_000
    assert found.classifier.test(iter(VALIDATION)).f1 == found.best.score
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(TrainingInterrupted, match="before a trial was done"):
        run(epochs=1_000_000, learning_rate=0.05)


def test_trials_that_diverge_count_as_failed() -> None:
    found = run(trials=3, texts=iter(TRAIN), learning_rate=0.3)
    assert found.trials[0].state == "done"
    with pytest.raises(NoTrialError, match=r"none of 3 trials was done .* diverged"):
        run(trials=3, learning_rate=99.0, epochs=200)


def test_a_size_limit(tmp_path: Path) -> None:
    sizes = {"trials": 6, "max_bytes": 30_000, "vector_dim": 12}
    found = run(**sizes)
    assert found.classifier.quantized
    done = [trial for trial in found.trials if trial.state == "done"]
    assert all(trial.n_bytes is not None and trial.n_bytes <= 30_000 for trial in done)
    assert {trial.hyperparameters["dsub"] for trial in found.trials} > {2}
    found.classifier.export(tmp_path / "best.ftz")
    assert (tmp_path / "best.ftz").stat().st_size == found.best.n_bytes
    assert TextClassifier.load(tmp_path / "best.ftz").test(iter(VALIDATION)).f1 == found.best.score
    told: list[Trial] = []
    with pytest.raises(NoTrialError, match=r"none of 2 trials .* max_bytes=500"):
        run(trials=2, max_bytes=500, callback=told.append)
    assert [trial.state for trial in told] == ["infeasible"] * 2
    few = iter(["__label__a snow", "__label__b fire"] * 9)
    with pytest.raises(NoTrialError, match=r"none of 2 trials .* 256 or more to be quantized"):
        run(texts=few, validation=iter(["__label__a snow"]), max_bytes=10**6, trials=2)


def test_the_best_is_trained_on_all_texts_if_asked() -> None:
    found = run(train_on_validation=True, trials=2)
    assert found.classifier.metadata["n_texts"] == 390
    assert run(trials=2).classifier.metadata["n_texts"] == 300
    values = found.best.hyperparameters
    both = TextClassifier.train(iter(TRAIN + VALIDATION), **FAST, **values)
    assert both.predict("snow", k=3) == found.classifier.predict("snow", k=3)


def test_sources_of_any_kind(tmp_path: Path) -> None:
    """Each is read once: an iterator is enough."""
    expected = comparable(run(trials=2).trials)
    (tmp_path / "train.txt").write_text("\n".join(TRAIN) + "\n")
    (tmp_path / "valid.txt").write_text("\n".join(VALIDATION) + "\n")
    files = run(trials=2, texts=tmp_path / "train.txt", validation=tmp_path / "valid.txt")
    assert comparable(files.trials) == expected
    texts, labels = ([line.split(" ", 1)[i] for line in TRAIN] for i in (1, 0))
    held = ([line.split(" ", 1)[i] for line in VALIDATION] for i in (1, 0))
    lists = run(trials=2, texts=texts, labels=labels, validation=tuple(held))
    assert comparable(lists.trials) == expected
    frame = {"text": texts, "label": labels, "w": [1.0] * 300}
    table = LabeledTable(frame, "text", "label", weight="w")
    weighted = run(trials=2, texts=table, train_on_validation=True)
    assert comparable(weighted.trials) == expected
    assert weighted.classifier.metadata["n_texts"] == 390


def test_without_optuna() -> None:
    code = (
        "import sys; sys.modules['optuna'] = None\n"
        "from brasa.tuning import tune; tune(['a'], validation=['b'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingExtraError: tuning needs optuna: pip install 'brasa[tune]'" in done.stderr


def test_truth_and_probabilities() -> None:
    classifier = run(trials=1).classifier
    lines = [*VALIDATION[:5], "no label", "__label__other snow", "__label__hot __label__ice fog"]
    truth, probabilities = classifier.truth_and_probabilities(iter(lines))
    texts = [" ".join(w for w in line.split() if w[:2] != "__") for line in [*lines[:5], lines[7]]]
    np.testing.assert_array_equal(probabilities, classifier.probabilities(texts))
    names = [{classifier.labels[i] for i in np.flatnonzero(row)} for row in truth]
    assert names == [{w for w in line.split() if w[:2] == "__"} for line in [*lines[:5], lines[7]]]
    assert precision_recall_curve(truth.ravel(), probabilities.ravel()).recall[-1] == 1


@pytest.mark.skipif(not COOKING.exists(), reason="needs ../shared/data/classification")
def test_questions_about_cooking() -> None:
    """A few seconds of search find what the tutorial of fastText finds by hand, about."""
    with gzip.open(COOKING, "rt", encoding="utf-8") as file:
        lines = file.read().splitlines()[:4000]
    found = tune(
        iter(lines[:3000]), validation=iter(lines[3000:]), trials=5, vector_dim=20, min_count=1,
        word_ngrams=1, loss="softmax", subwords=False, buckets=1, seed=3,
    )  # fmt: skip
    first, best = found.trials[0].score, found.best.score
    assert first is not None
    assert best is not None
    assert best > first + 0.05


def test_sizes_as_people_write_them() -> None:
    sizes = {"900000": 900_000, "900K": 900_000, "1.5m": 1_500_000, "2GB": 2 * 10**9, "7b": 7}
    assert {text: size_in_bytes("max_size", text) for text in sizes} == sizes
    for text in ("", "0M", "-2M", "0.5", "1 ton", "2T", "1e3", "nan", "inf", "9" * 400):
        with pytest.raises(ConfigError, match="max_size"):
            size_in_bytes("max_size", text)
