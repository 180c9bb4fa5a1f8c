"""Score models before and after they are made smaller, and print the tables of smaller-models.md.

    python benchmarks/smaller_models.py vectors [--corpus TEXT]
    python benchmarks/smaller_models.py classifier [--data FOLDER]

vectors: skip-gram with subwords, trained by brasa on TEXT with the default hyperparameters, is
quantized and reduced. Scores are Spearman's rho, unseen words having the vectors of their n-grams;
"us a word" is processor time to compose one of 20,000 vectors, median of five.

classifier: one model, trained by fastText 0.9.2 (see `compare.py` for the environment that it
needs) on cooking questions, is quantized by fastText and by brasa; fastText tests both files.
Seconds are those of all processors, from opening the model to the written file, one run each.
Without a cutoff, where both have the rows in the same order, codes are compared, too.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from compare import PEER, SHARED, TABLES, plain

import brasa
from brasa.evaluation import similarity
from brasa.parameters import QuantizedMatrix

REDUCED = (75, 50, 25)
TRAINING = {"lr": 1.0, "epoch": 25, "wordNgrams": 2, "dim": 50, "bucket": 200_000, "thread": 12}
RETRAINING: dict[str, Any] = {"epochs": 5, "learning_rate": 0.05, "threads": 2}  # as in _QUANTIZE
QUANTIZATIONS: dict[str, dict[str, Any]] = {
    "-qnorm": {"qnorm": True},
    "-qnorm -cutoff 20000": {"qnorm": True, "cutoff": 20_000},
    "-qnorm -qout -cutoff 20000": {"qnorm": True, "qout": True, "cutoff": 20_000},
    "-dsub 4 -cutoff 50000": {"dsub": 4, "cutoff": 50_000},
    "-qnorm -cutoff 20000 -retrain": {"qnorm": True, "cutoff": 20_000, "retrain": True},
}
_TRAIN = """
import json, sys, fasttext
fasttext.train_supervised(sys.argv[1], verbose=0, **json.loads(sys.argv[3])).save_model(sys.argv[2])
"""
_QUANTIZE = """
import json, sys, time, fasttext
fasttext.FastText.eprint = lambda *a: None
start = time.process_time()
model = fasttext.load_model(sys.argv[1])
model.quantize(sys.argv[2], verbose=1, epoch=5, lr=0.05, thread=2, **json.loads(sys.argv[4]))
model.save_model(sys.argv[3])
print(time.process_time() - start)
"""
_TEST = """
import sys, fasttext
fasttext.FastText.eprint = lambda *a: None
print(fasttext.load_model(sys.argv[1]).test(sys.argv[2])[1])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["vectors", "classifier"])
    parser.add_argument("--corpus", type=Path, default=SHARED / "corpora/wiki100m.txt.gz")
    parser.add_argument("--data", type=Path, default=SHARED / "classification")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.what == "vectors":
            compare_vectors(arguments.corpus, Path(folder))
        else:
            compare_classifiers(arguments.data, Path(folder))


def compare_vectors(corpus: Path, folder: Path) -> None:
    vectors = brasa.WordVectors.train(corpus, subwords=True, seed=1)
    print(f"{vectors}\n\n| | MB | WordSim-353 | SimLex-999 | rare words | us a word |")
    print("|---|---|---|---|---|---|")
    show("plain", vectors, folder)
    for qnorm, dsub in itertools.product((True, False), (2, 4)):
        small = vectors.quantize(qnorm=qnorm, dsub=dsub)
        show(f"`quantize(qnorm={qnorm}, dsub={dsub})`", small, folder)
    for dim in REDUCED:
        show(f"`reduce({dim})`", vectors.reduce(dim), folder)


def show(name: str, vectors: brasa.WordVectors, folder: Path) -> None:
    vectors.save(folder / "model")
    megabytes = (folder / "model/model.safetensors").stat().st_size / 1e6
    scores = [
        similarity.score(vectors.embeddings, SHARED / path, oov="subwords").spearmans_rho
        for table, path in TABLES.items()
        if table != "analogies"
    ]
    words = vectors.words[:20_000]
    seconds = statistics.median(timed(vectors, words) for _ in range(5))
    cells = [f"{megabytes:.1f}", *(f"{rho:.3f}" for rho in scores)]
    cells.append(f"{seconds / len(words) * 1e6:.2f}")
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def timed(vectors: brasa.WordVectors, words: list[str]) -> float:
    start = time.process_time()
    vectors.vectors(words)
    return time.process_time() - start


def compare_classifiers(data: Path, folder: Path) -> None:
    if not Path(PEER).exists():
        raise SystemExit(f"there is no fastText: {PEER} does not exist (see --help)")
    train, valid = (plain(data / f"cooking.pre.{n}.txt.gz", folder) for n in ("train", "valid"))
    model = folder / "model.bin"
    ask(_TRAIN, train, model, json.dumps(TRAINING))
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors\n")
    print("| flags | bytes | fastText | brasa | fastText, CPU s | brasa, CPU s |")
    print("|---|---|---|---|---|---|")
    print(f"| (plain `.bin`) | {model.stat().st_size:,} | {precision(model, valid)} | | | |")
    theirs, ours = folder / "theirs.ftz", folder / "ours.ftz"
    for flags, options in QUANTIZATIONS.items():
        their_s = float(ask(_QUANTIZE, model, train, theirs, json.dumps(options)))
        retraining = {"retrain": train, **RETRAINING} if "retrain" in options else {}
        start = time.process_time()
        classifier = brasa.TextClassifier.load(model)
        classifier.quantize(**{**options, **retraining}).export(ours)
        our_s = time.process_time() - start
        cells = [precision(theirs, valid), precision(ours, valid), f"{their_s:.1f}", f"{our_s:.1f}"]
        size = f"{theirs.stat().st_size:,}"
        if ours.stat().st_size != theirs.stat().st_size:
            size += f" and {ours.stat().st_size:,}"
        if "cutoff" not in options:
            alike = np.mean(codes(theirs) == codes(ours))
        print(f"| `{flags}` | {size} | {' | '.join(cells)} |", flush=True)
    print(f"\n{alike:.3%} of the codes of rows are alike without a cutoff")


def codes(file: Path) -> npt.NDArray[np.uint8]:
    matrix = brasa.TextClassifier.load(file).model.input
    assert isinstance(matrix, QuantizedMatrix)
    return matrix.codes


def precision(model: Path, texts: Path) -> str:
    return f"{float(ask(_TEST, model, texts)):.3f}"


def ask(script: str, *arguments: Path | str) -> str:
    return subprocess.check_output([PEER, "-c", script, *map(str, arguments)], text=True)


if __name__ == "__main__":
    main()
