"""Classifiers that real fastText 0.9.2 trains, quantizes and saves: brasa predicts the same."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import TextClassifier, formats
from brasa.formats import fasttext
from brasa.text_classifier import FASTTEXT_EPSILON

if TYPE_CHECKING:
    from pathlib import Path

    from interop.conftest import AssertSameAnswers, RunPeer

TRAIN_AND_PREDICT = """
import json, sys, numpy as np, fasttext
folder, settings = sys.argv[2], json.loads(sys.argv[3])
lines = open(folder + "/lines", encoding="utf-8", newline="\\n").read().split("\\n")
found = {}
for name, (training, quantizing) in settings.items():
    training = {"dim": 10, "epoch": 3, "lr": 0.5, "thread": 1, **training}
    model = fasttext.train_supervised(folder + "/train", verbose=0, **training)
    if quantizing is not None:
        model.quantize(input=folder + "/train", verbose=0, **quantizing)
    model.save_model(folder + "/" + name)
    for k, threshold in ((1, 0.0), (3, 0.0), (-1, 0.05)):
        answers = [model.f.predict(line + "\\n", k, threshold, "strict") for line in lines]
        found[f"{name} {k}"] = [[(l, p) for p, l in answer] for answer in answers]
    words = [word for line in lines for word in line.split(" ")]
    found[name + " words"] = [model.get_word_vector(word).tolist() for word in words]
    found[name + " sentences"] = [model.get_sentence_vector(line).tolist() for line in lines]
np.savez(sys.argv[1], json=json.dumps(found))
"""

SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "softmax.bin": ({"loss": "softmax"}, None),
    "word-ngrams.bin": ({"loss": "softmax", "wordNgrams": 3, "bucket": 2000}, None),
    "all-ngrams.bin": (
        {"loss": "softmax", "wordNgrams": 2, "minn": 1, "maxn": 4, "bucket": 3001, "dim": 7}, None,
    ),
    "hs.bin": ({"loss": "hs", "minn": 2, "maxn": 3, "bucket": 1000}, None),
    "ns.bin": ({"loss": "ns", "wordNgrams": 2, "bucket": 1000}, None),
    "ova.bin": ({"loss": "ova"}, None),
    "custom-prefix.bin": ({"loss": "softmax", "label": "word1"}, None),
    "plain.ftz": ({"loss": "softmax"}, {}),
    "norms.ftz": ({"loss": "softmax", "wordNgrams": 2, "bucket": 3000}, {"qnorm": True}),
    "odd.ftz": ({"loss": "ova", "dim": 11}, {"dsub": 3, "qnorm": True}),
    "pruned.ftz": (
        {"loss": "softmax", "wordNgrams": 2, "minn": 2, "maxn": 4, "bucket": 3000},
        {"cutoff": 700, "qnorm": True, "retrain": True},
    ),
    "pruned-hs.ftz": (
        {"loss": "hs", "minn": 2, "maxn": 4, "bucket": 3000}, {"cutoff": 900, "retrain": True},
    ),
    "output.ftz": ({"loss": "softmax"}, {"qout": True, "qnorm": True}),
}  # fmt: skip
N_LABELS = 300  # a quantized output matrix needs 256 rows

LINES = [
    "", " ", "word1 word2 word3", "word1", "unseen words only", "word5 __label__3 word6 __label__x",
    "a\tb  c", "ações word9", "команда друзей", "北海道の 札幌 word11", "🔥🔥 word12 é",
    "word1 </s> word2", "__label__1", "</s>", " ".join(f"word{i}" for i in range(60)),
    "Word1 WORD2", "word1\rword2\vx\fy",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training text, in which each label has a word of its own, and lines to predict."""
    folder = tmp_path_factory.mktemp("classifiers")
    random = np.random.default_rng(3)
    with (folder / "train").open("w", encoding="utf-8") as file:
        for i in range(4000):
            label = int(random.integers(N_LABELS) if i >= N_LABELS else i) // (1 + i % 3)
            words = [f"word{w}" for w in random.zipf(1.5, 8) % 400] + [f"own{label}", "ações", "é"]
            file.write(f"__label__{label} {' '.join(words)}\n")
    lines = [*LINES, *(f"own{i} word{i % 40}" for i in range(0, N_LABELS, 7))]
    (folder / "lines").write_text("\n".join(lines), "utf-8", newline="\n")
    return folder


@pytest.fixture(scope="module")
def lines(folder: Path) -> list[str]:
    return (folder / "lines").read_bytes().decode().split("\n")


@pytest.fixture(scope="module")
def expected(run_peer: RunPeer, folder: Path) -> dict[str, Any]:
    """What fastText answers; its models are then in the folder."""
    found = run_peer(TRAIN_AND_PREDICT, folder, json.dumps(SETTINGS))
    answers: dict[str, Any] = json.loads(str(found["json"]))
    return answers


def predict(
    classifier: TextClassifier, lines: list[str], k: int, threshold: float
) -> list[list[tuple[str, float]]]:
    k = k if k > 0 else len(classifier.labels)
    many = classifier._many(lines, k, threshold, FASTTEXT_EPSILON)
    one = [classifier._one(line, k, threshold, FASTTEXT_EPSILON) for line in lines]
    for a, b in zip(many, one, strict=True):
        assert [p for _, p in a] == pytest.approx([p for _, p in b], abs=1e-6)
    return many


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(("k", "threshold"), [(1, 0.0), (3, 0.0), (-1, 0.05)])
def test_labels_and_probabilities(
    expected: dict[str, Any],
    folder: Path,
    lines: list[str],
    assert_same_answers: AssertSameAnswers,
    name: str,
    k: int,
    threshold: float,
) -> None:
    found = predict(TextClassifier.load(folder / name), lines, k, threshold)
    assert_same_answers(found, expected[f"{name} {k}"])


@pytest.mark.parametrize("name", SETTINGS)
def test_vectors(expected: dict[str, Any], folder: Path, lines: list[str], name: str) -> None:
    classifier = TextClassifier.load(folder / name)
    # fastText gives a label the row of a bucket, or reads past the end of the matrix.
    asked = [word for line in lines for word in line.split(" ")]
    rows = [i for i, word in enumerate(asked) if word not in classifier.labels]
    vectors = classifier.word_vectors([asked[i] for i in rows])
    np.testing.assert_allclose(vectors, np.array(expected[f"{name} words"])[rows], atol=1e-5)
    vectors = classifier.sentence_vectors(lines)
    np.testing.assert_allclose(vectors, expected[f"{name} sentences"], atol=1e-5)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_same_bytes_again(expected: dict[str, Any], folder: Path, name: str) -> None:
    TextClassifier.load(folder / name).export(folder / "again")
    assert (folder / "again").read_bytes() == (folder / name).read_bytes()


READ_AND_PREDICT = """
import json, sys, numpy as np, fasttext
lines = open(sys.argv[3], encoding="utf-8", newline="\\n").read().split("\\n")
model = fasttext.load_model(sys.argv[2])
answers = [[(l, p) for p, l in model.f.predict(line + "\\n", 3, 0.0, "strict")] for line in lines]
np.savez(sys.argv[1], json=json.dumps(answers))
"""


@pytest.mark.parametrize("name", ["all-ngrams.bin", "hs.bin", "norms.ftz", "pruned.ftz"])
def test_fasttext_reads_what_is_written_without_its_own_fields(
    expected: dict[str, Any],
    run_peer: RunPeer,
    folder: Path,
    assert_same_answers: AssertSameAnswers,
    name: str,
) -> None:
    model = formats.load_classifier(folder / name)
    fasttext.write(dataclasses.replace(model, fasttext=None), folder / "ours")
    found = run_peer(READ_AND_PREDICT, folder / "ours", folder / "lines")
    assert_same_answers(json.loads(str(found["json"])), expected[f"{name} 3"])
