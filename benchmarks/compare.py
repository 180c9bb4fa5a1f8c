"""Train with brasa and with fastText 0.9.2 on the same text, in turn, and print one table.

    python benchmarks/compare.py [CORPUS] [--modes skipgram ...] [--runs 3] [--threads 2]

Each program is a process of its own, from reading the text to the saved model; brasa takes its
seconds, processor seconds and peak memory from the operating system, as for fastText. Quality is
scored by brasa's evaluation for both, in-vocabulary pairs only: WordSim-353, SimLex-999, rare words
(RW) and Google analogies among the 30,000 most frequent words; the tables are looked for in --data.
Rows are appended to benchmarks/results/compare.csv.

fastText needs an environment of its own (`.ci/run` makes `.venv-interop`; or name its Python in
BRASA_INTEROP_PYTHON). It runs with twelve threads, its command line's default: with fewer than ten
it would leave part of its matrix at zero at the start. Its Python function takes no seed, but
twelve threads race, so that each run is another sample.

What bounds training is in docs/training.md.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import brasa
from brasa import formats
from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.evaluation.report import score_file
from brasa.parameters import Embeddings
from brasa.vocabulary import Vocabulary

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
PEER = os.environ.get("BRASA_INTEROP_PYTHON", str(ROOT / ".venv-interop/bin/python"))
TABLES = {
    "WS-353": "similarity/en/WS-353-ALL.tsv",
    "SimLex": "similarity/en/SIMLEX-999.tsv",
    "RW": "similarity/en/RW-STANFORD.tsv",
    "analogies": "analogy/questions-words.txt",
}
MODES = ["skipgram-subwords", "skipgram", "cbow", "cbow-subwords"]
SETTINGS = {"vector_dim": 100, "window_size": 5, "negative_samples": 5, "epochs": 5}

# Between this process and the measured one stands a small one: a process starts with the peak
# memory of the one that started it, and this one holds matrices.
_MEASURE = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
wall = time.perf_counter() - start
print(json.dumps([wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
sys.exit(os.waitstatus_to_exitcode(status))
"""
_FASTTEXT = """
import sys, fasttext
corpus, output, model, maxn = sys.argv[1:]
minn = 3 if int(maxn) else 0
fasttext.train_unsupervised(corpus, model=model, lr=0.05, dim=100, ws=5, epoch=5, minCount=5, neg=5,
    t=1e-4, minn=minn, maxn=int(maxn), thread=12, verbose=0).save_model(output)
"""
_FASTTEXT_VECTORS = """
import sys, fasttext, numpy
model = fasttext.load_model(sys.argv[1])
words, counts = model.get_words(include_freq=True)
vectors = [model.get_word_vector(w) for w in words]
numpy.savez(sys.argv[2], words=words, counts=counts, vectors=vectors)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", nargs="?", default=SHARED / "corpora/wiki100m.txt.gz", type=Path)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--runs", type=int, default=1, help="runs of each program, seeds 1 ..")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="brasa's threads")
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of evaluation tables")
    parser.add_argument("--no-peer", action="store_true", help="brasa alone")
    parser.add_argument("options", nargs="*", help="after --: more options of brasa train")
    arguments = parser.parse_args()
    if not arguments.no_peer and not Path(PEER).exists():
        parser.error(f"there is no fastText: {PEER} does not exist (see --help; or use --no-peer)")
    rows: list[dict[str, Any]] = []
    facts = circumstances()
    with tempfile.TemporaryDirectory() as folder:
        corpus = plain(arguments.corpus, Path(folder))
        n_tokens = encode(Corpus(corpus), WordVectorsConfig())[0].n_tokens
        for mode in arguments.modes:
            for seed in range(1, arguments.runs + 1):
                programs = ["brasa"] if arguments.no_peer else ["brasa", "fasttext"]
                for program in programs:
                    row = run(program, mode, seed, corpus, Path(folder), arguments, n_tokens)
                    rows.append(row)
                    print(json.dumps(row), file=sys.stderr, flush=True)
    append_rows("compare", rows, facts)
    print(table(rows))


def plain(corpus: Path, folder: Path) -> Path:
    """The text unpacked: fastText reads nothing else, and both shall read the same."""
    if corpus.suffix != ".gz":
        return corpus
    target = folder / corpus.stem
    with gzip.open(corpus) as packed, target.open("wb") as out:
        while chunk := packed.read(1 << 24):
            out.write(chunk)
    return target


def run(
    program: str,
    mode: str,
    seed: int,
    corpus: Path,
    folder: Path,
    arguments: argparse.Namespace,
    n_tokens: int,
) -> dict[str, Any]:
    """Train one model in a process of its own and score it."""
    architecture, _, subwords = mode.partition("-")
    output = folder / f"{program}-{mode}"
    if program == "brasa":
        command = [sys.executable, "-m", "brasa.cli", "train", architecture, str(corpus)]
        command += ["-o", str(output), "--subwords" if subwords else "--no-subwords"]
        command += ["--no-evaluation", "--quiet", "--seed", str(seed)]
        command += ["--threads", str(arguments.threads), *arguments.options]
        for name, value in SETTINGS.items():
            command += ["--" + name.replace("_", "-"), str(value)]
    else:
        maxn = "6" if subwords else "0"
        command = [PEER, "-c", _FASTTEXT, str(corpus), str(output), architecture, maxn]
    wall, cpu, peak = measured(command)
    embeddings = load(program, output, folder)
    return {
        "mode": mode,
        "program": program,
        "seed": seed,
        "wall_s": round(wall, 1),
        "cpu_s": round(cpu, 1),
        "mwords_per_s": round(n_tokens * SETTINGS["epochs"] / wall / 1e6, 3),
        "peak_mb": round(peak / 2**20),
        **quality(embeddings, arguments.data),
    }


def measured(command: list[str]) -> tuple[float, float, int]:
    """Wall seconds, processor seconds and peak bytes of a process, which must succeed."""
    # As everywhere else, modules are compiled once: 0.06 s of each run of brasa's from a checkout.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    answer = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command], stdout=subprocess.PIPE, env=environment
    )
    if answer.returncode:
        raise SystemExit(f"failed with {answer.returncode}: {' '.join(command)}")
    wall, cpu, peak = json.loads(answer.stdout.splitlines()[-1])
    return wall, cpu, int(peak * (1 if sys.platform == "darwin" else 1024))


def load(program: str, output: Path, folder: Path) -> Embeddings:
    """The trained model; of fastText's, the vectors of its words."""
    if program == "brasa":
        return formats.load(output)
    vectors = folder / "vectors.npz"
    subprocess.run([PEER, "-c", _FASTTEXT_VECTORS, str(output), str(vectors)], check=True)
    output.unlink()
    with np.load(vectors) as arrays:
        counts = arrays["counts"].astype(np.int64)
        # The model file does not tell how many tokens were read; those of rare words are missing.
        vocabulary = Vocabulary.from_words(arrays["words"].tolist(), counts, int(counts.sum()))
        matrix = np.ascontiguousarray(arrays["vectors"], np.float32)
    config = WordVectorsConfig(vector_dim=matrix.shape[1])
    return Embeddings(vocabulary, config, matrix, matrix, np.empty(0, np.uint32))


def quality(embeddings: Embeddings, data: Path) -> dict[str, float]:
    """Rank correlations and the share of analogies answered, of the tables that are there."""
    scores = {}
    for name, path in TABLES.items():
        if not (data / path).exists():
            continue
        result = score_file(embeddings, data / path, restrict_vocab=30_000)
        found = result.total.accuracy if hasattr(result, "total") else result.spearmans_rho
        scores[name] = round(float(found), 4)
    return scores


def circumstances() -> dict[str, Any]:
    """What a row of the results holds beside the measured; asked before anything can change."""
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True
    ).stdout.strip()
    return {
        "date": date.today().isoformat(),
        "commit": commit,
        "version": brasa.__version__,
        "cpu": processor(),
        "cores": os.cpu_count(),
    }


def append_rows(name: str, rows: list[dict[str, Any]], facts: dict[str, Any]) -> None:
    """Add rows to benchmarks/results/NAME.csv, each with the facts before it."""
    path = ROOT / f"benchmarks/results/{name}.csv"
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, [*facts, *rows[0]])
        if new:
            writer.writeheader()
        writer.writerows({**facts, **row} for row in rows)


def processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [
        line.split(":", 1)[1].strip()
        for line in (info.read_text().splitlines() if info.exists() else [])
        if line.startswith("model name")
    ]
    return names[0] if names else platform.processor()


def table(rows: list[dict[str, Any]]) -> str:
    """Medians of speed and memory, means of quality, and brasa's ratios to fastText."""
    measures = [name for name in TABLES if name in rows[0]]
    heads = ["mode", "program", "wall s", "CPU s", "M words/s", "peak MB", *measures, "faster"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for mode in dict.fromkeys(row["mode"] for row in rows):
        walls = {}
        for program in ("fasttext", "brasa"):
            runs = [r for r in rows if (r["mode"], r["program"]) == (mode, program)]
            if not runs:
                continue
            walls[program] = statistics.median(r["wall_s"] for r in runs)
            cells = [mode, program, *(
                f"{statistics.median(r[key] for r in runs):g}"
                for key in ("wall_s", "cpu_s", "mwords_per_s", "peak_mb")
            ), *(f"{statistics.mean(r[key] for r in runs):.3f}" for key in measures)]  # fmt: skip
            ratio = walls["fasttext"] / walls["brasa"] if len(walls) == 2 else None
            cells.append(f"{ratio:.1f}x" if ratio else "")
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
