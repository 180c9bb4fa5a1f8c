"""fastText 0.9.2 quantizes a model; brasa quantizes the same one, and fastText reads the result."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import TextClassifier, WordVectors
from brasa.formats import fasttext
from brasa.parameters import Classifier, QuantizedMatrix
from brasa.quantization import keep_largest_rows, quantize_classifier

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeEmbeddings
    from interop.conftest import RunPeer

# argv: where to save arrays, folder, arguments of `quantize`.
QUANTIZE = """
import sys, json, numpy as np, fasttext
folder, arguments = sys.argv[2], json.loads(sys.argv[3])
model = fasttext.train_supervised(folder + "/texts", dim=11, wordNgrams=2, bucket=3000, epoch=3,
                                  loss=arguments.pop("loss"), thread=12, verbose=0)
model.save_model(folder + "/model.bin")
model.quantize(**arguments)
model.save_model(folder + "/theirs.ftz")
np.savez(sys.argv[1])
"""

PREDICT = """
import sys, numpy as np, fasttext
model = fasttext.load_model(sys.argv[2])
lines = open(sys.argv[3], encoding="utf-8").read().splitlines()
labels, probabilities = model.predict(lines, k=3)
np.savez(sys.argv[1], labels=labels, probabilities=np.array(probabilities),
         quantized=model.is_quantized())
"""

SETTINGS = [
    {"loss": "softmax", "qnorm": True},
    {"loss": "softmax", "dsub": 4, "cutoff": 900},
    {"loss": "hs", "qnorm": True, "qout": True, "cutoff": 2000},
    {"loss": "ova", "dsub": 11},
]


def texts(n: int, seed: int, labels: bool) -> list[str]:
    """Random lines of 260 labels, each with words that it likes."""
    rng = np.random.default_rng(seed)
    lines = []
    for i in range(n):
        label = i % 260
        words = rng.integers(0, 12, 9) + 5 * label
        words[rng.random(9) < 0.4] = rng.integers(0, 1300)
        start = f"__label__{label} " if labels else ""
        lines.append(start + " ".join(f"w{word}" for word in words))
    return lines


def quantize_both(run_peer: RunPeer, folder: Path, settings: dict[str, Any]) -> Classifier:
    (folder / "texts").write_text("\n".join(texts(2600, 1, True)) + "\n")
    run_peer(QUANTIZE, folder, json.dumps(settings))
    model = fasttext.read(folder / "model.bin")
    assert isinstance(model, Classifier)
    return model


@pytest.mark.parametrize("settings", SETTINGS)
def test_fasttext_predicts_the_same_with_our_file(
    run_peer: RunPeer, oracle: Any, tmp_path: Path, settings: dict[str, Any]
) -> None:
    model = quantize_both(run_peer, tmp_path, settings)
    arguments = {name: value for name, value in settings.items() if name != "loss"}
    fasttext.write(quantize_classifier(model, **arguments), tmp_path / "ours.ftz")
    assert (tmp_path / "ours.ftz").stat().st_size == (tmp_path / "theirs.ftz").stat().st_size
    lines = texts(520, 2, False)
    (tmp_path / "lines").write_text("\n".join(lines) + "\n")
    ours = run_peer(PREDICT, tmp_path / "ours.ftz", tmp_path / "lines")
    theirs = run_peer(PREDICT, tmp_path / "theirs.ftz", tmp_path / "lines")
    assert ours["quantized"]
    independent = oracle.load(tmp_path / "ours.ftz")
    wanted = [independent.predict(line, 3) for line in lines]
    found, expected = ours["probabilities"], np.array([[p for _, p in row] for row in wanted])
    far = ~np.isclose(found, expected, rtol=0, atol=2e-5)
    # A score at the edge of a step of fastText's table of the sigmoid (1/32) may be rounded into
    # the next one.
    assert far.mean() <= (0.005 if settings["loss"] == "ova" else 0)
    np.testing.assert_allclose(found[far], expected[far], rtol=0.033)
    # fastText's draws for k-means depend on the order of the rows, which a cutoff changes: then the
    # two may differ, but neither may be further from the model than the other.
    plain = run_peer(PREDICT, tmp_path / "model.bin", tmp_path / "lines")
    assert agreement(ours, plain) > agreement(theirs, plain) - 0.05
    if "cutoff" not in settings:
        assert agreement(ours, theirs) > 0.97


@pytest.mark.parametrize(("loss", "rate"), [("softmax", 0.5), ("hs", 0.2)])
def test_retraining_is_as_good_as_fasttexts(
    run_peer: RunPeer, tmp_path: Path, loss: str, rate: float
) -> None:
    """The same file, the same rows kept: fastText reads ours, and finds as many labels right."""
    lines = tmp_path / "texts"
    theirs = {"cutoff": 900, "retrain": True, "epoch": 5, "lr": rate, "input": str(lines)}
    model = TextClassifier(quantize_both(run_peer, tmp_path, {"loss": loss, **theirs}))
    small = model.quantize(cutoff=900, retrain=lines, epochs=5, learning_rate=rate, seed=1)
    small.export(tmp_path / "ours.ftz")
    # epoch, words and labels, which rows there are: all but the codes.
    heads = [(tmp_path / name).read_bytes()[:1000] for name in ("ours.ftz", "theirs.ftz")]
    assert heads[0] == heads[1]
    assert (tmp_path / "ours.ftz").stat().st_size == (tmp_path / "theirs.ftz").stat().st_size
    (tmp_path / "lines").write_text("\n".join(texts(5200, 2, False)) + "\n")
    ours = run_peer(PREDICT, tmp_path / "ours.ftz", tmp_path / "lines")
    found = small.predict(texts(5200, 2, False), k=3)
    np.testing.assert_allclose(
        ours["probabilities"], [[p for _, p in row] for row in found], rtol=5e-4, atol=5e-5
    )
    peers = run_peer(PREDICT, tmp_path / "theirs.ftz", tmp_path / "lines")
    plain = model.quantize(cutoff=900)
    right = [f"__label__{i % 260}" for i in range(5200)]
    share = {
        "ours": np.mean(ours["labels"][:, 0] == right),
        "theirs": np.mean(peers["labels"][:, 0] == right),
        "plain": np.mean(
            [row[0][0] for row in plain.predict(texts(5200, 2, False))] == np.array(right)
        ),
    }
    assert share["ours"] > share["theirs"] - 0.05, share
    assert share["ours"] > share["plain"], share


def agreement(some: Any, others: Any) -> float:
    """Share of the lines that get the same label."""
    return float(np.mean(some["labels"][:, 0] == others["labels"][:, 0]))


@pytest.mark.parametrize("settings", [SETTINGS[0], SETTINGS[1]])
def test_the_codes_are_those_of_fasttext(
    run_peer: RunPeer, tmp_path: Path, settings: dict[str, Any]
) -> None:
    """All but those of points between two centroids, since fastText sums with fused operations."""
    model = quantize_both(run_peer, tmp_path, settings)
    theirs = fasttext.read(tmp_path / "theirs.ftz")
    assert isinstance(theirs, Classifier)
    assert isinstance(theirs.input, QuantizedMatrix)
    arguments = {name: value for name, value in settings.items() if name != "loss"}
    if "cutoff" in arguments:
        model = keep_largest_rows(model, arguments.pop("cutoff"))
        assert theirs.bucket_rows is not None
        assert model.vocabulary.words == theirs.vocabulary.words
        assert model.bucket_ids.tolist() == theirs.bucket_ids.tolist()
        n_words = len(model.vocabulary)
        assert not isinstance(model.input, QuantizedMatrix)
        rows = model.input.copy()
        rows[n_words + theirs.bucket_rows] = model.input[n_words:]
        model = dataclasses.replace(model, input=rows, bucket_rows=theirs.bucket_rows)
    ours = quantize_classifier(model, **arguments).input
    assert isinstance(ours, QuantizedMatrix)
    assert np.mean(ours.codes == theirs.input.codes) > 0.98
    np.testing.assert_allclose(ours.decode(), theirs.input.decode(), atol=0.05)


VECTORS = """
import sys, numpy as np, fasttext
model = fasttext.load_model(sys.argv[2])
words = open(sys.argv[3], encoding="utf-8", newline="\\n").read().split("\\n")
near = model.get_nearest_neighbors(words[1], 3)
np.savez(sys.argv[1], vectors=[model.get_word_vector(word) for word in words],
         near=[name for _, name in near], quantized=model.is_quantized())
"""


@pytest.mark.parametrize("settings", [{"buckets": 400}, {"subwords": False}, {"vector_dim": 9}])
@pytest.mark.parametrize("dsub", [2, 3])
def test_fasttext_reads_quantized_word_vectors(
    make_embeddings: MakeEmbeddings,
    run_peer: RunPeer,
    tmp_path: Path,
    settings: dict[str, Any],
    dsub: int,
) -> None:
    """Of an unseen word fastText leaves n-grams without a row out: the same direction, longer."""
    words = ["</s>", *(f"ember{i}" for i in range(298)), "ação"]
    vectors = WordVectors(make_embeddings(words, **settings)).quantize(dsub=dsub)
    vectors.export(tmp_path / "model.ftz")
    unseen = ["embers", "embers7", "ações", "mber"] if vectors.config.subwords else []
    (tmp_path / "words").write_text("\n".join([*words, *unseen]), encoding="utf-8", newline="\n")
    found = run_peer(VECTORS, tmp_path / "model.ftz", tmp_path / "words")
    assert found["quantized"]
    n_words = len(words)
    np.testing.assert_allclose(found["vectors"][:n_words], vectors.vectors(words), atol=1e-5)
    assert found["near"].tolist() == [name for name, _ in vectors.neighbors(words[1], 3)]
    for word, theirs in zip(unseen, found["vectors"][n_words:], strict=True):
        rows = [part.row for part in vectors.subwords(word)]
        ratio = len(rows) / max(1, sum(row is not None for row in rows))
        np.testing.assert_allclose(theirs, vectors[word] * ratio, atol=1e-5)
