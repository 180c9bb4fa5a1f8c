"""`tune`: the best classifier that a budget allows."""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brasa.config import TextClassifierConfig
from brasa.corpus import Corpus
from brasa.encoding import available_threads, encode_all
from brasa.errors import ConfigError, MissingExtraError, TrainingInterrupted
from brasa.formats.fasttext import sizes
from brasa.labeled_tables import LabeledTable
from brasa.labeled_text import held_out, labeled_corpus, text_pieces
from brasa.parameters import QuantizedMatrix
from brasa.quantization import quantize_classifier
from brasa.text_classifier import TextClassifier
from brasa.tuning import space
from brasa.tuning.metric import Metric
from brasa.tuning.search import Budget, Search, StoppedBy, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from brasa.classifier_plan import ClassWeights
    from brasa.config import TextOptions

NOT_TUNED = ("mode", "early_stopping", "min_epochs", "patience", "evaluation")


@dataclass(frozen=True, eq=False)
class TuningResult:
    """What `tune` finds.

    Attributes
    ----------
    classifier : TextClassifier
        That of the best trial; with `train_on_validation` trained again, on all texts.
    best : Trial
    trials : list of Trial
    stopped_by : {"trials", "time", "interrupt"}
    """

    classifier: TextClassifier
    best: Trial
    trials: list[Trial]
    stopped_by: StoppedBy


def tune(
    texts: Any,
    labels: Iterable[Any] | None = None,
    *,
    validation: Any,
    metric: str = "f1",
    k: int = 1,
    threshold: float = 0.0,
    trials: int | None = None,
    seconds: float | None = None,
    max_bytes: int | None = None,
    train_on_validation: bool = False,
    seed: int = 0,
    class_weights: ClassWeights | None = None,
    text_options: TextOptions | None = None,
    callback: Callable[[Trial], object] | None = None,
    **fixed: Any,
) -> TuningResult:
    """Search for the hyperparameters with the best score on validation texts.

    The first trial has the default values, so that the result is not worse than these. The text is
    held in memory.

    Parameters
    ----------
    texts, labels, validation, class_weights, text_options
        As for `TextClassifier.train`.
    metric : str
        See `Metric.parse`.
    k, threshold
        For ``f1``, ``macro_f1`` and ``accuracy``: see `TextClassifier.test`.
    trials : int, optional
        How many trials, at most.
    seconds : float, optional
        How long, at most, from when the text has been read; a trial that is running then is
        stopped. Default: 300, or as long as it takes where `trials` are given.
    max_bytes : int, optional
        Size limit: each trial's model is quantized into a `.ftz` file of at most this size, and
        scored as it is then.
    train_on_validation : bool
        At the end train the best choice again, on the validation texts too.
    seed : int
        With ``threads=1`` and a number of trials, the same seed gives the same trials and model.
    callback : callable, optional
        Called with every `Trial` when it has ended.
    **fixed
        Hyperparameters that are not searched, but have these values.

    Raises
    ------
    ConfigError
        For an impossible metric, budget or hyperparameter; a label of the metric's that either
        texts do not have.
    CorpusError, StorageError
        When texts cannot be read or used.
    NoTrialError
        When no trial was done within the budget.
    TrainingInterrupted
        After Ctrl-C, when no trial was done; otherwise the best so far is the result.
    MissingExtraError
        When Optuna is not installed.
    """
    chosen = Metric.parse(metric)
    budget = Budget(trials, seconds)
    config = _checked({**fixed, "seed": seed}, validation, max_bytes)
    optuna = _optuna()
    prefix = config.label_prefix
    held = HeldText(labeled_corpus(texts, prefix, labels=labels, text_options=text_options))
    weights = None
    if isinstance(texts, LabeledTable) and texts.weights is not None:
        weights = list(texts.weights)
    tested = HeldText(held_out(validation, prefix, text_options))
    if chosen.label is not None:
        known = (_labels_of(held, config), _labels_of(tested, config))
        chosen = chosen.with_prefix(prefix, *known)

    def train(values: dict[str, Any], on: HeldText, listeners: Sequence[Any]) -> TextClassifier:
        everything = {**fixed, **values, "seed": seed, "evaluation": False}
        dsub = everything.pop("dsub", 2)
        more = on.n_lines - held.n_lines
        classifier = TextClassifier.train(
            on,
            weights=None if weights is None else weights + [1.0] * more,
            class_weights=class_weights,
            listeners=listeners,
            **everything,
        )
        if max_bytes is None:
            return classifier
        return TextClassifier(
            quantize_classifier(classifier.model, max_bytes=max_bytes, qnorm=True, dsub=dsub)
        )

    search = Search(
        optuna,
        budget,
        suggest=lambda ask: space.suggest(ask, fixed, quantized=max_bytes is not None),
        train=lambda values: train(values, held, [budget.watch]),
        score=lambda classifier: chosen.of(classifier, tested, k, threshold),
        size=None if max_bytes is None else _ftz_bytes,
        tell=callback or (lambda trial: None),
        seed=seed,
    )
    search.run(space.defaults(fixed, quantized=max_bytes is not None))
    classifier, best = search.result()
    stopped_by = search.stopped_by
    if train_on_validation:
        try:
            classifier = train(best.hyperparameters, held + tested, [])
        except TrainingInterrupted:  # the best trial's model is there
            stopped_by = "interrupt"
    classifier.metadata["tuning"] = {
        "metric": metric,
        "score": best.score,
        "n_trials": len(search.trials),
        "hyperparameters": best.hyperparameters,
    }
    return TuningResult(classifier, best, search.trials, stopped_by)


class HeldText(Corpus):
    """A corpus that is read once and held, so that each trial can read it again."""

    def __init__(self, corpus: Corpus | None, pieces: Iterable[bytes] = ()) -> None:
        super().__init__(iter(()), None if corpus is None else corpus.text_options)
        self._pieces = list(pieces) if corpus is None else list(text_pieces(corpus))

    def sources(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        yield "<tuning>", iter(self._pieces)

    @functools.cached_property
    def n_lines(self) -> int:
        """Lines, empty ones too."""
        return sum(piece.count(b"\n") for piece in self._terminated())

    def __add__(self, other: HeldText) -> HeldText:
        return HeldText(None, [*self._terminated(), *other._terminated()])

    def _terminated(self) -> Iterator[bytes]:
        last = len(self._pieces) - 1
        for i, piece in enumerate(self._pieces):
            yield piece if i < last or piece.endswith(b"\n") else piece + b"\n"


def _checked(
    fixed: Mapping[str, Any], validation: Any, max_bytes: int | None
) -> TextClassifierConfig:
    for name in NOT_TUNED:
        if name in fixed:
            raise ConfigError(name, fixed[name], "left out: trials do not have it")
    if validation is None:
        raise ConfigError("validation", None, "texts with labels, by which trials are scored")
    if max_bytes is not None and (type(max_bytes) is not int or max_bytes < 1):
        raise ConfigError("max_bytes", max_bytes, "a whole number of bytes, 1 or more")
    return TextClassifierConfig.parse(fixed)


def _labels_of(text: HeldText, config: TextClassifierConfig) -> set[str]:
    words, _ = encode_all(text, config.threads or available_threads())
    pairs = zip(words.words, words.counts.tolist(), strict=True)
    least = max(1, config.min_count_label)
    return {w for w, n in pairs if w.startswith(config.label_prefix) and n >= least}


def _ftz_bytes(classifier: TextClassifier) -> int:
    matrix = classifier.model.input
    dsub = matrix.quantizer.part_dim if isinstance(matrix, QuantizedMatrix) else 2
    return sizes.ftz_bytes(classifier.model, sizes.Quantization(qnorm=True, dsub=dsub))


def _optuna() -> Any:
    try:
        return importlib.import_module("optuna")
    except ImportError as error:
        raise MissingExtraError("optuna", "tune", "tuning") from error
