"""Training a classifier: the loop of `training`, with a look at the accuracy after each epoch."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypedDict

import numpy as np

from brasa import _native
from brasa.backends import ClassifierBackend
from brasa.backends.cpu import instruction_set
from brasa.backends.devices import Choice
from brasa.classifier_plan import ClassWeights, make_classifier_plan
from brasa.config import TextClassifierConfig, TextOptions
from brasa.corpus import Corpus
from brasa.encoding import available_threads
from brasa.errors import ConfigError, CorpusError
from brasa.examples import Examples, encode_examples
from brasa.labeled_tables import LabeledTable
from brasa.labeled_text import held_out, labeled_corpus, text_pieces
from brasa.lookup import compose
from brasa.parameters import (
    Classifier,
    Embeddings,
    FloatMatrix,
    Parameters,
    check_trainable,
)
from brasa.predictor import classification_report, native_predictor
from brasa.training import (
    CorpusRead,
    Listener,
    ReadProgress,
    Run,
    Scored,
    Validated,
    origin,
    teller,
)
from brasa.vocabulary import Vocabulary
from brasa.warm_start import ClassifierCheckpoint, ClassifierResumption, ClassifierStart
from brasa.warm_start.classifier import checksum_of

# Vectors that are composed at a time, so that what is in between stays small.
_CHUNK_WORDS = 1 << 16

# A model's accuracy on the validation texts, between 0 and 1, and the number of these.
Accuracy = Callable[[Classifier], tuple[float, int]]
# As `brasa.training.BetweenSpans`, with all that the training of a classifier can be resumed from.
BetweenSpans = Callable[[Callable[[], ClassifierCheckpoint]], object]


class LabeledTexts(TypedDict):
    """What `train_classifier` trains on."""

    corpus: Corpus
    weights: Sequence[float] | None
    accuracy: Accuracy | None


def labeled_texts(
    config: TextClassifierConfig,
    texts: Any,
    labels: Iterable[Any] | None = None,
    *,
    validation: Any = None,
    weights: Sequence[float] | None = None,
    text_options: TextOptions | None = None,
) -> LabeledTexts:
    """Whatever `TextClassifier.train` takes, in the form that `train_classifier` wants it.

    Raises
    ------
    ConfigError
        For `early_stopping` without `validation`, or weights beside those of a table.
    CorpusError
        See `labeled_corpus`.
    """
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
        accuracy = _accuracy_on(list(text_pieces(held_out(validation, prefix, text_options))))
    return {"corpus": corpus, "weights": weights, "accuracy": accuracy}


def _accuracy_on(pieces: Sequence[bytes]) -> Accuracy:
    def accuracy(model: Classifier) -> tuple[float, int]:
        result = classification_report(native_predictor(model), model.labels.words, pieces)
        if result.n == 0:
            raise CorpusError(
                "no validation text has both a label of the training texts and a word that the "
                f"model knows ({result.n_unknown_labels} other labels)"
            )
        return result.accuracy, result.n

    return accuracy


def train_classifier(
    corpus: Corpus,
    config: TextClassifierConfig,
    *,
    listeners: Iterable[Listener] = (),
    keep_partial: bool = False,
    weights: Sequence[float] | None = None,
    class_weights: ClassWeights | None = None,
    pretrained: Embeddings | None = None,
    start: ClassifierStart | None = None,
    resumption: ClassifierResumption | None = None,
    accuracy: Accuracy | None = None,
    between_spans: BetweenSpans | None = None,
    backend: type[ClassifierBackend] | None = None,
) -> Classifier:
    """Read labeled lines and train a text classifier on them.

    Parameters
    ----------
    corpus : Corpus
        Lines with their labels in them.
    config : TextClassifierConfig
    listeners, keep_partial
        As in `train`.
    weights : sequence of float, optional
        What the steps of each line of the text are multiplied by.
    class_weights : dict of str to float, or "balanced", optional
        What the steps towards a label are multiplied by (with ``loss="ova"``, the steps of its row
        for the texts that have it); balanced: the mean count of the labels divided by its own.
    pretrained : Embeddings, optional
        Words begin with their vectors in it, of the length `vector_dim`; others are random.
    start : ClassifierStart, optional
        The classifier that is trained on, instead of random numbers; `config` fits it.
    resumption : ClassifierResumption, optional
        A training that was interrupted, and goes on: that of these texts with this `start`.
    accuracy : callable, optional
        Asked for after every epoch, see `Accuracy`. Needed for `early_stopping`.
    between_spans : callable, optional
        See `BetweenSpans`. The models' matrices move on when training does.
    backend : type, optional
        What trains; by default what ``config.device`` names.

    Raises
    ------
    CorpusError, StorageError, ConfigError, ModelFormatError, DivergenceError, TrainingInterrupted,
    DeviceError, MissingExtraError
        As in `train`.
    """
    threads = config.threads or available_threads()
    kernels = instruction_set(config.instruction_set)
    make_backend = Choice(config).texts if backend is None else backend
    tell = teller(listeners)
    started = time.perf_counter()
    examples = encode_examples(
        corpus,
        config,
        lambda *so_far: tell(ReadProgress(*so_far)),
        weights,
        None if start is None else start.features,
    )
    # Of 1.1 million words with character n-grams, 97 of 313 MB.
    _native.release_free_memory()
    seconds = time.perf_counter() - started
    n_words, n_tokens = len(examples.vocabulary), examples.vocabulary.n_tokens
    tell(CorpusRead(n_words, n_tokens, examples.n_bytes, seconds, examples.sources))
    plan = make_classifier_plan(examples, config, class_weights=class_weights)
    if start is None:
        parameters = Parameters.initial(plan.n_input_rows, plan.n_labels, config, threads)
        model = _new_model(examples, config, parameters)
    else:
        parameters = start.parameters(examples.bucket_ids)
        model = start.trained(parameters, examples.bucket_ids, config)
    if pretrained is not None:
        _fill_words(parameters, examples.vocabulary, pretrained)
    first = 0 if resumption is None else resumption.fill(parameters, examples, plan.total_blocks)
    run = Run(plan, tell, first)
    trainer = make_backend(plan, parameters, threads)
    validation = None
    if accuracy is not None:
        validation = _Validation(config, parameters, lambda: accuracy(model), tell)
        run.after_epoch = validation.after_epoch
        if resumption is not None:
            validation.go_on_from(resumption)
    if between_spans is not None:
        checksum = functools.cache(lambda: checksum_of(examples))

        def snapshot() -> ClassifierCheckpoint:
            trainer.write_back()
            known = {"hyperparameters": config.to_dict(), "text_checksum": checksum()}
            seen = {} if validation is None else validation.seen()
            metadata = {**model.metadata, **known, **run.unfinished(), **seen}
            now = dataclasses.replace(model, metadata=metadata)
            best = None if validation is None else validation.best_of(now)
            return ClassifierCheckpoint(now, best)

        run.between_spans = functools.partial(between_spans, snapshot)
    run.train(trainer, parameters, keep_partial)
    finished = run.finish()
    interrupted = bool(finished["interrupted"])
    if validation is not None:
        validation.restore_best()
        finished["validation_accuracy"] = validation.history
    scores = Scored(
        train_accuracy=trainer.count_right() / len(examples) if config.evaluation else None,
        n_train=len(examples),
        validation_accuracy=None if validation is None else validation.final(interrupted),
        n_validation=0 if validation is None else validation.n_texts,
    )
    tell(scores)
    model.metadata.update(
        {
            **origin(kernels, threads, examples.sources),
            "device": trainer.device_name,
            "hyperparameters": config.to_dict(),
            "n_texts": len(examples),
            "n_skipped_lines": examples.n_skipped,
            **({} if start is None else {"n_unknown_labels": examples.n_unknown_labels}),
            **finished,
            "scores": asdict(scores),
        }
    )
    return model


def _new_model(
    examples: Examples, config: TextClassifierConfig, parameters: Parameters
) -> Classifier:
    return Classifier(
        vocabulary=examples.vocabulary,
        labels=examples.labels,
        loss=config.loss,
        word_ngrams=config.word_ngrams,
        min_char=config.min_char if config.subwords else 0,
        max_char=config.max_char if config.subwords else 0,
        buckets=config.buckets if config.subwords or config.word_ngrams > 1 else 0,
        input=parameters.input,
        output=parameters.output,
        bucket_ids=examples.bucket_ids,
        label_prefix=config.label_prefix,
    )


def _fill_words(parameters: Parameters, vocabulary: Vocabulary, pretrained: Embeddings) -> None:
    dim = parameters.input.shape[1]
    if pretrained.config.vector_dim != dim:
        allowed = f"{pretrained.config.vector_dim}, the length of the pretrained vectors"
        raise ConfigError("vector_dim", dim, allowed)
    words = vocabulary.words
    known = np.flatnonzero(pretrained.vocabulary.indices(words) >= 0)
    for begin in range(0, len(known), _CHUNK_WORDS):
        rows = known[begin : begin + _CHUNK_WORDS]
        parameters.input[rows] = compose(pretrained, [words[i] for i in rows.tolist()])
    check_trainable("the pretrained vectors", parameters.input)


@dataclass
class _Validation:
    """Watches the accuracy; with `early_stopping` as BlazingText does, keeping the best epoch."""

    config: TextClassifierConfig
    parameters: Parameters
    accuracy: Callable[[], tuple[float, int]]
    tell: Listener
    history: list[list[float]] = field(default_factory=list)  # of [epoch, accuracy]
    best: float = -1.0
    waited: int = 0
    n_texts: int = 0
    kept: tuple[FloatMatrix, FloatMatrix] | None = None

    def after_epoch(self, epoch: int) -> bool:
        """Look at the accuracy; True when it has not risen for long enough."""
        stopping = self.config.early_stopping
        if stopping and epoch < self.config.min_epochs:
            return False
        found, self.n_texts = self.accuracy()
        improved = found > self.best
        self.history.append([epoch, found])
        self.best = max(self.best, found)
        self.waited = 0 if improved else self.waited + 1
        self.tell(Validated(epoch, found, improved, self.waited, stopping))
        if stopping and improved:
            self.kept = (self.parameters.input.copy(), self.parameters.output.copy())
        return stopping and self.waited >= self.config.patience

    def seen(self) -> dict[str, Any]:
        """What `go_on_from` needs beside the matrices."""
        return {"validation_accuracy": list(self.history), "epochs_waited": self.waited}

    def best_of(self, model: Classifier) -> Classifier | None:
        """The model of the best epoch, if there was one to keep."""
        if self.kept is None:
            return None
        return dataclasses.replace(model, input=self.kept[0], output=self.kept[1])

    def go_on_from(self, before: ClassifierResumption) -> None:
        """Take over what an interrupted training has seen."""
        self.history, self.waited = list(before.history), before.waited
        self.best = max((accuracy for _, accuracy in self.history), default=-1.0)
        self.kept = before.best()

    def restore_best(self) -> None:
        """Give the matrices the values of the best epoch, if there was one to keep."""
        if self.kept is not None:
            self.parameters.input[:], self.parameters.output[:] = self.kept

    def final(self, interrupted: bool) -> float:
        """The accuracy of the model as it is kept."""
        if self.kept is not None:
            return self.best
        if interrupted or not self.history:
            found, self.n_texts = self.accuracy()
            return found
        return self.history[-1][1]
