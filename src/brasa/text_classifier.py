"""`TextClassifier`: a text classifier in use."""

from __future__ import annotations

import dataclasses
import functools
import math
import os
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from brasa import _native, calibration, formats, warm_start
from brasa.classifier_training import train_classifier
from brasa.config import TextClassifierConfig
from brasa.errors import ConfigError, CorpusError, ModelFormatError, UnknownWordError
from brasa.explanation import Explanation, contributions
from brasa.labeled_tables import LabeledTable
from brasa.labeled_text import labeled_corpus, text_pieces
from brasa.metrics import ClassificationReport, Tally
from brasa.parameters import Classifier, QuantizedMatrix
from brasa.quantization import quantize_classifier
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from brasa.classifier_plan import ClassWeights
    from brasa.config import TextOptions
    from brasa.corpus import Corpus
    from brasa.neighbors import FloatVector
    from brasa.parameters import FloatMatrix
    from brasa.training import Listener

Prediction = tuple[str, float]

# What fastText adds to each probability that it reports, and to each factor of a tree's.
FASTTEXT_EPSILON = 1e-5
_NO_LIMIT = 2**62


class TextClassifier:
    """A model that gives texts labels. Made by `train` or `load`; safe for several threads.

    Examples
    --------
    >>> classifier = brasa.TextClassifier.train("train.txt", validation="valid.txt")
    >>> classifier.test("test.txt").accuracy
    0.91
    >>> classifier = brasa.TextClassifier.load("lid.176.ftz")
    >>> classifier.predict("quem vem lá ?", k=2)
    [('__label__pt', 0.97), ('__label__gl', 0.01)]
    >>> classifier.predict(["quem vem lá ?", "who goes there ?"])
    [[('__label__pt', 0.97)], [('__label__en', 0.99)]]
    """

    def __init__(self, model: Classifier) -> None:
        self._model = model
        try:
            self._native = calibration.calibrated_predictor(model, _native_classifier(model))
        except ValueError as error:
            raise ModelFormatError("classifier", f"broken: {error}") from None
        self._labels = model.labels.words

    @classmethod
    def train(
        cls,
        texts: Any,
        labels: Iterable[Any] | None = None,
        *,
        validation: Any = None,
        weights: Sequence[float] | None = None,
        class_weights: ClassWeights | None = None,
        pretrained: WordVectors | str | os.PathLike[str] | None = None,
        text_options: TextOptions | None = None,
        listeners: Iterable[Listener] = (),
        callback: Listener | None = None,
        keep_partial: bool = False,
        **hyperparameters: Any,
    ) -> TextClassifier:
        """Train a classifier.

        Parameters
        ----------
        texts : str, path, list of paths, Corpus, LabeledTable, or iterable
            Lines with their labels in them, tokens that begin with `label_prefix`, as fastText has
            them: see `brasa.Corpus`. Or columns of a file or data frame: see
            `brasa.labeled_tables.LabeledTable`. Or an iterable of pairs (text, labels), or of
            texts.
        labels : iterable, optional
            For an iterable of texts: the label of each, or a list of labels; `str` or `int`, with
            or without the prefix.
        validation : optional
            Texts on which the accuracy is measured after every epoch: whatever `texts` may be; or
            a pair (texts, labels) of lists.
        weights : sequence of float, optional
            What counts how much: a number from 0 up for each text.
        class_weights : dict of str to float, or "balanced", optional
            The same for labels; balanced: in inverse proportion to their counts.
        pretrained : WordVectors or path, optional
            Words begin with their vectors in it; its length must be `vector_dim`.
        text_options : TextOptions, optional
            Lower-casing, Unicode normalization, treatment of invalid bytes; of `validation` too.
        listeners : iterable of callables
            Each is called with every event of the training: see `brasa.training.Event`.
        callback : callable, optional
            One more listener.
        keep_partial : bool
            After Ctrl-C return what was trained instead of raising.
        **hyperparameters
            Fields of `brasa.TextClassifierConfig`: `word_ngrams`, `loss`, `epochs`, ...

        Raises
        ------
        ConfigError
            For an unknown or impossible hyperparameter; `early_stopping` without `validation`;
            class weights of unknown labels.
        CorpusError, StorageError
            When the text cannot be read, or has nothing to tell apart: one label or none.
        DivergenceError
            When the numbers leave the finite range.
        TrainingInterrupted
            After Ctrl-C, unless `keep_partial`.

        Examples
        --------
        >>> classifier = TextClassifier.train("train.txt", validation="valid.txt", word_ngrams=2)
        >>> classifier = TextClassifier.train(["so good", "so bad"], ["pos", "neg"], min_count=1)
        """
        config = TextClassifierConfig.parse(hyperparameters)
        read = _read(config, texts, labels, validation, weights, text_options)
        if pretrained is not None and not isinstance(pretrained, WordVectors):
            pretrained = WordVectors.load(pretrained)
        model = train_classifier(
            config=config,
            listeners=[*listeners, *([] if callback is None else [callback])],
            keep_partial=keep_partial,
            class_weights=class_weights,
            pretrained=None if pretrained is None else pretrained.embeddings,
            **read,
        )
        return cls(model)

    def train_on(
        self,
        texts: Any,
        labels: Iterable[Any] | None = None,
        *,
        validation: Any = None,
        weights: Sequence[float] | None = None,
        text_options: TextOptions | None = None,
        listeners: Iterable[Listener] = (),
        callback: Listener | None = None,
        keep_partial: bool = False,
        **hyperparameters: Any,
    ) -> TextClassifier:
        """A classifier that was trained on with more texts; this one stays as it is.

        Its words and labels stay: tokens of the texts that it does not have are passed over, and so
        are labels, of which `metadata` has the number. N-grams get rows, but not in a classifier
        that passes over those without one: fastText's, or one that `quantize` made smaller.

        Parameters
        ----------
        texts, labels, validation, weights, text_options, listeners, callback, keep_partial
            As for `train`.
        **hyperparameters
            How to train: `epochs`, `learning_rate`, `seed`, `threads`, ...; by default as the model
            was trained, as far as it says. fastText's files do not have the learning rate, for
            which `brasa.TextClassifierConfig`'s default stands. Those that say what rows mean
            cannot change.

        Raises
        ------
        ConfigError
            For a quantized model, and for a hyperparameter that is impossible or cannot change.
        CorpusError
            As for `train`; when no text has both a label and anything else that the model knows.
        StorageError, ModelFormatError, DivergenceError, TrainingInterrupted
            As for `train`; when the model's numbers are not finite.

        Examples
        --------
        >>> classifier = TextClassifier.load("model.bin")
        >>> classifier.train_on("more.txt", epochs=2).save("newer")
        """
        watch = [*listeners, *([] if callback is None else [callback])]
        model = _trained_on(
            self._model, texts, labels, validation, weights, text_options, hyperparameters,
            listeners=watch, keep_partial=keep_partial,
        )  # fmt: skip
        return type(self)(model)

    def test(
        self,
        texts: Any,
        k: int = 1,
        threshold: float = 0.0,
        *,
        labels: Iterable[Any] | None = None,
        text_options: TextOptions | None = None,
    ) -> ClassificationReport:
        """Predict the labels of texts that have some, and count how often that is right.

        Parameters
        ----------
        texts, labels, text_options
            As for `train`. Texts without a label that the model knows, or without anything else
            that it knows, do not count, as in fastText.
        k : int
            How many labels of each text are predicted, at most.
        threshold : float
            Labels that are less probable are not.

        Returns
        -------
        ClassificationReport
            `n`, `accuracy`, `precision` and `recall` (at k), `labels`: see `brasa.metrics`.

        Raises
        ------
        ConfigError
            When `k` or `threshold` is impossible.
        CorpusError, StorageError
            When the text cannot be read.
        """
        _check(k, threshold)
        prefix = self._model.label_prefix
        corpus = labeled_corpus(texts, prefix, labels=labels, text_options=text_options)
        return self._test(text_pieces(corpus), int(k), float(threshold), 0.0)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TextClassifier:
        """Open a saved classifier, or fastText's `.bin` or `.ftz`, told by its content.

        Raises
        ------
        StorageError
            When there is nothing to read at `path`.
        ModelFormatError
            When it is not a model, or a broken one, or one of word vectors.
        """
        return cls(formats.load_classifier(path))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the model as a folder, replacing a model that is there, all or nothing.

        Only the rows of buckets that a training text touched are in it, and opening it maps them.

        Raises
        ------
        StorageError
            When it cannot be written, or `path` holds something else than a model.
        ModelFormatError
            For a quantized model: `export` it.
        """
        formats.native.write(self._model, path)

    def export(self, path: str | os.PathLike[str]) -> None:
        """Write fastText's format: `.ftz` when the model is quantized, `.bin` when it is not.

        A model that was read from such a file becomes the same bytes again.

        Raises
        ------
        StorageError
            When it cannot be written; what was at `path` is then untouched.
        """
        formats.fasttext.write(self._model, path)

    def quantize(
        self,
        *,
        cutoff: int = 0,
        max_bytes: int | None = None,
        qnorm: bool = False,
        qout: bool = False,
        dsub: int = 2,
        retrain: Any = None,
        text_options: TextOptions | None = None,
        listeners: Iterable[Listener] = (),
        **hyperparameters: Any,
    ) -> TextClassifier:
        """A much smaller classifier, as fastText's `quantize` makes it; `export` writes its `.ftz`.

        Parameters
        ----------
        cutoff, max_bytes, qnorm, qout, dsub
            See `brasa.quantization.quantize_classifier`.
        retrain : optional
            Labeled texts, whatever `train` takes: after rows were dropped, those that stay are
            trained on with them, before they become codes. As in fastText nothing is trained when
            no row was dropped.
        text_options : TextOptions, optional
            Of these texts.
        listeners : iterable of callables
            Each is called with every event of that training.
        **hyperparameters
            Of that training: see `train_on`.

        Raises
        ------
        ConfigError, ModelFormatError
            See `brasa.quantization.quantize_classifier` and `train_on`; for hyperparameters without
            `retrain`.
        CorpusError, StorageError, DivergenceError, TrainingInterrupted
            See `train_on`.
        """
        if retrain is None:
            given = {
                **hyperparameters,
                **({} if text_options is None else {"text_options": "given"}),
            }
            for name, value in given.items():
                raise ConfigError(name, value, "given with retrain")
        else:
            warm_start.continued_classifier(self._model, hyperparameters)  # refused now
            hyperparameters = {"evaluation": False, **hyperparameters}

        def train_on(smaller: Classifier) -> Classifier:
            return _trained_on(
                smaller,
                retrain,
                None,
                None,
                None,
                text_options,
                hyperparameters,
                listeners=listeners,
            )

        smaller = quantize_classifier(
            self._model, cutoff=cutoff, max_bytes=max_bytes, qnorm=qnorm, qout=qout, dsub=dsub,
            retrain=None if retrain is None else train_on,
        )  # fmt: skip
        return type(self)(smaller)

    @overload  # a string is an iterable of strings too, so the two overlap
    def predict(  # type: ignore[overload-overlap]
        self, texts: str, k: int = 1, threshold: float = 0.0, *, prefix: bool = True
    ) -> list[Prediction]: ...
    @overload
    def predict(
        self, texts: Iterable[str], k: int = 1, threshold: float = 0.0, *, prefix: bool = True
    ) -> list[list[Prediction]]: ...
    def predict(
        self,
        texts: str | Iterable[str],
        k: int = 1,
        threshold: float = 0.0,
        *,
        prefix: bool = True,
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
        prefix : bool
            Whether labels are given as they are in the model, or without their prefix.

        Returns
        -------
        list of (str, float), or a list of such lists
            Labels with their probabilities. Empty for a text of which the model
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
            return self._one(texts, int(k), float(threshold), 0.0, prefix)
        return self._many(_lines(texts), int(k), float(threshold), 0.0, prefix)

    def probabilities(self, texts: Iterable[str]) -> FloatMatrix:
        """The probability of every label for many texts, float32, shape (len(texts), n_labels).

        Columns have the order of `labels`. A row is zeros for a text of which the model knows
        nothing. See `predict`.
        """
        lines, n_labels = _lines(texts), len(self._labels)
        try:
            offsets, labels, values = self._native.predict(lines, n_labels, 0.0, 0.0)
        except ValueError as error:
            raise ConfigError("texts", "a text in the list", f"text: {error}") from None
        matrix: FloatMatrix = _scattered(offsets, labels, values, n_labels)
        return matrix

    def truth_and_probabilities(
        self, texts: Any, *, labels: Iterable[Any] | None = None
    ) -> tuple[npt.NDArray[np.bool_], FloatMatrix]:
        """What texts with labels have, and what the model says: for curves and calibration.

        Parameters
        ----------
        texts, labels
            As for `test`, and so are the texts that count.

        Returns
        -------
        bool and float32, both of shape (n_texts, n_labels)
            Columns have the order of `labels`.
        """
        corpus = labeled_corpus(texts, self._model.label_prefix, labels=labels)
        return self._truth_and_probabilities(text_pieces(corpus))

    def calibrated(self, validation: Any, *, labels: Iterable[Any] | None = None) -> TextClassifier:
        """A classifier whose probabilities are as often right as they say; this one stays.

        For ``softmax`` and ``hs`` all scores are divided by one number, the temperature (Guo et al.
        2017), in a tree those of each turn; every format keeps it. For ``ova`` and ``ns`` each
        label has a scale and an offset (Platt 1999), which only brasa's own format keeps. The best
        label may become another one, except with ``softmax``. Where texts have several labels,
        ``softmax`` and ``hs`` say how probable it is that one of these, drawn at random, is it.

        Parameters
        ----------
        validation, labels
            Texts that the model was not trained on, with their labels, as for `test`. All their
            probabilities are held in memory, n_texts times n_labels.

        Returns
        -------
        TextClassifier
            ``metadata["calibration"]`` has the method and its numbers, and the negative
            log-likelihood or (`ova`, `ns`) Brier score of before and after, on these texts.

        Raises
        ------
        CorpusError, StorageError
            When the texts cannot be read, or none has a label and a word that the model knows.
        """
        model = dataclasses.replace(
            self._model,
            metadata={k: v for k, v in self._model.metadata.items() if k != calibration.KEY},
        )
        prefix = model.label_prefix
        corpus = labeled_corpus(validation, prefix, labels=labels)
        pieces = list(text_pieces(corpus))
        plain = TextClassifier(model)
        is_true, probabilities = plain._truth_and_probabilities(pieces)
        if not len(is_true):
            raise CorpusError("no text has both a label and a word that the model knows")
        if model.loss in ("ova", "ns"):
            odds = calibration.log_odds_of(probabilities)
            pairs = [calibration.fit_platt(x, y) for x, y in zip(odds.T, is_true.T, strict=True)]
            scale, offset = map(list, zip(*pairs, strict=True))
            found: dict[str, Any] = {"method": "platt", "scale": scale, "offset": offset}
            model.metadata[calibration.KEY] = found
            fitted = TextClassifier(model)
            after = fitted._truth_and_probabilities(pieces)[1]
            found["brier_score"] = [
                float(np.square(p - is_true).mean()) for p in (probabilities, after)
            ]
            return fitted

        def loss(temperature: float) -> float:
            scaled = TextClassifier(calibration.at_temperature(model, temperature))
            return calibration.negative_log_likelihood(*scaled._truth_and_probabilities(pieces))

        temperature = calibration.best_temperature(loss)
        model.metadata[calibration.KEY] = {
            "method": "temperature",
            "temperature": temperature,
            "negative_log_likelihood": [loss(1.0), loss(temperature)],
        }
        return TextClassifier(calibration.at_temperature(model, temperature))

    def explain(self, text: str, label: str | None = None, k: int = 10) -> Explanation:
        """What each word and n-gram of a text adds to the score of a label.

        Parameters
        ----------
        text : str
            One line, as for `predict`.
        label : str, optional
            With or without the prefix. Default: the most probable one.
        k : int
            How many contributions are listed, at most.

        Returns
        -------
        Explanation
            `contributions` (the most important first), and their sum, `score`: see
            `brasa.explanation`.

        Raises
        ------
        ConfigError
            When `k` or `text` is impossible, the model has no such label, or none is named and the
            model knows nothing of the text.
        """
        _check(k, 0.0)
        if not isinstance(text, str):
            raise ConfigError("text", text, "a string")
        _check_line(text)
        probabilities = self.probabilities([text])[0]
        if label is None:
            if not probabilities.any():
                raise ConfigError("label", None, "named: the model knows nothing of this text")
            row = int(probabilities.argmax())
        else:
            row = self._row_of(label)
        parts = contributions(self._model, text, row)
        return Explanation(
            label=self._labels[row],
            probability=float(probabilities[row]),
            score=math.fsum(part.value for part in parts),
            contributions=parts[: int(k)],
            others=math.fsum(part.value for part in parts[int(k) :]),
        )

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

    @functools.cached_property
    def plain_labels(self) -> list[str]:
        """The labels without their prefix, in the same order."""
        return [label.removeprefix(self._model.label_prefix) for label in self._labels]

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

    def __reduce__(self) -> tuple[Any, ...]:  # without native memory
        return type(self), (self._model,)

    def __repr__(self) -> str:
        quantized = ", quantized" if self.quantized else ""
        return (
            f"<TextClassifier: {len(self._labels)} labels, {len(self._model.vocabulary)} words, "
            f"vector_dim={self.vector_dim}, loss={self._model.loss}{quantized}>"
        )

    def _truth_and_probabilities(
        self, pieces: Iterable[bytes]
    ) -> tuple[npt.NDArray[np.bool_], FloatMatrix]:
        n_labels, parts = len(self._labels), []
        for piece in pieces:
            found, true_offsets, true, _ = self._native.test(piece, n_labels, 0.0, 0.0)
            is_true = _scattered(true_offsets, true, np.ones(len(true), bool), n_labels)
            offsets, predicted, values = found
            probabilities = _scattered(offsets, predicted, values, n_labels)
            counted = (np.diff(true_offsets) > 0) & (np.diff(offsets) > 0)
            parts.append((is_true[counted], probabilities[counted]))
        if not parts:
            return np.zeros((0, n_labels), bool), np.zeros((0, n_labels), np.float32)
        first, second = zip(*parts, strict=True)
        return np.concatenate(first), np.concatenate(second)

    def _row_of(self, label: str) -> int:
        if isinstance(label, str):
            for name in (label, self._model.label_prefix + label):
                row = self._model.labels.index(name)
                if row is not None:
                    return row
        some = ", ".join(self._labels[:20])
        raise ConfigError("label", label, f"one of the model's {len(self._labels)}: {some}")

    def _test(
        self, pieces: Iterable[bytes], k: int, threshold: float, epsilon: float
    ) -> ClassificationReport:
        tally, n_unknown = Tally(len(self._labels)), 0
        for piece in pieces:
            # What is below the threshold is predicted too: a text that has nothing else counts.
            found, true_offsets, true, unknown = self._native.test(piece, k, 0.0, epsilon)
            offsets, labels, values = found
            tally.add(offsets, labels, values >= threshold, true_offsets, true)
            n_unknown += unknown
        return tally.result(self._labels, k, threshold, n_unknown)

    def _one(
        self, text: str, k: int, threshold: float, epsilon: float, prefix: bool = True
    ) -> list[Prediction]:
        names = self._labels if prefix else self.plain_labels
        try:
            found: list[Prediction] = self._native.predict_one(text, names, k, threshold, epsilon)
        except ValueError as error:
            raise ConfigError("texts", text, f"text: {error}") from None
        return found

    def _many(
        self, lines: list[str], k: int, threshold: float, epsilon: float, prefix: bool = True
    ) -> list[list[Prediction]]:
        try:
            offsets, labels, values = self._native.predict(lines, k, threshold, epsilon)
        except ValueError as error:
            raise ConfigError("texts", "a text in the list", f"text: {error}") from None
        names = self._labels if prefix else self.plain_labels
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


def _scattered(
    offsets: npt.NDArray[np.int64], columns: npt.NDArray[np.int32], values: Any, n_columns: int
) -> Any:
    """A matrix with values in compressed rows, zero elsewhere."""
    matrix = np.zeros((len(offsets) - 1, n_columns), values.dtype)
    matrix[np.repeat(np.arange(len(matrix)), np.diff(offsets)), columns] = values
    return matrix


def _read(
    config: TextClassifierConfig,
    texts: Any,
    labels: Iterable[Any] | None,
    validation: Any,
    weights: Sequence[float] | None,
    text_options: TextOptions | None,
) -> dict[str, Any]:
    """The texts in the form that `train_classifier` wants them."""
    if config.early_stopping and validation is None:
        raise ConfigError("early_stopping", True, "False without validation texts")
    prefix = config.label_prefix
    corpus = labeled_corpus(texts, prefix, labels=labels, text_options=text_options)
    if isinstance(texts, LabeledTable) and texts.weights is not None:
        if weights is not None:
            raise ConfigError("weights", "given", "left out: the table has a column of them")
        weights = texts.weights
    accuracy = None
    if validation is not None:
        others = held_out(validation, prefix, text_options)
        accuracy = functools.partial(_accuracy, list(text_pieces(others)))
    return {"corpus": corpus, "weights": weights, "accuracy": accuracy}


def _trained_on(
    model: Classifier,
    texts: Any,
    labels: Iterable[Any] | None,
    validation: Any,
    weights: Sequence[float] | None,
    text_options: TextOptions | None,
    hyperparameters: Mapping[str, Any],
    *,
    listeners: Iterable[Listener],
    keep_partial: bool = False,
) -> Classifier:
    start, config = warm_start.continued_classifier(model, hyperparameters)
    read = _read(config, texts, labels, validation, weights, text_options)
    return train_classifier(
        config=config, start=start, listeners=listeners, keep_partial=keep_partial, **read
    )


def held_out(validation: Any, prefix: str, text_options: TextOptions | None) -> Corpus:
    """A tuple of two lists is texts and labels; anything else is what `train` takes alone."""
    is_pair = isinstance(validation, tuple) and len(validation) == 2
    if is_pair and not any(isinstance(part, (str, os.PathLike)) for part in validation):
        texts, labels = validation
        if not isinstance(texts, tuple):
            return labeled_corpus(texts, prefix, labels=labels, text_options=text_options)
    return labeled_corpus(validation, prefix, text_options=text_options)


def _accuracy(pieces: list[bytes], model: Classifier) -> tuple[float, int]:
    result = TextClassifier(model)._test(pieces, 1, 0.0, 0.0)
    if result.n == 0:
        raise CorpusError(
            "no validation text has both a label of the training texts and a word that the model "
            f"knows ({result.n_unknown_labels} other labels)"
        )
    return result.accuracy, result.n


def _native_classifier(model: Classifier) -> _native.Classifier:
    dense: FloatMatrix | None = None
    codes: _native.QuantizedRows | None = None
    if isinstance(model.input, QuantizedMatrix):
        codes = model.input.native
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
