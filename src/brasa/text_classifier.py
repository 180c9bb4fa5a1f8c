"""`TextClassifier`: a text classifier in use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from brasa import _native, formats
from brasa.errors import ConfigError, ModelFormatError, UnknownWordError
from brasa.parameters import Classifier, QuantizedMatrix

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from brasa.neighbors import FloatVector
    from brasa.parameters import FloatMatrix

Prediction = tuple[str, float]

# What fastText adds to each probability that it reports, and to each factor of a tree's.
FASTTEXT_EPSILON = 1e-5
_NO_LIMIT = 2**62


class TextClassifier:
    """A model that gives texts labels. Made by `load`; safe to use from several threads.

    Examples
    --------
    >>> classifier = brasa.TextClassifier.load("lid.176.ftz")
    >>> classifier.predict("quem vem lá ?", k=2)
    [('__label__pt', 0.97), ('__label__gl', 0.01)]
    >>> classifier.predict(["quem vem lá ?", "who goes there ?"])
    [[('__label__pt', 0.97)], [('__label__en', 0.99)]]
    """

    def __init__(self, model: Classifier) -> None:
        self._model = model
        try:
            self._native = _native_classifier(model)
        except ValueError as error:
            raise ModelFormatError("classifier", f"broken: {error}") from None
        self._labels = model.labels.words

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TextClassifier:
        """Open a classifier: fastText's `.bin` or `.ftz`, told by its content.

        Raises
        ------
        StorageError
            When there is nothing to read at `path`.
        ModelFormatError
            When it is not a model, or a broken one, or one of word vectors.
        """
        return cls(formats.load_classifier(path))

    def export(self, path: str | os.PathLike[str]) -> None:
        """Write fastText's format: `.ftz` when the model is quantized, `.bin` when it is not.

        A model that was read from such a file becomes the same bytes again.

        Raises
        ------
        StorageError
            When it cannot be written; what was at `path` is then untouched.
        """
        formats.fasttext.write(self._model, path)

    @overload  # a string is an iterable of strings too, so the two overlap
    def predict(  # type: ignore[overload-overlap]
        self, texts: str, k: int = 1, threshold: float = 0.0
    ) -> list[Prediction]: ...
    @overload
    def predict(
        self, texts: Iterable[str], k: int = 1, threshold: float = 0.0
    ) -> list[list[Prediction]]: ...
    def predict(
        self, texts: str | Iterable[str], k: int = 1, threshold: float = 0.0
    ) -> list[Prediction] | list[list[Prediction]]:
        """The labels of one text, or of each of many, with their probabilities, best first.

        Many texts are shared among all processors, without Python's lock.

        Parameters
        ----------
        texts : str or iterable of str
            A text is one line. Labels in it, and what begins as a label does, are passed over.
        k : int
            How many labels, at most.
        threshold : float
            Labels that are less probable are left out.

        Returns
        -------
        list of (str, float), or a list of such lists
            Labels as they are in the model, with their prefix. Empty for a text of which the model
            knows nothing. Probabilities of softmax and of hierarchical softmax sum to one over all
            labels; those of `ns` and `ova` stand for themselves. fastText reports each 0.00001
            higher (`hs`: each factor of it), so that it may print 1.00001.

        Raises
        ------
        ConfigError
            When `k` or `threshold` is impossible, or a text is no string, or of several lines.
        """
        _check(k, threshold)
        if isinstance(texts, str):
            _check_line(texts)
            return self._one(texts, int(k), float(threshold), 0.0)
        return self._many(_lines(texts), int(k), float(threshold), 0.0)

    def sentence_vector(self, text: str) -> FloatVector:
        """The vector that a text is classified by, float32, shape (vector_dim,).

        It is the mean of the rows of its words, their character n-grams and its word n-grams, of
        the line's end (``</s>``) too.
        """
        vector: FloatVector = self.sentence_vectors([text])[0]
        return vector

    def sentence_vectors(self, texts: Iterable[str]) -> FloatMatrix:
        """The vectors of many texts, float32, shape (len(texts), vector_dim)."""
        return self._vectors(_lines(texts), as_words=False)

    def word_vector(self, word: str) -> FloatVector:
        """The mean of the rows of a word and its character n-grams; zeros when it has none."""
        vector: FloatVector = self.word_vectors([word])[0]
        return vector

    def word_vectors(self, words: Iterable[str]) -> FloatMatrix:
        """The vectors of many words, float32, shape (len(words), vector_dim)."""
        return self._vectors(_strings(words), as_words=True)

    @property
    def labels(self) -> list[str]:
        """The labels, with their prefix, in the order of their rows."""
        return list(self._labels)

    @property
    def words(self) -> list[str]:
        """The vocabulary, in the order of its rows; made at the first call."""
        return self._model.vocabulary.words

    @property
    def vector_dim(self) -> int:
        """Length of the vectors."""
        return self._model.vector_dim

    @property
    def quantized(self) -> bool:
        """Whether its input matrix is held as codes of a product quantizer."""
        return isinstance(self._model.input, QuantizedMatrix)

    @property
    def metadata(self) -> dict[str, Any]:
        """Where the model comes from."""
        return self._model.metadata

    @property
    def model(self) -> Classifier:
        """The matrices and what they mean."""
        return self._model

    def __repr__(self) -> str:
        quantized = ", quantized" if self.quantized else ""
        return (
            f"<TextClassifier: {len(self._labels)} labels, {len(self._model.vocabulary)} words, "
            f"vector_dim={self.vector_dim}, loss={self._model.loss}{quantized}>"
        )

    def _one(self, text: str, k: int, threshold: float, epsilon: float) -> list[Prediction]:
        try:
            return self._native.predict_one(text, self._labels, k, threshold, epsilon)
        except ValueError as error:
            raise ConfigError("texts", text, f"text: {error}") from None

    def _many(
        self, lines: list[str], k: int, threshold: float, epsilon: float
    ) -> list[list[Prediction]]:
        try:
            offsets, labels, values = self._native.predict(lines, k, threshold, epsilon)
        except ValueError as error:
            raise ConfigError("texts", "a text in the list", f"text: {error}") from None
        names = self._labels
        named = [names[label] for label in labels.tolist()]
        pairs = list(zip(named, values.tolist(), strict=True))
        if len(pairs) == len(lines) and k == 1 and (np.diff(offsets) == 1).all():
            return [[pair] for pair in pairs]
        ends = offsets.tolist()
        return [pairs[ends[i] : ends[i + 1]] for i in range(len(lines))]

    def _vectors(self, texts: list[str], *, as_words: bool) -> FloatMatrix:
        out = np.empty((len(texts), self.vector_dim), np.float32)
        try:
            self._native.vectors(texts, as_words, out)
        except ValueError as error:
            raise UnknownWordError("a text in the list", f"not text: {error}") from None
        return out


def _native_classifier(model: Classifier) -> _native.Classifier:
    dense: FloatMatrix | None = None
    codes: _native.QuantizedRows | None = None
    if isinstance(model.input, QuantizedMatrix):
        matrix = model.input
        norms = matrix.norm_quantizer
        codes = _native.QuantizedRows(
            matrix.codes,
            matrix.quantizer.centroids,
            matrix.quantizer.dim,
            matrix.quantizer.part_dim,
            matrix.norm_codes,
            None if norms is None else norms.centroids,
        )
    else:
        dense = model.input
    output = model.output
    return _native.Classifier(
        word_bytes=model.vocabulary.arena,
        word_offsets=model.vocabulary.offsets,
        label_bytes=model.labels.arena,
        label_offsets=model.labels.offsets,
        label_counts=model.labels.counts,
        label_prefix=model.label_prefix.encode("utf-8", "surrogateescape"),
        loss=model.loss,
        word_ngrams=model.word_ngrams,
        min_char=model.min_char,
        max_char=model.max_char,
        buckets=model.buckets,
        bucket_ids=model.bucket_ids,
        bucket_rows=model.bucket_rows,
        drops_other_buckets=model.drops_other_buckets,
        rows=dense,
        codes=codes,
        output=output.decode() if isinstance(output, QuantizedMatrix) else output,
    )


def _check(k: object, threshold: object) -> None:
    whole = isinstance(k, (int, np.integer)) and not isinstance(k, bool)
    if not whole or not 1 <= k < _NO_LIMIT:  # type: ignore[operator]
        raise ConfigError("k", k, "a whole number, at least 1")
    real = isinstance(threshold, (int, float, np.integer, np.floating))
    if not real or not math.isfinite(threshold):  # type: ignore[arg-type]
        raise ConfigError("threshold", threshold, "a finite number")


def _strings(texts: Iterable[str]) -> list[str]:
    if isinstance(texts, (str, bytes)):
        raise ConfigError("texts", texts, "several strings, not one")
    try:
        strings = list(texts)
    except TypeError:
        raise ConfigError("texts", texts, "strings") from None
    for text in strings:
        if not isinstance(text, str):
            raise ConfigError("texts", text, "strings")
    return strings


def _lines(texts: Iterable[str]) -> list[str]:
    lines = _strings(texts)
    for line in lines:
        _check_line(line)
    return lines


def _check_line(text: str) -> None:
    if "\n" in text:
        raise ConfigError("texts", text, "of one line each: put spaces in place of line ends")
