"""scikit-learn estimators: `BrasaClassifier` gives texts labels, `BrasaVectorizer` vectors.

>>> from brasa.sklearn import BrasaClassifier
>>> model = BrasaClassifier(epochs=25, learning_rate=0.5, random_state=0).fit(texts, labels)
>>> model.predict(["is the oven cold ?"])
"""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brasa.config import TextClassifierConfig, WordVectorsConfig
from brasa.errors import ConfigError, CorpusError, MissingExtraError
from brasa.text_classifier import TextClassifier
from brasa.word_vectors import WordVectors

try:
    from sklearn.base import (
        BaseEstimator,
        ClassifierMixin,
        ClassNamePrefixFeaturesOutMixin,
        TransformerMixin,
    )
    from sklearn.utils import check_random_state, column_or_1d
    from sklearn.utils.multiclass import type_of_target
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise MissingExtraError("scikit-learn", "sklearn", "brasa.sklearn") from error

if TYPE_CHECKING:
    from collections.abc import Callable

    from brasa.parameters import FloatMatrix

_BATCH_TEXTS = 10_000  # whose probabilities are held at a time


def _initializer(config: type, without: set[str], **own: Any) -> Callable[..., None]:
    """`__init__` with an estimator's own parameters and the hyperparameters of `config`.

    scikit-learn reads the names and defaults of parameters from its signature. They stand in
    `brasa.config` alone, so the signature is made from there.
    """
    fields = {f.name: f.default for f in dataclasses.fields(config) if f.name not in without}
    defaults = {**own, **fields}

    def __init__(self: Any, **parameters: Any) -> None:  # noqa: N807
        unknown = sorted(parameters.keys() - defaults.keys())
        if unknown:
            known = ", ".join(defaults)
            raise TypeError(f"{type(self).__name__} has no parameter {unknown[0]}, only {known}")
        vars(self).update({**defaults, **parameters})

    keyword = inspect.Parameter.KEYWORD_ONLY
    signature = inspect.Signature(
        [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
        + [inspect.Parameter(name, keyword, default=value) for name, value in defaults.items()]
    )
    vars(__init__)["__signature__"] = signature
    return __init__


class _TextEstimator(BaseEstimator):
    """What both have in common: texts go in, and the seed is a random state's."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.no_validation = True  # texts have no columns to count
        tags.non_deterministic = self.threads != 1
        return tags

    def _hyperparameters(self, config: type) -> dict[str, Any]:
        names = {f.name for f in dataclasses.fields(config)}
        values = {k: v for k, v in self.get_params(deep=False).items() if k in names}
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        return {**values, "seed": seed, "evaluation": False}


class BrasaClassifier(ClassifierMixin, _TextEstimator):
    """`TextClassifier` as a scikit-learn classifier: texts in, labels out.

    Parameters
    ----------
    class_weight : dict, or "balanced", optional
        What the steps towards a class are multiplied by.
    random_state : int, RandomState, optional
        Where the seed of the training comes from. An int gives the same model every time with
        ``threads=1``; several threads race.
    **hyperparameters
        Fields of `brasa.TextClassifierConfig`, with its defaults: `loss`, `epochs`, `vector_dim`,
        `word_ngrams`, `min_count`, ... except `seed`, and those that need validation texts.

    Attributes
    ----------
    classes_ : array, shape (n_classes,)
        The classes in ascending order; for several labels a text, numbers of the columns of y.
    class_prior_ : float64, shape (n_classes,)
        Share of each class among the training texts: what `predict_proba` gives a text of which
        the model knows nothing.
    model_ : TextClassifier
        Its labels are the classes with the prefix; or their numbers, where not every class would
        make a distinct token.

    Examples
    --------
    >>> grid = {"brasaclassifier__loss": ["softmax", "ova"]}
    >>> GridSearchCV(make_pipeline(BrasaClassifier(random_state=0)), grid).fit(texts, labels)
    """

    __init__ = _initializer(
        TextClassifierConfig,
        {"mode", "seed", "evaluation", "early_stopping", "min_epochs", "patience"},
        class_weight=None,
        random_state=None,
    )

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BrasaClassifier:
        """Train on texts.

        Parameters
        ----------
        X : list, 1-D array or Series of str, length n_texts
            White space of any kind, line ends too, divides words. Tokens that begin with
            `label_prefix` are left out.
        y : array-like, shape (n_texts,), or array or sparse matrix, shape (n_texts, n_labels)
            A class for each text; or, with ``loss="ova"``, zeros and ones: which labels each text
            has, as `MultiLabelBinarizer` makes them. Texts without a label are not trained on.
        sample_weight : array-like, shape (n_texts,), optional
            From 0 up; a text of weight 0 is as if it were not there.

        Raises
        ------
        ConfigError
            A `ValueError`: when X, y or a parameter is impossible.
        CorpusError
            A `ValueError`: when there is nothing to tell apart, or no word occurs often enough.
        """
        texts, targets, several = _texts(X), *_targets(y)
        if len(targets) != len(texts):
            raise ConfigError("y", f"an array of {len(targets)}", f"as long as X, {len(texts)}")
        weights = _weights(sample_weight, len(texts))
        kept = np.arange(len(texts)) if weights is None else np.flatnonzero(weights)
        if several and self.loss != "ova":
            raise ConfigError("loss", self.loss, "'ova' for texts with several labels")
        prefix = str(self.label_prefix)
        labels = self._learn_classes(targets[kept], several, prefix)
        self.model_ = TextClassifier.train(
            [_without_labels(texts[i], prefix) for i in kept.tolist()],
            labels,
            weights=None if weights is None else weights[kept].tolist(),
            class_weights=self._class_weights(),
            **self._hyperparameters(TextClassifierConfig),
        )
        place = {name: i for i, name in enumerate(self._names)}
        self._columns = [place[name] for name in self.model_.labels]
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Probabilities, float64, shape (n_texts, n_classes), in the order of `classes_`.

        Rows sum to one, for ``loss="ns"`` and ``"ova"`` since they are divided by their sum; with
        several labels a text each probability stands for itself.
        """
        check_is_fitted(self)
        prefix = self.model_.model.label_prefix
        texts = [_without_labels(text, prefix) for text in _texts(X)]
        found = np.zeros((len(texts), len(self.classes_)))
        found[:, self._columns] = self.model_.probabilities(texts)
        if self._several:
            return found
        sums = found.sum(axis=1, keepdims=True)
        found /= np.where(sums > 0, sums, 1)
        found[sums[:, 0] == 0] = self.class_prior_
        return found

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable class of each text, shape (n_texts,).

        With several labels a text: zeros and ones, shape (n_texts, n_labels), one for those of at
        least 0.5.
        """
        check_is_fitted(self)
        texts = _texts(X)
        parts = [
            self._chosen(self.predict_proba(texts[begin : begin + _BATCH_TEXTS]))
            for begin in range(0, max(1, len(texts)), _BATCH_TEXTS)
        ]
        return np.concatenate(parts)

    def _chosen(self, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        if self._several:
            return (probabilities >= 0.5).astype(np.int64)
        chosen: npt.NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return chosen

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _learn_classes(
        self, targets: npt.NDArray[Any], several: bool, prefix: str
    ) -> list[list[str]]:
        """Note the classes; gives the labels of each text."""
        if several:
            classes, counts = np.arange(targets.shape[1]), np.count_nonzero(targets, axis=0)
            numbers = [np.flatnonzero(row).tolist() for row in targets]
        else:
            classes, inverse = np.unique(targets, return_inverse=True)
            counts = np.bincount(inverse, minlength=len(classes))
            numbers = [[i] for i in inverse.tolist()]
        if np.count_nonzero(counts) < 2:
            names = classes[counts > 0].tolist()
            raise CorpusError(f"y has no two classes to tell apart, only {names}")
        self._several, self._names = several, _label_names(classes, prefix)
        self.classes_, self.class_prior_ = classes, counts / len(targets)
        return [[self._names[i] for i in row] for row in numbers]

    def _class_weights(self) -> Any:
        given = self.class_weight
        if given is None or isinstance(given, str):
            return given
        names = dict(zip(self.classes_.tolist(), self._names, strict=True))
        try:
            return {names[key]: weight for key, weight in given.items()}
        except (KeyError, AttributeError, TypeError):
            allowed = f"a dict of classes and numbers, or 'balanced'; classes are {list(names)}"
            raise ConfigError("class_weight", given, allowed) from None


class BrasaVectorizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _TextEstimator):
    """`WordVectors` as a scikit-learn transformer: texts in, the means of their word vectors out.

    Parameters
    ----------
    model : WordVectors or path, optional
        Vectors to use; `fit` then trains nothing and hyperparameters do not count. `clone` copies
        a `WordVectors`, so for a large one give the path.
    random_state, **hyperparameters
        As for `BrasaClassifier`, the fields being those of `brasa.WordVectorsConfig`.

    Attributes
    ----------
    model_ : WordVectors

    Examples
    --------
    >>> make_pipeline(BrasaVectorizer(model="vectors.bin"), LogisticRegression()).fit(texts, labels)
    """

    __init__ = _initializer(
        WordVectorsConfig, {"seed", "evaluation"}, model=None, random_state=None
    )

    def fit(self, X: Any, y: Any = None) -> BrasaVectorizer:
        """Train word vectors on texts, or open those that are given.

        Raises
        ------
        ConfigError
            A `ValueError`: when X or a parameter is impossible.
        CorpusError, StorageError, ModelFormatError
            As `WordVectors.train` and `load`.
        """
        texts = _texts(X)
        if self.model is None:
            values = self._hyperparameters(WordVectorsConfig)
            self.model_ = WordVectors.train([_one_line(text) for text in texts], **values)
        elif isinstance(self.model, WordVectors):
            self.model_ = self.model
        elif isinstance(self.model, (str, os.PathLike)):
            self.model_ = WordVectors.load(self.model)
        else:
            raise ConfigError("model", self.model, "WordVectors, or a path, or None to train")
        return self

    def transform(self, X: Any) -> FloatMatrix:
        """Vectors of texts, float32, shape (n_texts, vector_dim).

        See `WordVectors.sentence_vectors`; zeros for a text of which the model knows nothing.
        """
        check_is_fitted(self)
        return self.model_.sentence_vectors([_one_line(text) for text in _texts(X)])

    @property
    def _n_features_out(self) -> int:
        return self.model_.vector_dim


def _texts(X: Any) -> list[str]:
    """A list of `str`, or what is wrong with it."""
    if isinstance(X, (str, bytes, Mapping)):
        raise ConfigError("X", f"one {type(X).__name__}", "a list, array or Series of texts")
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) != 1:
        found = f"a {type(X).__name__} of shape {shape}"
        raise ConfigError("X", found, "a list, array or Series of texts, with one dimension")
    try:
        texts = list(X)
    except TypeError:
        raise ConfigError("X", X, "a list, array or Series of texts") from None
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise ConfigError("X", f"{text!r:.60} at place {place}", "texts, each a str")
    return [str(text) for text in texts]  # NumPy's str_ too


def _targets(y: Any) -> tuple[npt.NDArray[Any], bool]:
    """Targets as an array, and whether they are zeros and ones for several labels a text."""
    if y is None:
        raise ConfigError("y", y, "given: a classifier needs the classes of the texts")
    targets = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = column_or_1d(targets, warn=True)
    if targets.dtype.kind == "f" and not np.isfinite(targets).all():
        raise ConfigError("y", "an array with NaN or infinity", "classes")
    kind = type_of_target(targets, input_name="y")
    if kind == "multilabel-indicator":
        return targets, True
    if kind not in ("binary", "multiclass") or targets.ndim != 1:
        raise ConfigError("y", f"{kind} values", "classes, or a matrix of zeros and ones")
    return targets, False


def _weights(sample_weight: Any, n_texts: int) -> npt.NDArray[np.float64] | None:
    if sample_weight is None:
        return None
    try:
        weights = np.asarray(sample_weight, np.float64)
    except (TypeError, ValueError):
        raise ConfigError("sample_weight", sample_weight, "numbers") from None
    if weights.shape != (n_texts,):
        allowed = f"of shape ({n_texts},): one for each text"
        raise ConfigError("sample_weight", f"an array of shape {weights.shape}", allowed)
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        found = f"{weights[bad[0]]} at place {bad[0]}"
        raise ConfigError("sample_weight", found, "finite numbers from 0 up")
    if n_texts and not weights.any():
        raise ConfigError("sample_weight", "zeros", "above 0 for some text")
    return weights


def _label_names(classes: npt.NDArray[Any], prefix: str) -> list[str]:
    names = [str(name) for name in classes.tolist()]
    tokens = all(name.split() == [name] and name.isprintable() for name in names)
    if not tokens or len(set(names)) < len(names):
        names = [str(i) for i in range(len(names))]
    return [prefix + name for name in names]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _without_labels(text: str, prefix: str) -> str:
    """One line, without what training would take for a label, and prediction passes over."""
    return " ".join(word for word in text.split() if not word.startswith(prefix))
