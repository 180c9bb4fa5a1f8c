"""`_FastText`: a model with the methods that fastText's Python objects have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brasa import formats
from brasa.errors import ConfigError, StorageError
from brasa.fasttext import rows, text
from brasa.fasttext.arguments import Arguments, loss_name
from brasa.fasttext.errors import FileError
from brasa.fasttext.meter import _Meter
from brasa.fasttext.opened import OpenedModel, probability
from brasa.fasttext.text import decoded, line, line_tokens, string, whole
from brasa.text_classifier import FASTTEXT_EPSILON

if TYPE_CHECKING:
    from brasa.parameters import Classifier, Embeddings, FloatMatrix

Scored = list[tuple[float, str]]

_NO_MATRIX = "one with a matrix: Can't get quantized Matrix"


class _Handle:
    """What stands for fastText's C++ object, `model.f`: it knows the arguments."""

    def __init__(self, arguments: Arguments, quantized: bool) -> None:
        self._arguments, self._quantized = arguments, quantized

    def getArgs(self) -> Arguments:
        return self._arguments

    def isQuant(self) -> bool:
        return self._quantized


class _FastText:
    """A model as `train_supervised`, `train_unsupervised` and `load_model` return it.

    Names are `str`; what is not UTF-8 in them is treated as `on_unicode_error` says: strict,
    replace, ignore. Errors are brasa's, and of the types that fastText raises: `ValueError`,
    `TypeError`.
    """

    # Those of a model that has just been trained.
    lr: float
    dim: int
    ws: int
    epoch: int
    minCount: int
    minCountLabel: int
    minn: int
    maxn: int
    neg: int
    wordNgrams: int
    loss: loss_name
    bucket: int
    thread: int
    lrUpdateRate: int
    t: float
    label: str
    verbose: int
    pretrainedVectors: str

    def __init__(self, model_path: Any = None, args: Arguments | None = None) -> None:
        self._opened: OpenedModel | None = None
        self._arguments = Arguments() if args is None else args
        self._words: list[str] | None = None
        self._labels: list[str] | None = None
        if model_path is not None:
            self._opened = OpenedModel.load(model_path)
            self._arguments = Arguments.of_file(rows.file_arguments(self._opened.model))
        self.set_args(args)

    @classmethod
    def _of(cls, model: Embeddings | Classifier, arguments: Arguments) -> _FastText:
        """A model that has just been trained."""
        made = cls(args=arguments)
        made._opened = OpenedModel(model, arguments.label)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        known = {name: value for name, value in vars(self).items() if name in _ATTRIBUTES}
        opened = self._opened
        saved = None if opened is None else (opened.model, opened.label_prefix)
        return _restored, (saved, self._arguments, known)

    def set_args(self, args: Arguments | None = None) -> None:
        """Take over the arguments of a training as attributes: `lr`, `dim`, `epoch`, ..."""
        if args:
            for name in _ATTRIBUTES:
                setattr(self, name, getattr(args, name))

    @property
    def f(self) -> _Handle:
        """The arguments, as ``model.f.getArgs()``."""
        return _Handle(self._arguments, self.is_quantized())

    def is_quantized(self) -> bool:
        """Whether rows are codes of a product quantizer."""
        return rows.codes_of(self._it.model) is not None

    def get_dimension(self) -> int:
        """Length of the vectors."""
        return self._it.dim

    def get_word_vector(self, word: str) -> FloatMatrix:
        """The vector of a word, float32, shape (dim,); zeros when it has no row at all."""
        vector: FloatMatrix = self._it.vectors([string(word)])[0]
        return vector

    def get_sentence_vector(self, text: str) -> FloatMatrix:
        """The vector of a line, float32, shape (dim,).

        Of classifiers: what the line is classified by. Of word vectors: the mean of its words'
        vectors, each scaled to length 1.
        """
        vector: FloatMatrix = self._it.sentence_vectors([line(text)])[0]
        return vector

    def get_nearest_neighbors(
        self, word: str, k: int = 10, on_unicode_error: str = "strict"
    ) -> Scored:
        """The `k` words of the greatest cosine, as (cosine, word), best first.

        Words whose vector is zero are not found; nothing is when `word` has no vector.
        """
        return _named(self._it.neighbors(string(word), whole("k", k)), on_unicode_error)

    def get_analogies(
        self,
        wordA: str,
        wordB: str,
        wordC: str,
        k: int = 10,
        on_unicode_error: str = "strict",
    ) -> Scored:
        """The `k` words nearest to A - B + C, each scaled to length 1, as (cosine, word)."""
        words = string(wordA), string(wordB), string(wordC)
        return _named(self._it.analogies(*words, whole("k", k)), on_unicode_error)

    def get_word_id(self, word: str) -> int:
        """Row of a word (of a label: its number after all words); -1 when it is not known."""
        vocabulary, name = self._it.model.vocabulary, string(word)
        found = vocabulary.index(name)
        if found is not None:
            return found
        label = self._it.label_id(name)
        return -1 if label < 0 else len(vocabulary) + label

    def get_label_id(self, label: str) -> int:
        """Row of a label in the output matrix; -1 when it is not one."""
        return self._it.label_id(string(label))

    def get_subword_id(self, subword: str) -> int:
        """Row in the input matrix of a string that is taken for an n-gram."""
        return rows.bucket_of(self._it.model, string(subword))

    def get_subwords(
        self, word: str, on_unicode_error: str = "strict"
    ) -> tuple[list[str], npt.NDArray[np.int64]]:
        """The word, if it is known, and its n-grams; and the row of each, int64.

        N-grams that a quantized model has no row for are left out.
        """
        parts, ids = rows.subwords(self._it.model, string(word))
        return decoded(parts, on_unicode_error), np.array(ids, np.int64)

    def get_input_vector(self, ind: int) -> FloatMatrix:
        """A row of the input matrix, float32, shape (dim,)."""
        return rows.input_row(self._it.model, whole("ind", ind))

    def predict(
        self,
        text: str | list[str],
        k: int = 1,
        threshold: float = 0.0,
        on_unicode_error: str = "strict",
    ) -> Any:
        """The `k` most probable labels of a line, or of each line of a list; -1: all labels.

        Returns
        -------
        (tuple of str, float64), or for a list (list of lists of str, list of float32)
            Labels, and their probabilities, each 0.00001 higher than it is, as fastText has them.
        """
        classifier, k, threshold = self._it.supervised, self._it.limit(k), probability(threshold)
        if isinstance(text, list):
            many = classifier._many([line(entry) for entry in text], k, threshold, FASTTEXT_EPSILON)
            return (
                [decoded([label for label, _ in pairs], on_unicode_error) for pairs in many],
                [np.array([p for _, p in pairs], np.float32) for pairs in many],
            )
        found = classifier._one(line(text), k, threshold, FASTTEXT_EPSILON)
        labels = decoded([label for label, _ in found], on_unicode_error)
        return tuple(labels), np.array([p for _, p in found], np.float64)

    def get_input_matrix(self) -> FloatMatrix:
        """A copy of the input matrix: a row for every word, then one for every bucket."""
        if self.is_quantized():
            raise ConfigError("model", "a quantized one", _NO_MATRIX)
        return rows.input_matrix(self._it.model)

    def get_output_matrix(self) -> FloatMatrix:
        """A copy of the output matrix."""
        if self.is_quantized():
            raise ConfigError("model", "a quantized one", _NO_MATRIX)
        return np.array(self._it.model.output)

    def get_words(self, include_freq: bool = False, on_unicode_error: str = "strict") -> Any:
        """All words, in the order of their rows; with `include_freq` and their counts, int64."""
        return _listed(self._it.model.vocabulary, include_freq, on_unicode_error)

    def get_labels(self, include_freq: bool = False, on_unicode_error: str = "strict") -> Any:
        """All labels, and with `include_freq` their counts; the words of a word-vector model."""
        if self._it.classifier is None:
            return self.get_words(include_freq, on_unicode_error)
        return _listed(self._it.classifier.model.labels, include_freq, on_unicode_error)

    def get_line(self, text: str | list[str], on_unicode_error: str = "strict") -> Any:
        """Words, ``</s>`` the last of them, and known labels of a line, or of each of a list.

        A label is a token that begins with the prefix that the model was trained with.
        """
        if isinstance(text, list):
            pairs = [self.get_line(entry, on_unicode_error) for entry in text]
            return [words for words, _ in pairs], [labels for _, labels in pairs]
        words, labels = self._it.split(line_tokens(line(text, "get_line")))
        return decoded(words, on_unicode_error), decoded(labels, on_unicode_error)

    def save_model(self, path: Any) -> None:
        """Write fastText's format: `.ftz` of a quantized model, else `.bin`."""
        name = text.path(path)
        try:
            formats.fasttext.write(self._it.model, name)
        except StorageError as error:
            raise FileError(name, f"cannot be opened for saving! ({error})") from error

    def test(self, path: Any, k: int = 1, threshold: float = 0.0) -> tuple[int, float, float]:
        """Number of texts with labels in a file, and precision and recall at `k`."""
        report = self._it.report(path, k, probability(threshold))
        scores = _scores(report.micro)
        return report.n, scores["precision"], scores["recall"]

    def test_label(
        self, path: Any, k: int = 1, threshold: float = 0.0
    ) -> dict[str, dict[str, float]]:
        """Precision, recall and F1 of each label; NaN where there is nothing to divide by."""
        report = self._it.report(path, k, probability(threshold))
        names = decoded(list(report.labels), "strict")
        return dict(zip(names, map(_scores, report.labels.values()), strict=True))

    def get_meter(self, path: Any, k: int = -1) -> _Meter:
        """Precision and recall on a file for every threshold, from the `k` best labels of each."""
        return _Meter(self._it.supervised.labels, self._it.predictions(path, k))

    def quantize(
        self,
        input: Any = None,
        qout: bool = False,
        cutoff: int = 0,
        retrain: bool = False,
        epoch: int | None = None,
        lr: float | None = None,
        thread: int | None = None,
        verbose: int | None = None,
        dsub: int = 2,
        qnorm: bool = False,
    ) -> None:
        """Turn rows into codes, with `cutoff` the largest rows only: see `TextClassifier.quantize`.

        With `retrain` the rows that `cutoff` leaves are trained on first, on the text `input`;
        `epoch`, `lr` and `thread` are by default those of the model.
        """
        if self._it.classifier is None:
            allowed = "a classifier: For now we only support quantization of supervised models"
            raise ConfigError("model", "word vectors", allowed)
        if retrain and not input:
            raise ConfigError("input", input, "a file: Need input file path if retraining")
        training: dict[str, Any] = {}
        if retrain:
            training = {
                "retrain": Path(text.path(input)),
                "epochs": epoch or self._arguments.epoch,
                "learning_rate": lr or self._arguments.lr,
                "threads": thread or self._arguments.thread,
            }
        small = self._it.classifier.quantize(
            cutoff=whole("cutoff", cutoff), qnorm=bool(qnorm), qout=bool(qout),
            dsub=min(whole("dsub", dsub), self._it.dim), **training,
        )  # fmt: skip
        self._replace(small.model)

    def set_matrices(self, input_matrix: Any, output_matrix: Any) -> None:
        """Replace both matrices; the number of columns may change, that of rows may not."""
        self._replace(rows.with_matrices(self._it.model, input_matrix, output_matrix))

    @property
    def words(self) -> list[str]:
        """All words; made at the first use."""
        if self._words is None:
            self._words = self.get_words()
        return self._words

    @property
    def labels(self) -> list[str]:
        """All labels; made at the first use."""
        if self._labels is None:
            self._labels = self.get_labels()
        return self._labels

    def __getitem__(self, word: str) -> FloatMatrix:
        return self.get_word_vector(word)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self._it.model.vocabulary.index(word) is not None

    @property
    def _it(self) -> OpenedModel:
        if self._opened is None:
            raise ConfigError("model", None, "loaded or trained first")
        return self._opened

    def _replace(self, model: Embeddings | Classifier) -> None:
        self._opened = OpenedModel(model, self._it.label_prefix)
        self._words = self._labels = None


_ATTRIBUTES = tuple(_FastText.__annotations__)


def _restored(
    saved: tuple[Any, str] | None, arguments: Arguments, known: dict[str, Any]
) -> _FastText:
    """A model that was pickled."""
    made = _FastText()
    made._arguments = arguments
    if saved is not None:
        made._opened = OpenedModel(*saved)
    vars(made).update(known)
    return made


def _named(found: Scored, on_unicode_error: str) -> Scored:
    names = decoded([word for _, word in found], on_unicode_error)
    return [(score, name) for (score, _), name in zip(found, names, strict=True)]


def _listed(vocabulary: Any, include_freq: bool, on_unicode_error: str) -> Any:
    names = decoded(vocabulary.words, on_unicode_error)
    return (names, np.array(vocabulary.counts)) if include_freq else names


def _scores(score: Any) -> dict[str, float]:
    """Ratios as fastText gives them: of nothing NaN."""
    nan = float("nan")
    return {
        "precision": score.precision if score.n_predicted else nan,
        "recall": score.recall if score.n_true else nan,
        "f1score": score.f1 if score.n_predicted + score.n_true else nan,
    }
