"""Train text classifiers with brasa and with fastText 0.9.2 on the same texts, and print one table.

    python benchmarks/classify.py [SET ...] [--runs 3] [--threads 2] [--data FOLDER]

Sets are those of --data (`SET.train.txt.gz` and its test texts). Programs run in turn, each in a
process of its own, from reading the text to the saved model; seconds, processor seconds and peak
memory come from the operating system. Settings are the same for both. fastText runs with twelve
threads, its command line's default: with fewer than ten it would leave part of its matrix at zero.
brasa does not look at the accuracy on the training texts. Both models are tested by brasa, which
predicts what fastText does. Rows are appended to benchmarks/results/classify.csv.

What bounds training: for each feature of a text a row of the input matrix is read, and later read
and written: 3 x 64 bytes with up to 16 dimensions, from memory where the matrix (touched rows only)
is larger than the caches. Rows of the next text are asked for while one is trained. With many
labels the output rows dominate: each is read twice and written once for every text with softmax
and ova, but only those of a path or of the negatives with hs and ns.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from compare import PEER, SHARED, append_rows, circumstances, measured, plain

import brasa

BIGRAMS = {"vector_dim": 10, "word_ngrams": 2, "epochs": 5}
LANGUAGES = {"vector_dim": 16, "word_ngrams": 1, "epochs": 5, "min_char": 2, "max_char": 4}
COOKING = {"vector_dim": 100, "word_ngrams": 2, "epochs": 25, "learning_rate": 1.0}
SETTINGS: dict[str, dict[str, Any]] = {
    "imdb": {"data": "imdb.tok", "learning_rate": 0.5, **BIGRAMS},
    "langid9": {"data": "langid9", "learning_rate": 0.1, **LANGUAGES},
    "langid9-hs": {"data": "langid9", "learning_rate": 0.1, "loss": "hs", **LANGUAGES},
    "cooking": {"data": "cooking.pre", **COOKING},
    "cooking-hs": {"data": "cooking.pre", "loss": "hs", **COOKING},
    # With learning_rate=1.0 both diverge: fastText ends with "Encountered NaN".
    "cooking-ova": {"data": "cooking.pre", "loss": "ova", **COOKING, "learning_rate": 0.5},
    "ag": {"data": "ag", "learning_rate": 0.5, **BIGRAMS},
    "dbpedia": {"data": "dbpedia", "learning_rate": 0.5, **BIGRAMS},
    "sst2": {"data": "sst2", "learning_rate": 0.5, **BIGRAMS},
    "reuters": {"data": "reuters.modapte", "loss": "ova", "learning_rate": 0.5, **BIGRAMS},
}
FILES = {
    "ag": ("train_subset", "test"),
    "cooking.pre": ("train", "valid"),
    "sst2": ("train", "dev"),
}
SPEED = ("wall_s", "cpu_s", "peak_mb")
QUALITY = ("P@1", "R@5")
FLAGS = {
    "vector_dim": "dim", "word_ngrams": "wordNgrams", "epochs": "epoch", "learning_rate": "lr",
    "loss": "loss", "min_char": "minn", "max_char": "maxn",
}  # fmt: skip
_FASTTEXT = """
import json, sys, fasttext
options = json.loads(sys.argv[3])
fasttext.train_supervised(sys.argv[1], thread=12, verbose=0, **options).save_model(sys.argv[2])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETTINGS)}")
    parser.add_argument("--runs", type=int, default=1, help="runs of each program, seeds 1 ..")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="brasa's threads")
    parser.add_argument("--data", type=Path, default=SHARED / "classification")
    arguments = parser.parse_args()
    names = arguments.sets or list(SETTINGS)
    if unknown := set(names) - SETTINGS.keys():
        parser.error(f"there is no {', '.join(unknown)}")
    if not Path(PEER).exists():
        parser.error(f"there is no fastText: {PEER} does not exist (see --help)")
    facts, rows = circumstances(), []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            train, test = FILES.get(SETTINGS[name]["data"], ("train", "test"))
            stem = arguments.data / SETTINGS[name]["data"]
            text, held_out = (Path(f"{stem}.{part}.txt.gz") for part in (train, test))
            text = plain(text, Path(folder))
            for seed in range(1, arguments.runs + 1):
                for program in ("brasa", "fasttext"):
                    row = run(program, name, seed, text, held_out, Path(folder), arguments.threads)
                    rows.append(row)
                    print(json.dumps(row), file=sys.stderr, flush=True)
    append_rows("classify", rows, facts)
    print(table(rows))


def run(
    program: str, name: str, seed: int, text: Path, held_out: Path, folder: Path, threads: int
) -> dict[str, Any]:
    """Train one model in a process of its own and test it."""
    settings = {k: v for k, v in SETTINGS[name].items() if k != "data"}
    output = folder / f"{program}-{name}"
    if program == "brasa":
        command = [sys.executable, "-m", "brasa.cli", "train", "supervised", str(text)]
        command += ["-o", str(output), "--min-count=1", "--no-evaluation", "--quiet"]
        command += ["--subwords"] if "max_char" in settings else []
        command += [f"--seed={seed}", f"--threads={threads}"]
        command += [f"--{k.replace('_', '-')}={v}" for k, v in settings.items()]
    else:
        options = {FLAGS[k]: v for k, v in settings.items()}
        command = [PEER, "-c", _FASTTEXT, str(text), str(output), json.dumps(options)]
    load = os.getloadavg()[0]  # of a busy machine, seconds of the clock mean little
    wall, cpu, peak = measured(command)
    classifier = brasa.TextClassifier.load(output)
    row = {
        "set": name,
        "program": program,
        "seed": seed,
        "load": round(load, 1),
        "wall_s": round(wall, 2),
        "cpu_s": round(cpu, 2),
        "peak_mb": round(peak / 2**20),
        "P@1": round(classifier.test(held_out).precision, 4),
        "R@5": round(classifier.test(held_out, k=5).recall, 4),
    }
    del classifier
    shutil.rmtree(output) if output.is_dir() else output.unlink()
    return row


def table(rows: list[dict[str, Any]]) -> str:
    """Medians of speed and memory, means of quality, and brasa's ratios to fastText."""
    heads = ["set", "program", "wall s", "CPU s", "peak MB", *QUALITY, "wall", "CPU", "memory"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name in dict.fromkeys(row["set"] for row in rows):
        found: dict[str, dict[str, float]] = {}
        for program in ("fasttext", "brasa"):
            runs = [r for r in rows if (r["set"], r["program"]) == (name, program)]
            found[program] = {
                **{k: statistics.median(r[k] for r in runs) for k in SPEED},
                **{k: statistics.mean(r[k] for r in runs) for k in QUALITY},
            }
            cells = [name, program, *(f"{value:.4g}" for value in found[program].values())]
            if program == "brasa":
                theirs, ours = found["fasttext"], found["brasa"]
                cells += [f"{theirs[k] / ours[k]:.1f}x" for k in ("wall_s", "cpu_s")]
                cells.append(f"{ours['peak_mb'] / theirs['peak_mb']:.0%}")
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
