"""How fast fastText's files are opened and classifiers predict, beside fastText 0.9.2.

    python benchmarks/fasttext_files.py MODEL TEXT [--lines 5000]

Each program runs alone, three times in turn; medians are printed. The file is read once first, so
that it comes from the page cache. fastText's environment is that of `compare.py`. Its loop calls
the binding below `predict`, which is faster than that. MODEL may be a word-vector model: then a
loop asks for vectors of the words of TEXT.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from compare import PEER

import brasa

PROGRAM = """
import json, sys, time, itertools
name, model_path, text_path, supervised = sys.argv[1:5]
lines = json.load(open(text_path))
start = time.perf_counter()
if name == "brasa":
    import brasa
    brasa.load, brasa.TextClassifier, brasa.WordVectors  # modules come when first asked for
    start = time.perf_counter()
    model = brasa.load(model_path)
else:
    import fasttext
    fasttext.FastText.eprint = lambda *a: None
    start = time.perf_counter()
    model = fasttext.load_model(model_path)
found = {"load_s": time.perf_counter() - start}

def rate(ask, n, seconds=1.0):
    ask()
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        ask()
        done += n
    return done / (time.perf_counter() - start)

if supervised == "1":
    one = model.predict
    if name != "brasa":
        one = lambda line: model.f.predict(line + "\\n", 1, 0.0, "strict")
    found["loop_per_s"] = rate(lambda: [one(line) for line in lines], len(lines))
    found["batch_per_s"] = rate(lambda: model.predict(lines), len(lines))
    answers = model.predict(lines)
    if name == "brasa":
        answers = [[label for label, _ in answer] for answer in answers], None
    found["labels"] = [answer[0] if answer else "" for answer in answers[0]]
else:
    words = list(itertools.chain.from_iterable(line.split() for line in lines))[:20000]
    get = model.__getitem__ if name == "brasa" else model.get_word_vector
    found["loop_per_s"] = rate(lambda: [get(word) for word in words], len(words))
    if name == "brasa":
        found["batch_per_s"] = rate(lambda: model.vectors(words), len(words))
print(json.dumps(found))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path, help="fastText's file, or brasa's")
    parser.add_argument("text", type=Path)
    parser.add_argument("--lines", type=int, default=5000, help="how many of the text are asked")
    arguments = parser.parse_args()
    model = arguments.model
    opened = gzip.open if arguments.text.suffix == ".gz" else open
    with opened(arguments.text, "rt", encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in itertools.islice(file, arguments.lines)]
    is_classifier = isinstance(brasa.load(model), brasa.TextClassifier)
    model.read_bytes()
    runs: dict[str, list[dict[str, Any]]] = {"brasa": [], "fasttext": []}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as prepared:
        json.dump(lines, prepared)
        prepared.flush()
        for _ in range(3):
            for name, python in (("brasa", sys.executable), ("fasttext", PEER)):
                command = [python, "-c", PROGRAM, name, model, prepared.name, f"{is_classifier:d}"]
                runs[name].append(json.loads(subprocess.check_output(command)))
    print(f"{model.name}: {model.stat().st_size / 1e6:.1f} MB, {len(lines)} lines")
    for key in ("load_s", "loop_per_s", "batch_per_s"):
        values = {
            name: round(statistics.median(run[key] for run in found), 4)
            for name, found in runs.items()
            if key in found[0]
        }
        print(key, values)
    if is_classifier:
        pairs = zip(runs["brasa"][0]["labels"], runs["fasttext"][0]["labels"], strict=True)
        print("labels that differ:", sum(ours != theirs for ours, theirs in pairs))


if __name__ == "__main__":
    main()
