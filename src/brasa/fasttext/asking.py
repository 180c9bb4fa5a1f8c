"""Commands that ask a model: predict, test, nn, dump, ...; numbers as C++ streams print them."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brasa import _native
from brasa.errors import ConfigError
from brasa.fasttext import rows
from brasa.fasttext.arguments import loss_name, model_name
from brasa.fasttext.errors import FileError
from brasa.fasttext.flags import UsageError, integer, real
from brasa.fasttext.opened import OpenedModel
from brasa.parameters import Classifier
from brasa.text_classifier import FASTTEXT_EPSILON
from brasa.vocabulary import pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from brasa.metrics import ClassificationReport
    from brasa.parameters import FloatMatrix

_READ_BYTES = 1 << 20
_CHUNK_ROWS = 4096
_DATA = (
    "\n  <model>      model filename\n  <test-data>  file of texts; -: standard input\n"
    "  <k>          how many labels; 1 by default, -1: all\n"
    "  <th>         least probability; 0.0 by default"
)
_MODEL = "\n  <model>      model filename"
_K = "\n  <k>          how many words; 10 by default"
_LOSSES = {**{loss: loss.name for loss in loss_name}, loss_name.ova: "one-vs-all"}
_MODELS = {model_name.cbow: "cbow", model_name.skipgram: "sg", model_name.supervised: "sup"}


def predict(command: str, arguments: list[str]) -> None:
    """A line for each line of text: its labels, with ``predict-prob`` each with its probability."""
    model, name, k, threshold = _data_arguments(command, arguments, "predict[-prob]")
    limit, classifier = model.limit(k), model.supervised
    with_probability = command == "predict-prob"
    for lines in _batches(name):
        found = classifier._many(lines, limit, threshold, FASTTEXT_EPSILON)
        if with_probability:
            texts = (" ".join(f"{label} {p:.6g}" for label, p in pairs) for pairs in found)
        else:
            texts = (" ".join(label for label, _ in pairs) for pairs in found)
        _print_lines(texts)


def test(command: str, arguments: list[str]) -> None:
    """Number of texts, precision and recall; with ``test-label`` those of each label first."""
    model, name, k, threshold = _data_arguments(command, arguments, command)
    report = model.report(name, k, threshold)
    number = ".3g"
    if command == "test-label":
        number = ".3f"
        _print_lines(_label_lines(report))
    precision = report.precision if report.micro.n_predicted else math.nan
    recall = report.recall if report.micro.n_true else math.nan
    _print_lines([f"N\t{report.n}", f"P@{k}\t{precision:{number}}", f"R@{k}\t{recall:{number}}"])


def print_word_vectors(command: str, arguments: list[str]) -> None:
    """A line for each word of standard input: the word and its numbers."""
    model = _model(arguments, 1, "print-word-vectors <model>\n" + _MODEL)
    for lines in _batches("-"):
        words = [word for line in lines for word in line.encode("utf-8", "surrogateescape").split()]
        texts = [word.decode("utf-8", "surrogateescape") for word in words]
        _print_vectors(words, model.vectors(texts))


def print_sentence_vectors(command: str, arguments: list[str]) -> None:
    """A line for each line of standard input: the numbers of its vector."""
    model = _model(arguments, 1, "print-sentence-vectors <model>\n" + _MODEL)
    for lines in _batches("-"):
        _print_lines(map(_numbers, model.sentence_vectors(lines)))


def print_ngrams(command: str, arguments: list[str]) -> None:
    """A line for each n-gram of a word: the n-gram and the numbers of its row."""
    usage = "print-ngrams <model> <word>\n" + _MODEL + "\n  <word>       word to print"
    model = _model(arguments, 2, usage)
    parts, ids = rows.subwords(model.model, arguments[1])
    for part, row in zip(parts, ids, strict=True):
        _print_lines([f"{part} {_numbers(rows.input_row(model.model, row))}"])


def neighbors(command: str, arguments: list[str]) -> None:
    """Ask for words, and print the nearest ones."""
    model, k = _asked(arguments, "nn")
    prompt = "Query word? "
    _print(prompt)
    for word in _words():
        _print_scored(model.neighbors(word, k), prompt)


def analogies(command: str, arguments: list[str]) -> None:
    """Ask for triplets of words A, B and C, and print what is nearest to A - B + C."""
    if len(arguments) in (1, 2):
        _print_lines([f"Loading model {arguments[0]}"])
    model, k = _asked(arguments, "analogies")
    prompt = "Query triplet (A - B + C)? "
    _print(prompt)
    words = _words()
    for a, b, c in zip(words, words, words, strict=False):
        _print_scored(model.analogies(a, b, c, k), prompt)


def dump(command: str, arguments: list[str]) -> None:
    """Print the arguments, the dictionary, or the rows of a matrix."""
    usage = "dump <model> <option>\n" + _MODEL + "\n  <option>     args, dict, input or output"
    if len(arguments) < 2 or arguments[1] not in ("args", "dict", "input", "output"):
        raise UsageError(f"usage: fasttext {usage}")
    model = OpenedModel.load(arguments[0]).model
    what = arguments[1]
    if what == "args":
        _print_lines(f"{name} {value}" for name, value in _arguments_of(model))
    elif what == "dict":
        labels = _labels_of(model)
        _print_lines([str(len(model.vocabulary) + (0 if labels is None else len(labels)))])
        for kind, names in (("word", model.vocabulary), ("label", labels)):
            if names is not None:
                counts = names.counts.tolist()
                _print_lines(f"{w} {n} {kind}" for w, n in zip(names.words, counts, strict=True))
    elif rows.codes_of(model) is not None:
        sys.stderr.write("Not supported for quantized models.\n")
    else:
        _dump_matrix(rows.input_matrix(model) if what == "input" else np.asarray(model.output))


def _data_arguments(
    command: str, arguments: list[str], shown: str
) -> tuple[OpenedModel, str, int, float]:
    if not 2 <= len(arguments) <= 4:
        raise UsageError(f"usage: fasttext {shown} <model> <test-data> [<k>] [<th>]\n{_DATA}")
    k = integer("k", arguments[2]) if len(arguments) > 2 else 1
    threshold = real("th", arguments[3]) if len(arguments) > 3 else 0.0
    return OpenedModel.load(arguments[0]), arguments[1], k, threshold


def _model(arguments: list[str], n: int, usage: str) -> OpenedModel:
    if len(arguments) != n:
        raise UsageError(f"usage: fasttext {usage}")
    return OpenedModel.load(arguments[0])


def _asked(arguments: list[str], command: str) -> tuple[OpenedModel, int]:
    if len(arguments) not in (1, 2):
        raise UsageError(f"usage: fasttext {command} <model> <k>\n{_MODEL}{_K}")
    k = integer("k", arguments[1]) if len(arguments) > 1 else 10
    if k < 1:
        raise ConfigError("k", k, "1 or higher")
    return OpenedModel.load(arguments[0]), k


def _label_lines(report: ClassificationReport) -> Iterator[str]:
    for label, score in report.labels.items():
        n_both = score.n_predicted + score.n_true
        columns = (
            ("F1-Score", score.f1 if n_both else None),
            ("Precision", score.precision if score.n_predicted else None),
            ("Recall", score.recall if score.n_true else None),
        )
        shown = (f"{name} : {'--------' if x is None else f'{x:.6f}'}  " for name, x in columns)
        yield "".join(shown) + " " + label


def _arguments_of(model: Any) -> Iterator[tuple[str, object]]:
    found = rows.file_arguments(model)
    maxn = model.max_char if isinstance(model, Classifier) else found.maxn
    names = ("dim", "ws", "epoch", "minCount", "neg", "wordNgrams", "loss", "model", "bucket",
             "minn", "maxn", "lrUpdateRate", "t")  # fmt: skip
    shown = {
        "loss": _LOSSES[loss_name(found.loss)],
        "model": _MODELS[model_name(found.model)],
        "maxn": maxn,
        "t": f"{found.t:.6g}",
    }
    for name, value in zip(names, found, strict=True):
        yield name, shown.get(name, value)


def _labels_of(model: Any) -> Any:
    if isinstance(model, Classifier):
        return model.labels
    return None if model.fasttext is None else model.fasttext.labels


def _dump_matrix(matrix: FloatMatrix) -> None:
    _print_lines([f"{matrix.shape[0]} {matrix.shape[1]}"])
    for first in range(0, len(matrix), _CHUNK_ROWS):
        some = matrix[first : first + _CHUNK_ROWS].tolist()
        _print_lines(" ".join(f"{x:.6g}" for x in row) for row in some)


def _batches(name: str) -> Iterator[list[str]]:
    """The lines of a file, or of standard input, as many at a time as are there."""
    if name == "-":
        yield from _lines_of(sys.stdin.buffer)
        return
    try:
        with Path(name).open("rb") as file:
            yield from _lines_of(file)
    except OSError as error:
        raise FileError(name, f"Input file cannot be opened! ({error})") from error


def _lines_of(stream: Any) -> Iterator[list[str]]:
    waiting: list[bytes] = []
    while piece := stream.read1(_READ_BYTES):
        waiting.append(piece)
        if b"\n" in piece:
            whole, rest = b"".join(waiting).rsplit(b"\n", 1)
            yield _decoded(whole)
            waiting = [rest] if rest else []
    if waiting:
        yield _decoded(b"".join(waiting))


def _decoded(text: bytes) -> list[str]:
    return text.decode("utf-8", "surrogateescape").split("\n")


def _words() -> Iterator[str]:
    """The words of standard input, each as soon as its line is there."""
    for line in sys.stdin.buffer:
        for word in line.split():
            yield word.decode("utf-8", "surrogateescape")


def _numbers(vector: FloatMatrix) -> str:
    return "".join(f"{x:.5g} " for x in vector.tolist())


def _print_scored(found: list[tuple[float, str]], prompt: str) -> None:
    _print("".join(f"{word} {score:.6g}\n" for score, word in found) + prompt)


def _print_vectors(words: list[bytes], vectors: FloatMatrix) -> None:
    arena, offsets = pack(words)
    _write(b"".join(_native.format_vector_lines(arena, offsets, 0, vectors)))


def _print_lines(lines: Iterable[str]) -> None:
    _print("".join(f"{line}\n" for line in lines))


def _print(text: str) -> None:
    _write(text.encode("utf-8", "surrogateescape"))


def _write(data: bytes) -> None:
    """Write all, where unbuffered output (``PYTHONUNBUFFERED``) may take a part only."""
    left = memoryview(data)
    while left:
        left = left[sys.stdout.buffer.write(left) :]
    sys.stdout.buffer.flush()
