"""Check, time and score training on the GPU, beside the CPU and fastText 0.9.2, in eight minutes.

    make bench-gpu        or        python benchmarks/gpu.py [CORPUS] [--minutes 8] [--seeds 3]

It prints, and appends to benchmarks/results/gpu.csv:

1. the device, and what copying memory on it reaches (read and written bytes a second);
2. by how much one program's result differs from the CPU's reference on a small text;
3. for each mode, kernels alone with several numbers of programs: million words a second, and the
   bytes that the steps must move over what copying reaches;
4. whole runs, a process each, from text to saved model: the GPU's first one compiles its kernels,
   the others find them on disk; beside the CPU's on all cores, and fastText's where
   BRASA_INTEROP_PYTHON (or .venv-interop) has it; quality as in benchmarks/compare.py;
5. the same for a classifier (langid9: nine languages by character n-grams).

What does not fit into --minutes is left out, and said so; the most wanted comes first.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import classify
import compare
import numpy as np
import torch
import triton

import brasa
from brasa.backends.devices import describe_gpus
from brasa.backends.gpu.device import open_device
from brasa.backends.gpu.reference import SimultaneousReference
from brasa.backends.gpu.word_vectors import GpuBackend
from brasa.backends.reference import Random, sample_block
from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.parameters import Parameters
from brasa.plan import TrainingPlan, make_plan

MODES = ["skipgram", "skipgram-subwords", "cbow", "cbow-subwords"]
COPY_BYTES = 1 << 32
LANGUAGES = "langid9"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    wiki = compare.SHARED / "corpora/wiki100m.txt.gz"
    parser.add_argument("corpus", nargs="?", default=wiki, type=Path)
    parser.add_argument("--data", type=Path, default=compare.SHARED)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--programs", type=int, nargs="+", default=[264, 528, 1056, 2112])
    parser.add_argument("--no-peer", action="store_true", help="without fastText")
    given = parser.parse_args()
    bench = Bench(given)
    print(f"GPU: {describe_gpus()}\nTriton {triton.__version__}, driver {driver()}", flush=True)
    bench.copy()
    bench.check()
    for mode in given.modes[:2]:
        bench.kernels(mode)
    with tempfile.TemporaryDirectory() as folder:
        bench.whole_runs(Path(folder))
    for mode in given.modes[2:]:
        bench.kernels(mode)
    if bench.rows:
        compare.append_rows(
            "gpu", bench.rows, {**compare.circumstances(), "gpu": bench.device.name}
        )


class Bench:
    """The measurements, and the time that is left for them."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.end = time.monotonic() + 60 * given.minutes
        self.device = open_device()
        self.bandwidth = float("nan")
        self.rows: list[dict[str, Any]] = []
        self.longest: dict[str, float] = {}

    def has_time_for(self, what: str, seconds: float) -> bool:
        """Whether it can be done before the end; says so if not."""
        left = float(self.end - time.monotonic())
        if left < seconds:
            print(f"left out: {what} ({left:.0f} s left, {seconds:.0f} wanted)", flush=True)
        return left >= seconds

    def copy(self) -> None:
        """Measure what copying on the device reaches."""
        if not self.device.is_gpu:
            return
        source = torch.empty(COPY_BYTES, dtype=torch.uint8, device=self.device.torch)
        target = torch.empty_like(source)
        target.copy_(source)
        seconds = min(self.timed(lambda: target.copy_(source)) for _ in range(5))
        self.bandwidth = 2 * COPY_BYTES / seconds
        print(f"copying: {self.bandwidth / 1e12:.2f} TB/s, read and written", flush=True)

    def timed(self, run: Any) -> float:
        """Seconds that it takes, on the device too."""
        began = time.perf_counter()
        run()
        if self.device.is_gpu:
            torch.cuda.synchronize()
        return time.perf_counter() - began

    def plan(self, source: Any, mode: str, **settings: Any) -> TrainingPlan:
        """The plan of a mode for a text."""
        architecture, _, subwords = mode.partition("-")
        values = {
            "mode": architecture, "subwords": bool(subwords), "vector_dim": self.given.dim,
            "epochs": self.given.epochs,
        }  # fmt: skip
        config = WordVectorsConfig.parse(values | settings)
        vocabulary, encoded = encode(Corpus(source), config)
        return make_plan(vocabulary, encoded, config)

    def check(self) -> None:
        """One program against the reference, on a few words."""
        random = np.random.default_rng(0)
        lines = [[f"w{k % 40}ing" for k in random.zipf(1.5, 9)] for _ in range(5)]
        for mode in MODES:
            plan = self.plan(lines, mode, min_count=1, sampling_threshold=0.2, buckets=999)
            results = []
            one = type("One", (GpuBackend,), {"programs": 1})
            for backend in (one, SimultaneousReference):
                parameters = Parameters.initial(plan.n_input_rows, plan.n_words, plan.config, 1)
                start = np.random.default_rng(1)
                for matrix in (parameters.input, parameters.output):
                    matrix[:] = start.normal(0, 0.2, matrix.shape)
                trainer = backend(plan, parameters, 1)
                trainer.train(0, plan.total_blocks)
                trainer.write_back()
                results.append(parameters)
            worst = max(
                np.abs(getattr(results[0], name) - getattr(results[1], name)).max()
                for name in ("input", "output")
            )
            print(f"{mode}: one program is within {worst:.1e} of the reference", flush=True)

    def kernels(self, mode: str) -> None:
        """Spans of a whole epoch, with several numbers of programs."""
        if not self.has_time_for(f"kernels of {mode}", 25):
            return
        plan = self.plan(self.given.corpus, mode)
        moved = bytes_of_an_epoch(plan)
        chosen = GpuBackend(plan, self.start(plan), 1, self.device).blocks_at_once
        for programs in sorted({*self.given.programs, chosen}):
            backend = type("Some", (GpuBackend,), {"programs": programs})
            trainer = backend(plan, self.start(plan), 1, self.device)
            trainer.train(0, min(plan.n_blocks, programs))  # compiled, and caches are warm
            span = min(2 * plan.n_blocks, plan.total_blocks)
            seconds = self.timed(lambda t=trainer, s=span: t.train(0, s)) * plan.n_blocks / span
            speed = plan.n_raw_tokens / seconds
            share = moved / seconds / self.bandwidth
            is_chosen = " (chosen)" if programs == chosen else ""
            print(
                f"{mode}, {programs} programs{is_chosen}: {speed / 1e6:.1f} M words/s, "
                f"{moved / 1e9:.0f} GB an epoch = {share:.0%} of copying",
                flush=True,
            )
            del trainer

    def start(self, plan: TrainingPlan) -> Parameters:
        """New parameters."""
        return Parameters.initial(plan.n_input_rows, plan.n_words, plan.config, os.cpu_count() or 1)

    def whole_runs(self, folder: Path) -> None:
        """Processes from text to saved model, the most wanted first."""
        corpus = compare.plain(self.given.corpus, folder)
        jobs = [(mode, "cuda", seed) for mode in self.given.modes[:2] for seed in (1, 2)]
        jobs += [(LANGUAGES, "cuda", seed) for seed in (1, 2)]
        peers = [] if self.given.no_peer or not Path(compare.PEER).exists() else ["fasttext"]
        if not peers:
            print("without fastText", flush=True)
        for who in ["cpu", *peers]:
            jobs += [(mode, who, 1) for mode in [*self.given.modes[:2], LANGUAGES]]
        for seed in range(3, self.given.seeds + 1):
            jobs += [(mode, "cuda", seed) for mode in [*self.given.modes[:2], LANGUAGES]]
        for seed in range(2, self.given.seeds + 1):
            jobs += [(mode, "cpu", seed) for mode in self.given.modes[:2]]
        jobs += [(mode, who, 1) for mode in self.given.modes[2:] for who in ("cuda", "cpu", *peers)]
        if not self.languages_file("train").exists():
            print(f"without {LANGUAGES}: there is no {self.languages_file('train')}", flush=True)
            jobs = [job for job in jobs if job[0] != LANGUAGES]
        for mode, who, seed in jobs:
            if not self.has_time_for(f"{mode} {who} {seed}", self.longest.get(f"{mode} {who}", 20)):
                continue
            began = time.monotonic()
            row = (self.languages if mode == LANGUAGES else self.vectors)(
                mode, who, seed, corpus, folder
            )
            self.longest[f"{mode} {who}"] = time.monotonic() - began
            print(json.dumps(row), flush=True)
            self.rows.append({**dict.fromkeys(COLUMNS), **row})
        self.summary()

    def vectors(self, mode: str, who: str, seed: int, corpus: Path, folder: Path) -> dict[str, Any]:
        """Train word vectors and score them."""
        architecture, _, subwords = mode.partition("-")
        output = folder / f"{who}-{mode}"
        if who == "fasttext":
            script = compare._FASTTEXT.replace("thread=12", f"thread={os.cpu_count()}")
            arguments = [str(corpus), str(output), architecture, "6" if subwords else "0"]
            command = [compare.PEER, "-c", script, *arguments]
        else:
            command = [sys.executable, "-m", "brasa.cli", "train", architecture, str(corpus)]
            command += ["-o", str(output), f"--device={who}", f"--seed={seed}", "--quiet"]
            command += ["--subwords" if subwords else "--no-subwords", "--no-evaluation"]
            command += [f"--vector-dim={self.given.dim}", f"--epochs={self.given.epochs}"]
        wall, _, peak = compare.measured(command)
        program = "fasttext" if who == "fasttext" else "brasa"
        model = compare.load(program, output, folder)
        speed = model.metadata.get("words_per_second")
        scores = compare.quality(model, self.given.data)
        return self.row(mode, who, seed, wall, peak, speed) | scores

    def languages_file(self, part: str) -> Path:
        """The classifier's texts."""
        return Path(self.given.data / "classification" / f"{LANGUAGES}.{part}.txt.gz")

    def languages(
        self, mode: str, who: str, seed: int, corpus: Path, folder: Path
    ) -> dict[str, Any]:
        """Train a classifier and test it."""
        text, test = (self.languages_file(part) for part in ("train", "test"))
        text = compare.plain(text, folder)
        settings = {k: v for k, v in classify.SETTINGS[LANGUAGES].items() if k != "data"}
        output = folder / f"{who}-{mode}"
        if who == "fasttext":
            options = {classify.FLAGS[k]: v for k, v in settings.items()}
            script = classify._FASTTEXT.replace("thread=12", f"thread={os.cpu_count()}")
            command = [compare.PEER, "-c", script, str(text), str(output), json.dumps(options)]
        else:
            command = [sys.executable, "-m", "brasa.cli", "train", "supervised", str(text)]
            command += ["-o", str(output), f"--device={who}", f"--seed={seed}", "--quiet"]
            command += ["--subwords", "--min-count=1", "--no-evaluation"]
            command += [f"--{k.replace('_', '-')}={v}" for k, v in settings.items()]
        wall, _, peak = compare.measured(command)
        classifier = brasa.TextClassifier.load(output)
        speed = classifier.metadata.get("words_per_second")
        return self.row(mode, who, seed, wall, peak, speed) | {
            "P@1": round(classifier.test(test).precision, 4)
        }

    @staticmethod
    def row(
        mode: str, who: str, seed: int, wall: float, peak: int, speed: float | None
    ) -> dict[str, Any]:
        """A row's first columns."""
        return {
            "mode": mode,
            "who": who,
            "seed": seed,
            "wall_s": round(wall, 2),
            "peak_mb": peak >> 20,
            "training_mwords_per_s": None if speed is None else round(speed / 1e6, 2),
        }

    def summary(self) -> None:
        """A table: medians of speed, means of quality, ratios of the whole process's seconds."""
        print("\n| mode | who | runs | wall s | M words/s in training | quality | faster |")
        print("|---|---|---|---|---|---|---|")
        for mode in dict.fromkeys(row["mode"] for row in self.rows):
            walls: dict[str, float] = {}
            for who in ("fasttext", "cpu", "cuda"):
                runs = [row for row in self.rows if (row["mode"], row["who"]) == (mode, who)]
                if not runs:
                    continue
                # The GPU's first run compiles.
                cached = runs[1:] if who == "cuda" and len(runs) > 1 else runs
                walls[who] = statistics.median(row["wall_s"] for row in cached)
                speeds = [r["training_mwords_per_s"] for r in cached if r["training_mwords_per_s"]]
                speed = f"{statistics.median(speeds):g}" if speeds else ""
                scores = [
                    f"{name} {statistics.mean(row[name] for row in runs):.3f}"
                    for name in (*compare.TABLES, "P@1")
                    if runs[0].get(name) is not None
                ]
                ratios = [f"{walls[o] / walls[who]:.1f}x {o}" for o in walls if o != who]
                cells = mode, who, str(len(runs)), f"{walls[who]:g}", speed, ", ".join(scores)
                print("| " + " | ".join([*cells, ", ".join(ratios)]) + " |")
        print(flush=True)


COLUMNS = ("mode", "who", "seed", "wall_s", "peak_mb", "training_mwords_per_s",
           *compare.TABLES, "P@1")  # fmt: skip


def bytes_of_an_epoch(plan: TrainingPlan) -> float:
    """Bytes of rows that the steps of an epoch read and write, from a sample of blocks.

    Skip-gram: the context of each pair, the negatives of each four, and the rows of each centre;
    cbow: the centre, the negatives of a tile of words, and the rows of each word.
    """
    row = 4 * (-(-plan.config.vector_dim // 4) * 4)
    blocks = np.unique(np.linspace(0, plan.n_blocks - 1, 8, dtype=int))
    lengths = np.diff(plan.subwords.offsets)
    rows = 0.0
    for block in blocks:
        sampled = sample_block(plan, int(block), Random(0, int(block)))
        n_pairs = sum(map(len, sampled.contexts))
        if plan.config.mode == "cbow":
            rows += len(sampled.words) * (1 + plan.shared_negatives / plan.tile_size)
        else:
            rows += n_pairs * (1 + plan.config.negative_samples / 4)
        rows += lengths[sampled.words].sum()
    return float(2 * row * rows / len(blocks) * plan.n_blocks)


def driver() -> str:
    """The version of NVIDIA's driver."""
    path = Path("/proc/driver/nvidia/version")
    return path.read_text().split("\n")[0].split("  ")[1] if path.exists() else "unknown"


if __name__ == "__main__":
    main()
