"""`TextClassifier`: a text classifier in use."""

from __future__ import annotations

import functools
import math
import os
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import numpy.typing as npt

from brasa import calibration, formats, warm_start
from brasa.arguments import check_count, check_finite, check_strings
from brasa.classifier_training import labeled_texts, train_classifier
from brasa.config import TextClassifierConfig
from brasa.errors import ConfigError, UnknownWordError
from brasa.explanation import Explanation, contributions
from brasa.labeled_text import labeled_corpus, text_pieces
from brasa.parameters import Classifier, QuantizedMatrix
from brasa.predictor import (
    Predictor,
    as_matrix,
    classification_report,
    truth_and_probabilities,
)
from brasa.quantization import quantize_classifier
from brasa.training import all_listeners
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from brasa.classifier_plan import ClassWeights
    from brasa.config import TextOptions
    from brasa.metrics import ClassificationReport
    from brasa.neighbors import FloatVector
    from brasa.parameters import FloatMatrix
    from brasa.training import Listener

Prediction = tuple[str, float]

# What fastText adds to each probability that it reports, and to each factor of a tree's.
FASTTEXT_EPSILON = 1e-5


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

    def __init__(
        self, model: Classifier, *, device: Literal["cpu", "cuda"] = "cpu", trained: bool = False
    ) -> None:
        self._model = model
        self._device = device
        self._labels = model.labels.words
        # A model that comes from a file may be broken. One that was just trained is not, and many
        # are only saved: the index of langid9's words takes 70 ms.
        self._predictor = None if trained else calibration.predictor_of(model, device)

    @property
    def _native(self) -> Predictor:
        if self._predictor is None:
            self._predictor = calibration.predictor_of(self._model, self._device)
        return self._predictor

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
        read = labeled_texts(
            config, texts, labels,
            validation=validation, weights=weights, text_options=text_options,
        )  # fmt: skip
        if pretrained is not None and not isinstance(pretrained, WordVectors):
            pretrained = WordVectors.load(pretrained)
        model = train_classifier(
            config=config,
            listeners=all_listeners(listeners, callback),
            keep_partial=keep_partial,
            class_weights=class_weights,
            pretrained=None if pretrained is None else pretrained.embeddings,
            **read,
        )
        return cls(model, trained=True)

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
        start, config = warm_start.continued_classifier(self._model, hyperparameters)
        read = labeled_texts(
            config, texts, labels,
            validation=validation, weights=weights, text_options=text_options,
        )  # fmt: skip
        model = train_classifier(
            config=config,
            listeners=all_listeners(listeners, callback),
            keep_partial=keep_partial,
            start=start,
            **read,
        )
        return type(self)(model, trained=True)

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
        k, threshold = check_count("k", k), check_finite("threshold", threshold)
        prefix = self._model.label_prefix
        corpus = labeled_corpus(texts, prefix, labels=labels, text_options=text_options)
        return self._test(text_pieces(corpus), k, threshold, 0.0)

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
        if retrain is not None:
            warm_start.continued_classifier(self._model, hyperparameters)  # refused now
        elif hyperparameters or text_options is not None:
            name, value = next(iter(hyperparameters.items()), ("text_options", text_options))
            raise ConfigError(name, value, "given with retrain")

        def retrained(smaller: Classifier) -> Classifier:
            options = {"evaluation": False, **hyperparameters}
            return type(self)(smaller).train_on(
                retrain, text_options=text_options, listeners=listeners, **options
            ).model  # fmt: skip

        smaller = quantize_classifier(
            self._model, cutoff=cutoff, max_bytes=max_bytes, qnorm=qnorm, qout=qout, dsub=dsub,
            retrain=None if retrain is None else retrained,
        )  # fmt: skip
        return type(self)(smaller)

    def to(self, device: Literal["cpu", "cuda"]) -> TextClassifier:
        """The same model, whose batches are predicted on the device.

        The GPU gains with many labels, long vectors and thousands of texts a call: the CPU's
        threads find the words and n-grams of the texts for both. One text is predicted by the CPU.

        Raises
        ------
        ConfigError
            For another device, or "cuda" with a model with hierarchical softmax.
        MissingExtraError, DeviceError
            When PyTorch or Triton is not installed, there is no GPU, or the model does not fit.
        """
        if device not in ("cpu", "cuda"):
            raise ConfigError("device", device, "cpu or cuda")
        return TextClassifier(self._model, device=device)

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
        k, threshold = check_count("k", k), check_finite("threshold", threshold)
        if isinstance(texts, str):
            _check_line(texts)
            return self._one(texts, k, threshold, 0.0, prefix)
        return self._many(_listed(texts), k, threshold, 0.0, prefix)

    def probabilities(self, texts: Iterable[str]) -> FloatMatrix:
        """The probability of every label for many texts, float32, shape (len(texts), n_labels).

        Columns have the order of `labels`. A row is zeros for a text of which the model knows
        nothing. See `predict`.
        """
        lines, n_labels = _listed(texts), len(self._labels)
        try:
            offsets, labels, values = self._native.predict(lines, n_labels, 0.0, 0.0)
        except (TypeError, ValueError) as error:
            raise _refused(lines, error) from None
        matrix: FloatMatrix = as_matrix(offsets, labels, values, n_labels)
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
        return truth_and_probabilities(self._native, len(self._labels), text_pieces(corpus))

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
        corpus = labeled_corpus(validation, self._model.label_prefix, labels=labels)
        return type(self)(calibration.calibrate(self._model, list(text_pieces(corpus))))

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
        k = check_count("k", k)
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
            contributions=parts[:k],
            others=math.fsum(part.value for part in parts[k:]),
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
        strings = check_strings("words", words, "several strings, not one")
        return self._vectors(strings, as_words=True)

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
        return classification_report(self._native, self._labels, pieces, k, threshold, epsilon)

    def _one(
        self, text: str, k: int, threshold: float, epsilon: float, prefix: bool = True
    ) -> list[Prediction]:
        names = self._labels if prefix else self.plain_labels
        try:
            return self._native.predict_one(text, names, self._limit(k), threshold, epsilon)
        except ValueError as error:
            raise ConfigError("texts", text, f"text: {error}") from None

    def _many(
        self, lines: list[str], k: int, threshold: float, epsilon: float, prefix: bool = True
    ) -> list[list[Prediction]]:
        names = self._labels if prefix else self.plain_labels
        try:
            return self._native.predict_named(lines, names, self._limit(k), threshold, epsilon)
        except (TypeError, ValueError) as error:
            raise _refused(lines, error) from None

    def _limit(self, k: int) -> int:
        return min(k, len(self._labels))

    def _vectors(self, texts: list[str], *, as_words: bool) -> FloatMatrix:
        out = np.empty((len(texts), self.vector_dim), np.float32)
        try:
            self._native.vectors(texts, as_words, out)
        except ValueError as error:
            raise UnknownWordError("a text in the list", f"not text: {error}") from None
        return out


def _lines(texts: Iterable[str]) -> list[str]:
    lines = check_strings("texts", texts, "several strings, not one")
    for line in lines:
        _check_line(line)
    return lines


def _listed(texts: Iterable[str]) -> list[str]:
    """Texts for native code, which looks at a list's items itself: see `_refused`."""
    return texts if type(texts) is list else _lines(texts)


def _refused(lines: list[str], error: Exception) -> ConfigError:
    # Native code refuses what `_lines` does, but does not say which it is.
    try:
        _lines(lines)
    except ConfigError as found:
        return found
    return ConfigError("texts", "a text in the list", f"text: {error}")


def _check_line(text: str) -> None:
    if "\n" in text:
        raise ConfigError("texts", text, "of one line each: put spaces in place of line ends")
