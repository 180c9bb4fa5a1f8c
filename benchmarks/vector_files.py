"""Time the readers of other programs' vector files, and score a floret table beside its model.

    python benchmarks/vector_files.py [CORPUS]

The files hold 200,000 random vectors of 100 numbers. The table is made of a model with subwords
trained on CORPUS (by default 7 MB of text8 in ../shared); the unseen words are made by adding and
taking off endings, so that some of their n-grams are known.
"""

from __future__ import annotations

import argparse
import gzip
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from compare import SHARED

import brasa
from brasa.config import WordVectorsConfig
from brasa.formats import export
from brasa.parameters import Embeddings
from brasa.vocabulary import Vocabulary

CORPUS = SHARED / "corpora/text8-first-6.9mb.txt.gz"
N_WORDS, DIM = 200_000, 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", nargs="?", type=Path, default=CORPUS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        time_readers(Path(folder))
        score_table(arguments.corpus, Path(folder))


def time_readers(folder: Path) -> None:
    rows = np.random.default_rng(0).normal(0, 0.3, (N_WORDS, DIM)).astype(np.float32)
    vocabulary = Vocabulary.from_words((f"word{i}" for i in range(N_WORDS)), [1] * N_WORDS, N_WORDS)
    none = np.empty((0, DIM), np.float32)
    config = WordVectorsConfig(vector_dim=DIM)
    model = Embeddings(vocabulary, config, rows, none, np.empty(0, np.uint32))
    for kind in ("word2vec", "word2vec-binary", "glove"):
        export(model, folder / kind, kind)
    packed = folder / "word2vec, gzip"
    packed.write_bytes(gzip.compress((folder / "word2vec").read_bytes(), 1))
    print(f"| {N_WORDS:,} x {DIM} | MB/s of content, median of 5 |\n|---|---|")
    for name in ("word2vec", "word2vec-binary", "glove", packed.name):
        size = (folder / name.partition(",")[0]).stat().st_size
        seconds = statistics.median(timed(folder / name) for _ in range(5))
        print(f"| {name} | {size / seconds / 1e6:.0f} |")


def timed(path: Path) -> float:
    start = time.perf_counter()
    brasa.load(path)
    return time.perf_counter() - start


def score_table(corpus: Path, folder: Path) -> None:
    model = brasa.WordVectors.train(
        corpus, subwords=True, vector_dim=50, epochs=3, min_count=3, threads=os.cpu_count()
    )
    start = time.perf_counter()
    model.export(folder / "table", "floret")
    seconds = time.perf_counter() - start
    table = brasa.load(folder / "table")
    chosen = np.random.default_rng(0).choice(model.words[2000:], 3000).tolist()
    made = [v for w in chosen for v in (w + "s", "un" + w, w[:-1], w + "ing")]
    unseen = [word for word in made if word not in model and len(word) > 3][:4000]
    cosines = cosine(model.vectors(unseen), table.vectors(unseen))
    complete = [all(part.trained for part in model.subwords(word)) for word in unseen]
    known = cosine(model.vectors(model.words), table.vectors(model.words))
    print(
        f"\nfloret table of {len(model):,} words, made in {seconds:.1f} s. Cosines: known words, "
        f"least {known.min():.6f}; {len(unseen):,} unseen words, median {np.median(cosines):.3f}, "
        f"lowest tenth {np.quantile(cosines, 0.1):.3f}; those whose n-grams are all known "
        f"({np.mean(complete):.0%}), median {np.median(cosines[complete]):.4f}"
    )


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / lengths)


if __name__ == "__main__":
    main()
