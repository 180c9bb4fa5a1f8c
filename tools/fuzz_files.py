"""Break whole model files of every format at random, open them, and use what opens.

    tools/sanitized_python tools/fuzz_files.py MINUTES [SEED]

A file may be refused with a `BrasaError`; anything else is a finding: another exception, a crash, a
sanitizer's report, 20 s for one file, 2 GB of memory, a vector that is not finite. Files are
broken where their structure is: each number equal to a count of the model, the numbers of the first
line, the first bytes; cut, flipped, copied, spliced with another file. A process that crashed is
followed by the next. Findings are kept in build/fuzz-files/found.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import faulthandler
import json
import random
import re
import resource
import runpy
import shutil
import struct
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

import brasa
from brasa import formats
from brasa.errors import BrasaError
from brasa.parameters import FastTextArguments, FastTextDetails
from brasa.quantization import quantize_classifier

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "fuzz-files"
CASES = 400  # of one process
SECONDS = 20  # for one case
MEMORY_KB = 2_000_000
TEXT = ["so good a fire in the ember", "so bad embers and ação", "команда 北海道 🔥 fire"] * 40
LIES = [-1, -2, 0, 1, 2, 7, 2**15, 2**24, 2**30, 2**31 - 1, -(2**31), 2**32 - 1, 2**40, 2**63 - 1]


def write_seeds(folder: Path) -> None:
    """Write a whole file of every kind that can be opened."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    small: dict[str, Any] = {"vector_dim": 6, "min_count": 1, "epochs": 1, "threads": 1}
    vectors = brasa.WordVectors.train(TEXT, subwords=True, buckets=60, **small)
    for name in ("fasttext", "word2vec", "word2vec-binary", "glove", "floret", "floret-binary"):
        with contextlib.suppress(BrasaError):  # floret's own programs alone write some
            vectors.export(folder / name, name)
    model = vectors.embeddings
    arguments = FastTextArguments(6, 5, 5, 5, 5, 1, 2, 2, 60, 3, 6, 100, 1e-4)
    old = dataclasses.replace(model, fasttext=FastTextDetails(0, arguments))
    formats.export(old, folder / "headerless", "fasttext")
    early = dataclasses.replace(model, fasttext=FastTextDetails(11, arguments))
    formats.export(early, folder / "version-11", "fasttext")
    vectors.save(folder / "saved")
    (folder / "saved" / "model.safetensors").rename(folder / "native")
    texts = [f"{line} w{i} and w{i * 7}" for i, line in enumerate(TEXT)]
    many = brasa.WordVectors.train(texts, subwords=True, buckets=90, **small)  # 256 rows and more
    many.quantize().save(folder / "saved-codes")
    (folder / "saved-codes" / "model.safetensors").rename(folder / "native-codes")
    labels = [f"label{i % 3}" for i in range(len(texts))]
    for loss in ("softmax", "hs", "ova"):
        found = brasa.TextClassifier.train(
            texts, labels, loss=loss, word_ngrams=2, max_char=3, min_char=2, buckets=900, **small
        )
        found.export(folder / f"classifier-{loss}")
        if loss == "softmax":
            found.save(folder / "saved-classifier")
            (folder / "saved-classifier" / "model.safetensors").rename(folder / "native-classifier")
            for cutoff, qnorm in ((300, True), (0, False)):
                smaller = quantize_classifier(found.model, cutoff=cutoff, qnorm=qnorm)
                small_classifier = brasa.TextClassifier(smaller)
                small_classifier.export(folder / f"quantized-{cutoff}")
                small_classifier.save(folder / f"saved-{cutoff}")
                native = folder / f"saved-{cutoff}" / "model.safetensors"
                native.rename(folder / f"native-quantized-{cutoff}")
                shutil.rmtree(folder / f"saved-{cutoff}")
    write_finalfusion = runpy.run_path(str(ROOT / "tests/formats/test_finalfusion.py"))["write"]
    for kind in ("simple", "bucket", "fasttext", "explicit"):
        write_finalfusion(folder / f"fifu-{kind}", kind, quantized=kind == "bucket")
    for leftover in (folder / "saved", folder / "saved-codes", folder / "saved-classifier"):
        shutil.rmtree(leftover)


class Breaker:
    """Breaks files; remembers where each has its counts."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._random = random.Random(seed)
        self._files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        self._fields = {name: self._counts(folder / name) for name in self._files}

    def _counts(self, path: Path) -> list[tuple[int, str]]:
        """Places of numbers that are equal to one of the model's sizes, with their form."""
        opened = open_named(path)
        model = getattr(opened, "embeddings", None) or opened.model
        sizes = {len(model.vocabulary), *np.shape(model.input), *np.shape(model.output)}
        sizes |= {len(model.bucket_ids), getattr(model, "buckets", 0), 60}
        content, places = self._files[path.name], []
        for form in ("<i", "<q"):
            for size in sizes - {0}:
                packed = struct.pack(form, size)
                found = re.finditer(re.escape(packed), content)
                places += [(match.start(), form) for match in list(found)[:40]]
        return places

    def broken(self) -> tuple[str, bytes]:
        """The name of a file, and its content with one to three faults."""
        name = self._random.choice(list(self._files))
        content = bytearray(self._files[name])
        for _ in range(self._random.choice((1, 1, 2, 3))):
            fault = self._random.choice(
                (self._lie, self._lie, self._lie_in_text, self._flip, self._head, self._cut,
                 self._copy, self._splice, self._number)
            )  # fmt: skip
            if content:
                fault(name, content)
        return name, bytes(content)

    def _place(self, content: bytearray, size: int = 1) -> int:
        return self._random.randrange(max(1, len(content) - size + 1))

    def _lie(self, name: str, content: bytearray) -> None:
        fields = self._fields[name]
        at, form = self._random.choice(fields) if fields else (self._place(content, 4), "<i")
        size = struct.calcsize(form)
        if at + size <= len(content):
            value = self._random.choice((*LIES, self._random.randrange(300)))
            content[at : at + size] = (value % 2 ** (8 * size)).to_bytes(size, "little")

    def _lie_in_text(self, _name: str, content: bytearray) -> None:
        head = bytes(content[:600])
        numbers = list(re.finditer(rb"-?\d+", head))
        if numbers:
            chosen = self._random.choice(numbers)
            lie = self._random.choice((*LIES, 3.5, -7, 10**30, "nan", "1e999", ""))
            content[chosen.start() : chosen.end()] = str(lie).encode()

    def _flip(self, _name: str, content: bytearray) -> None:
        for _ in range(self._random.choice((1, 2, 8))):
            content[self._place(content)] ^= 1 << self._random.randrange(8)

    def _head(self, _name: str, content: bytearray) -> None:
        content[self._random.randrange(min(140, len(content)))] = self._random.randrange(256)

    def _cut(self, _name: str, content: bytearray) -> None:
        del content[self._place(content) :]

    def _copy(self, _name: str, content: bytearray) -> None:
        size = self._random.randrange(1, 40)
        at, to = self._place(content, size), self._place(content)
        content[to:to] = content[at : at + size]

    def _splice(self, _name: str, content: bytearray) -> None:
        other = self._files[self._random.choice(list(self._files))]
        at = self._place(content)
        content[at:] = other[self._random.randrange(len(other)) :]

    def _number(self, _name: str, content: bytearray) -> None:
        at = self._place(content, 4) // 4 * 4
        value = self._random.choice((float("nan"), float("inf"), -3.4e38, 1e-45))
        content[at : at + 4] = struct.pack("<f", value)


def open_named(path: Path) -> Any:
    """Open a model; brasa's own format is told by its name."""
    if not path.name.startswith("native"):
        return brasa.load(path)
    named = path.parent.parent / "model.safetensors"
    shutil.copyfile(path, named)
    return brasa.load(named)


def use(model: Any, folder: Path) -> None:
    """Call what reads every part of a model."""
    if isinstance(model, brasa.TextClassifier):
        model.predict(["so good a fire", "", "fire embers x y z ação"], k=3)
        model.predict("so bad", k=2, threshold=0.1)
        check_finite(model.word_vectors(["fire", "embersome", "", "</s>"]), model.model.input)
        model.test(["__label__label0 so good", "__label__x fire"])
        if model.quantized or model.model.buckets < 10**6:  # a .bin has a row for each
            model.export(folder / "again")
        return
    words = [word for word in ("fire", "so", "ação") if word in model]
    vectors = model.vectors(["fire", "embersome", "", "</s>"] if model.config.subwords else words)
    check_finite(vectors, model.embeddings.input)
    if words:
        model.neighbors(words[0], k=3)
        model.subwords(words[0])
    many = model.config.subwords and model.config.buckets > 10**6  # a .bin has a row for each
    formats_left = ["word2vec", "word2vec-binary", *([] if many else ["fasttext"])]
    model.export(folder / "again", random.choice(formats_left))
    model.save(folder / "saved-again")


def check_finite(vectors: Any, matrix: Any) -> None:
    """Sums of numbers near the end of a float's range may pass it; others may not."""
    largest = np.abs(matrix, dtype=np.float64).max() if isinstance(matrix, np.ndarray) else 0
    if largest < 1e30 and not np.isfinite(vectors).all() and isinstance(matrix, np.ndarray):
        raise AssertionError("a vector is not finite")


def run_cases(seed: int) -> None:
    """Open `CASES` broken files; print what came of them as JSON."""
    breaker = Breaker(FOLDER / "seeds", seed)
    random.seed(seed)
    work = FOLDER / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    tally: collections.Counter[str] = collections.Counter()
    for number in range(CASES):
        name, content = breaker.broken()
        case = work / name
        case.write_bytes(content)
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        try:
            use(open_named(case), work)
            tally["used"] += 1
        except BrasaError:
            tally["refused"] += 1
        except Exception:
            tally["found"] += 1
            keep(case, f"{seed}-{number}", traceback.format_exc())
        faulthandler.cancel_dump_traceback_later()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if peak > MEMORY_KB:
            keep(case, f"{seed}-{number}", f"peak of {peak} KB")
            sys.exit(3)
    print(json.dumps(tally))


def keep(case: Path, name: str, report: str) -> None:
    """Keep a case and what is wrong with it."""
    target = FOLDER / "found" / f"{case.name}-{name}"
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(case, target)
    target.with_suffix(".txt").write_text(report)
    print(f"{target}: {report.strip().splitlines()[-1]}", file=sys.stderr)


def main() -> None:
    minutes = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    write_seeds(FOLDER / "seeds")
    start, tally = time.monotonic(), collections.Counter[str]()
    while time.monotonic() - start < 60 * minutes:
        done = subprocess.run(
            [sys.executable, __file__, "--cases", str(seed)], capture_output=True, text=True
        )
        sys.stderr.write("".join(line for line in done.stderr.splitlines(True) if "found" in line))
        if done.returncode == 0:
            tally.update(json.loads(done.stdout))
        else:
            tally["crashed"] += 1
            cases = [FOLDER / "work" / seed_file.name for seed_file in (FOLDER / "seeds").iterdir()]
            last = max(filter(Path.exists, cases), key=lambda path: path.stat().st_mtime)
            keep(last, f"{seed}-crash", done.stderr)
        seed += 1
        print(f"{(time.monotonic() - start) / 60:.1f} minutes: {dict(tally)}", flush=True)
    sys.exit(bool(tally["found"] or tally["crashed"]))


if __name__ == "__main__":
    if sys.argv[1] == "--cases":
        run_cases(int(sys.argv[2]))
    else:
        main()
