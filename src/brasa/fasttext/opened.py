"""A model of either kind, with what the drop-in's methods and commands need of it."""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brasa import _native, formats, lookup
from brasa.corpus import Corpus
from brasa.errors import ConfigError, ModelFormatError, StorageError
from brasa.fasttext.errors import FileError
from brasa.fasttext.rows import codes_of, dim_of
from brasa.fasttext.text import number, path, whole
from brasa.labeled_text import text_pieces
from brasa.neighbors import ExactScan
from brasa.parameters import Classifier
from brasa.sentences import sentence_means
from brasa.text_classifier import FASTTEXT_EPSILON, TextClassifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brasa.metrics import ClassificationReport
    from brasa.parameters import Embeddings, FloatMatrix

_ALL_LABELS = -1


class OpenedModel:
    """Word vectors or a classifier, in use.

    Attributes
    ----------
    model : Embeddings or Classifier
    classifier : TextClassifier or None
    label_prefix : str
        What a token begins with that is taken for a label.
    """

    def __init__(self, model: Embeddings | Classifier, label_prefix: str = "__label__") -> None:
        self.model = model
        self.classifier = TextClassifier(model) if isinstance(model, Classifier) else None
        self.label_prefix = model.label_prefix if isinstance(model, Classifier) else label_prefix

    @classmethod
    def load(cls, name: Any) -> OpenedModel:
        """Open a file of any format that brasa reads and that has rows for n-grams as fastText's.

        Raises
        ------
        FileError
            When there is nothing to read.
        ModelFormatError
            When it is no such model.
        """
        file = path(name)
        try:
            model = formats.open_model(file)
        except StorageError as error:
            raise FileError(file, f"cannot be opened for loading! ({error})") from error
        except ModelFormatError as error:
            raise ModelFormatError(file, f"has wrong file format! ({error})") from error
        if not isinstance(model, Classifier) and model.floret is not None:
            raise ModelFormatError(file, "has wrong file format! (floret's: use brasa.load)")
        return cls(model)

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return dim_of(self.model)

    @property
    def supervised(self) -> TextClassifier:
        """The classifier; refused for word vectors."""
        if self.classifier is None:
            allowed = "a classifier: Model needs to be supervised for prediction!"
            raise ConfigError("model", "word vectors", allowed)
        return self.classifier

    def vectors(self, words: list[str]) -> FloatMatrix:
        """The vectors of words, zeros for those without a row, float32, shape (n, dim)."""
        if isinstance(self.model, Classifier):
            return self.supervised.word_vectors(words)
        if len(words) == 1 and self._composer is not None:
            out = np.empty((1, self.dim), np.float32)
            self._composer.vectors(words, True, out)
            return out
        return lookup.compose(self.model, words)

    def sentence_vectors(self, lines: list[str]) -> FloatMatrix:
        """The vectors of lines, as `get_sentence_vector` has them, float32, shape (n, dim)."""
        if self.classifier is not None:
            return self.classifier.sentence_vectors(lines)
        return sentence_means(lines, self.vectors, self.dim)

    def neighbors(self, word: str, k: int) -> list[tuple[float, str]]:
        """The words of the greatest cosine, best first, with it."""
        return self._nearest(self.vectors([word])[0], [word], k)

    def analogies(self, a: str, b: str, c: str, k: int) -> list[tuple[float, str]]:
        """The words nearest to a - b + c, each scaled to length 1."""
        vectors = self.vectors([a, b, c]).astype(np.float64)
        vectors /= np.linalg.norm(vectors, axis=1)[:, None] + 1e-8
        query = (vectors[0] - vectors[1] + vectors[2]).astype(np.float32)
        return self._nearest(query, [a, b, c], k)

    def label_id(self, token: str) -> int:
        """Number of a label, -1 for what is none."""
        labels = self._labels
        found = None if labels is None else labels.index(token)
        return -1 if found is None else found

    def split(self, tokens: list[str]) -> tuple[list[str], list[str]]:
        """Tokens as words and known labels; unknown labels are neither."""
        words, labels = [], []
        index = self.model.vocabulary.index
        for token in tokens:
            if self.label_id(token) >= 0:
                labels.append(token)
            elif index(token) is not None or not token.startswith(self.label_prefix):
                words.append(token)
        return words, labels

    def limit(self, k: object) -> int:
        """How many labels; -1 stands for all."""
        number = whole("k", k)
        if number == _ALL_LABELS:
            return max(1, len(self.supervised.model.labels))
        if number < 1:
            raise ConfigError(
                "k", k, "at least 1, or -1 for all labels: k needs to be 1 or higher!"
            )
        return number

    def report(self, name: Any, k: object, threshold: float) -> ClassificationReport:
        """Scores on the labeled texts of a file; ``-`` is standard input."""
        classifier, limit = self.supervised, self.limit(k)
        return classifier._test(_pieces(name), limit, threshold, FASTTEXT_EPSILON)

    def predictions(self, name: Any, k: object) -> Iterator[tuple[Any, ...]]:
        """Predictions for the labeled texts of a file and their labels, as `_Meter` takes them."""
        native, limit = self.supervised._native, self.limit(k)
        for piece in _pieces(name):
            found, true_offsets, true, _ = native.test(piece, limit, 0.0, FASTTEXT_EPSILON)
            yield (*found, true_offsets, true)

    def _nearest(self, query: FloatMatrix, banned: list[str], k: int) -> list[tuple[float, str]]:
        if not np.isfinite(query).all() or not query.any():
            return []
        vocabulary = self.model.vocabulary
        indices = vocabulary.indices(banned)
        found = self._scan.nearest(query, k, set(indices[indices >= 0].tolist()))
        return [(cosine, vocabulary.word(row)) for row, cosine in found]

    @property
    def _labels(self) -> Any:
        if isinstance(self.model, Classifier):
            return self.model.labels
        return None if self.model.fasttext is None else self.model.fasttext.labels

    @cached_property
    def _composer(self) -> _native.Classifier | None:
        """Holds the arrays for single words; `lookup.compose`, which takes them anew, is slower."""
        model: Any = self.model
        if codes_of(model) is not None:
            return None
        subwords = model.config.subwords
        return _native.Classifier(
            word_bytes=model.vocabulary.arena,
            word_offsets=model.vocabulary.offsets,
            label_bytes=np.zeros(1, np.uint8),
            label_offsets=np.array([0, 1]),
            label_counts=np.array([1]),
            label_prefix=b"",
            loss="softmax",
            word_ngrams=1,
            min_char=model.config.min_char,
            max_char=model.config.max_char if subwords else 0,
            buckets=model.config.buckets if subwords else 0,
            bucket_ids=model.bucket_ids,
            bucket_rows=None,
            drops_other_buckets=False,
            rows=model.input,
            codes=None,
            output=np.zeros((1, self.dim), np.float32),
        )

    @cached_property
    def _scan(self) -> ExactScan:
        if self.classifier is None:
            embeddings: Any = self.model
            return ExactScan(lookup.compose_words(embeddings, 0, len(embeddings.vocabulary)))
        return ExactScan(self.vectors(self.model.vocabulary.words))


def probability(value: object) -> float:
    """A threshold; what is no number is refused."""
    threshold = number("threshold", value)
    if math.isnan(threshold):
        raise ConfigError("threshold", value, "a number")
    return threshold


def _pieces(name: Any) -> Iterator[bytes]:
    file = path(name)
    try:
        yield from text_pieces(Corpus(file if file == "-" else Path(file)))
    except StorageError as error:
        raise FileError(file, f"Test file cannot be opened! ({error})") from error
