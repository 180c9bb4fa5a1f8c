"""Train 5 epochs at once, and 2 + 3 in two sessions; WordSim-353 of each, mean of the seeds.

    python benchmarks/sessions.py [CORPUS] [--seeds 3]

The text is the first 24 MB of CORPUS (by default 100 MB of Wikipedia in ../shared). Of the two
sessions, one kind starts each with the learning rate 0.05, which falls to 0 twice; in the other the
first is the beginning of a training of 5 epochs, which Ctrl-C ends, and the second goes on with the
learning rate where that was.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from compare import SHARED

import brasa
from brasa.training import Event, Progress

CORPUS = SHARED / "corpora/wiki100m.txt.gz"
N_BYTES = 24_000_000
LEARNING_RATE = 0.05
KINDS: dict[str, dict[str, Any]] = {
    "skip-gram": {"mode": "skipgram"},
    "skip-gram, subwords": {"mode": "skipgram", "subwords": True},
    "skip-gram, hs": {"mode": "skipgram", "loss": "hs"},
    "cbow": {"mode": "cbow"},
}
WAYS: dict[str, Callable[[Path, dict[str, Any]], brasa.WordVectors]] = {
    "2 epochs": lambda text, settings: brasa.WordVectors.train(text, epochs=2, **settings),
    "5 epochs": lambda text, settings: brasa.WordVectors.train(text, epochs=5, **settings),
    "2 + 3": lambda text, settings: two_trainings(text, settings),
    "2 + 3, one fall": lambda text, settings: one_fall(text, settings),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", nargs="?", type=Path, default=CORPUS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS))
    arguments = parser.parse_args()
    print(f"| {' | '.join(['', *WAYS])} |\n|{'---|' * (len(WAYS) + 1)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text"
        opened = gzip.open if arguments.corpus.suffix == ".gz" else open
        with opened(arguments.corpus, "rb") as file:
            text.write_bytes(file.read(N_BYTES))
        for kind in arguments.kinds:
            cells = [kind, *(score(text, kind, way, arguments.seeds) for way in WAYS)]
            print(f"| {' | '.join(cells)} |", flush=True)


def score(text: Path, kind: str, way: str, n_seeds: int) -> str:
    scores = [
        WAYS[way](text, {**KINDS[kind], "seed": seed}).evaluate()["mean_rho"]
        for seed in range(n_seeds)
    ]
    return f"{np.mean(scores):.3f} ({min(scores):.3f} to {max(scores):.3f})"


def two_trainings(text: Path, settings: dict[str, Any]) -> brasa.WordVectors:
    first = brasa.WordVectors.train(text, epochs=2, **settings)
    return first.continue_training(text, epochs=3, seed=settings["seed"] + 100)


def one_fall(text: Path, settings: dict[str, Any]) -> brasa.WordVectors:
    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.epoch >= 2:
            raise KeyboardInterrupt

    first = brasa.WordVectors.train(text, epochs=5, callback=stop, keep_partial=True, **settings)
    left = 1 - first.metadata["blocks_done"] / first.metadata["total_blocks"]
    return first.continue_training(
        text, epochs=3, seed=settings["seed"] + 100, learning_rate=LEARNING_RATE * left
    )


if __name__ == "__main__":
    main()
