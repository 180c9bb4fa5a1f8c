"""How fast fastText's files are opened and classifiers predict, beside fastText 0.9.2.

    python benchmarks/fasttext_files.py MODEL TEXT PEER_PYTHON [LINES]

PEER_PYTHON is a Python with fasttext 0.9.2. Its loop calls the binding below `predict`, which is
faster than that and, unlike it, works with NumPy 2. Each program runs alone, three times in
turn; medians are printed. The file is read once first, so that it comes from the page cache. MODEL
may be a word-vector model: then a loop asks for vectors of the words of TEXT.
"""

from __future__ import annotations

import gzip
import itertools
import json
import statistics
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, sys, time, itertools
name, model_path, text_path, supervised = sys.argv[1:5]
lines = json.load(open(text_path))
start = time.perf_counter()
if name == "brasa":
    import brasa
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
    model, text, peer = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    n_lines = int(sys.argv[4]) if len(sys.argv) > 4 else 5000
    with gzip.open(text, "rt") if text.suffix == ".gz" else text.open() as file:
        lines = [line.rstrip("\n") for line in itertools.islice(file, n_lines)]
    prepared = Path("build/fasttext_files.json")
    prepared.parent.mkdir(exist_ok=True)
    prepared.write_text(json.dumps(lines))
    from brasa import TextClassifier, load

    supervised = isinstance(load(model), TextClassifier)
    model.read_bytes()
    runs: dict[str, list[dict[str, object]]] = {"brasa": [], "fasttext": []}
    for _ in range(3):
        for name, python in (("brasa", sys.executable), ("fasttext", peer)):
            command = [python, "-c", PROGRAM, name, model, prepared, str(int(supervised))]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            runs[name].append(json.loads(done.stdout))
    print(f"{model.name}: {model.stat().st_size / 1e6:.1f} MB, {len(lines)} lines")
    for key in ("load_s", "loop_per_s", "batch_per_s"):
        values = {
            name: statistics.median(run[key] for run in found)  # type: ignore[type-var]
            for name, found in runs.items()
            if key in found[0]
        }
        print(key, {name: round(float(value), 4) for name, value in values.items()})  # type: ignore[arg-type]
    if supervised:
        pairs = zip(runs["brasa"][0]["labels"], runs["fasttext"][0]["labels"], strict=True)  # type: ignore[call-overload]
        print("labels that differ:", sum(a != b for a, b in pairs))


if __name__ == "__main__":
    main()
