"""Time neighbors among a million words beside NumPy's, gensim's, fastText's; or an index.

    python benchmarks/neighbors.py [--words N] [--dims 100 300] [--peer-python PYTHON]
    python benchmarks/neighbors.py --index MODEL

Rows are random, k is 10, times are medians. NumPy multiplies rows of length 1 and takes the best
with argpartition. fastText and gensim (both of PYTHON, by default BRASA_INTEROP_PYTHON) have no
batches; theirs are single queries. With --index: time to build one of a model's words, its recall,
and the time of a query.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import brasa
from brasa.config import WordVectorsConfig
from brasa.encoding import available_threads
from brasa.formats import export
from brasa.parameters import Embeddings
from brasa.vocabulary import Vocabulary

K, BATCH, REPEATS = 10, 64, 9

_PEER = """
import json, sys, time, numpy as np
rows, model, words, repeats = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), int(sys.argv[4])
def timed(ask):
    ask(words[0])
    seconds = []
    for word in words[:repeats]:
        start = time.perf_counter()
        ask(word)
        seconds.append(time.perf_counter() - start)
    return seconds
from gensim.models import KeyedVectors
matrix = np.load(rows)
vectors = KeyedVectors(matrix.shape[1])
vectors.add_vectors([f"w{i}" for i in range(len(matrix))], matrix)
del matrix
vectors.fill_norms()
gensim = timed(lambda word: vectors.most_similar(word, topn=10))
del vectors
import fasttext
loaded = fasttext.load_model(model)
print(json.dumps([gensim, timed(lambda word: loaded.get_nearest_neighbors(word, k=10))]))
"""


def times_of(run: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    run()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return seconds


def median_ms(run: Callable[[], object], repeats: int = REPEATS) -> float:
    return statistics.median(times_of(run, repeats)) * 1000


def reading_speed(rows: np.ndarray) -> float:
    """GB/s at which all processors together read the matrix from memory, at best.

    What they do with it, the greatest of its bits as whole numbers, takes less time than that.
    """
    parts = np.array_split(rows.reshape(-1).view(np.int32), available_threads())

    def read() -> None:
        threads = [threading.Thread(target=part.max) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return rows.nbytes / min(times_of(read, 2 * REPEATS)) / 1e9


def numpy_search(units: np.ndarray, queries: np.ndarray) -> np.ndarray:
    scores = units @ queries[0] if len(queries) == 1 else queries @ units.T
    scores = scores.reshape(len(queries), -1)
    best = np.argpartition(scores, -K, axis=1)[:, -K:]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1)


def compare(n_words: int, dim: int, peer: str | None) -> None:
    rows = np.random.default_rng(0).random((n_words, dim), np.float32) - np.float32(0.5)
    vocabulary = Vocabulary.from_words((f"w{i}" for i in range(n_words)), [1] * n_words, n_words)
    nothing = np.empty((0, dim), np.float32)
    config = WordVectorsConfig(vector_dim=dim)
    model = Embeddings(vocabulary, config, rows, nothing, np.empty(0, np.uint32))
    vectors = brasa.WordVectors(model)
    words = [f"w{i}" for i in range(0, n_words, n_words // BATCH)][:BATCH]
    gigabytes, speed = rows.nbytes / 1e9, reading_speed(rows)
    times = {
        "brasa": (
            median_ms(lambda: vectors.neighbors(words[0], K)),
            median_ms(lambda: vectors.neighbors_batch(words, K), 5),
        )
    }
    if peer:
        times.update(peers(model, words, peer))
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    queries = vectors.vectors(words)
    times["NumPy"] = (
        median_ms(lambda: numpy_search(units, queries[:1])),
        median_ms(lambda: numpy_search(units, queries), 3),
    )
    print(f"\n{n_words:,} x {dim}; {available_threads()} threads read {speed:.0f} GB/s\n")
    print(f"| | one query, ms | GB/s | {BATCH} queries, ms |\n|---|---|---|---|")
    for name, (single, batch) in times.items():
        print(f"| {name} | {single:.1f} | {gigabytes / single * 1e3:.1f} | {batch:.0f} |")


def peers(model: Embeddings, words: list[str], peer: str) -> dict[str, tuple[float, float]]:
    with tempfile.TemporaryDirectory() as folder:
        rows, file = Path(folder, "rows.npy"), Path(folder, "model.bin")
        np.save(rows, model.input)
        export(model, file, "fasttext")
        command = [peer, "-c", _PEER, str(rows), str(file), json.dumps(words), str(REPEATS)]
        gensim, fasttext = json.loads(subprocess.check_output(command, stderr=subprocess.DEVNULL))
    return {
        name: (statistics.median(seconds) * 1e3, statistics.median(seconds) * BATCH * 1e3)
        for name, seconds in (("gensim", gensim), ("fastText 0.9.2", fasttext))
    }


def time_index(path: str) -> None:
    vectors = brasa.WordVectors.load(path)
    words = vectors.words[:1000]
    scan = median_ms(lambda: vectors.neighbors(words[0], K))
    start = time.perf_counter()
    index = vectors.build_index()
    seconds = time.perf_counter() - start
    query = median_ms(lambda: index.neighbors(words[0], K))
    print(
        f"{len(vectors):,} x {vectors.vector_dim}: built in {seconds:.0f} s, {query:.2f} ms a query"
    )
    print(f"recall of the {K} nearest {index.recall(K):.3f}; a query of the scan {scan:.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--words", type=int, default=1_000_000)
    parser.add_argument("--dims", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--peer-python", default=os.environ.get("BRASA_INTEROP_PYTHON"))
    parser.add_argument("--index", metavar="MODEL")
    arguments = parser.parse_args()
    if arguments.index:
        time_index(arguments.index)
        return
    for dim in arguments.dims:
        compare(arguments.words, dim, arguments.peer_python)


if __name__ == "__main__":
    main()
