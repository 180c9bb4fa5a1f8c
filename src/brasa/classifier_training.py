"""Training a classifier: the loop of `training`, with a look at the accuracy after each epoch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import version

from brasa.backends import ClassifierBackend
from brasa.backends.cpu import CpuClassifierBackend, instruction_set
from brasa.classifier_plan import make_classifier_plan
from brasa.config import TextClassifierConfig
from brasa.corpus import Corpus
from brasa.encoding import available_threads
from brasa.examples import encode_examples
from brasa.parameters import Classifier, FloatMatrix, Parameters
from brasa.training import CorpusRead, Event, Listener, ReadProgress, Run, Validated


def train_classifier(
    corpus: Corpus,
    config: TextClassifierConfig,
    *,
    listeners: Iterable[Listener] = (),
    keep_partial: bool = False,
    accuracy: Callable[[Classifier], float] | None = None,
    backend: type[ClassifierBackend] = CpuClassifierBackend,
) -> Classifier:
    """Read labeled lines and train a text classifier on them.

    Parameters
    ----------
    corpus : Corpus
        Lines with their labels in them.
    config : TextClassifierConfig
    listeners, keep_partial
        As in `train`.
    accuracy : callable, optional
        What a model's accuracy on the validation texts is, between 0 and 1; asked for after every
        epoch. Needed for `early_stopping`.
    backend : type
        Where to train.

    Raises
    ------
    CorpusError, StorageError, DivergenceError, TrainingInterrupted
        As in `train`.
    """
    listeners = tuple(listeners)
    threads = config.threads or available_threads()
    kernels = instruction_set(config.instruction_set)

    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    started = time.perf_counter()
    examples = encode_examples(corpus, config, lambda *so_far: tell(ReadProgress(*so_far)))
    seconds = time.perf_counter() - started
    n_words, n_tokens = len(examples.vocabulary), examples.vocabulary.n_tokens
    tell(CorpusRead(n_words, n_tokens, examples.n_bytes, seconds, examples.sources))
    plan = make_classifier_plan(examples, config)
    parameters = Parameters.initial(plan.n_input_rows, plan.n_labels, config, threads)
    model = Classifier(
        vocabulary=examples.vocabulary,
        labels=examples.labels,
        loss=config.loss,
        word_ngrams=config.word_ngrams,
        min_char=config.min_char if config.subwords else 0,
        max_char=config.max_char if config.subwords else 0,
        buckets=config.buckets,
        input=parameters.input,
        output=parameters.output,
        bucket_ids=examples.bucket_ids,
        label_prefix=config.label_prefix,
    )
    run = Run(plan, tell)
    validation = None
    if accuracy is not None:
        validation = _Validation(config, parameters, lambda: accuracy(model), tell)
        run.after_epoch = validation.after_epoch
    run.train(backend(plan, parameters, threads), parameters, keep_partial)
    model.metadata.update(
        {
            "brasa_version": version("brasa"),
            "instruction_set": kernels,
            "threads": threads,
            "sources": list(examples.sources),
            "hyperparameters": config.to_dict(),
            "n_texts": len(examples),
            "n_skipped_lines": examples.n_skipped,
            **run.finish(),
        }
    )
    if validation is not None:
        validation.restore_best()
        model.metadata["validation_accuracy"] = validation.history
    return model


@dataclass
class _Validation:
    """Watches the accuracy; with `early_stopping` as BlazingText does, keeping the best epoch."""

    config: TextClassifierConfig
    parameters: Parameters
    accuracy: Callable[[], float]
    tell: Listener
    history: list[list[float]] = field(default_factory=list)  # of [epoch, accuracy]
    best: float = -1.0
    waited: int = 0
    kept: tuple[FloatMatrix, FloatMatrix] | None = None

    def after_epoch(self, epoch: int) -> bool:
        """Look at the accuracy; True when it has not risen for long enough."""
        stopping = self.config.early_stopping
        if stopping and epoch < self.config.min_epochs:
            return False
        found = self.accuracy()
        improved = found > self.best
        self.history.append([epoch, found])
        self.tell(Validated(epoch, found, improved))
        self.best = max(self.best, found)
        self.waited = 0 if improved else self.waited + 1
        if stopping and improved:
            self.kept = (self.parameters.input.copy(), self.parameters.output.copy())
        return stopping and self.waited >= self.config.patience

    def restore_best(self) -> None:
        """Give the matrices the values of the best epoch, if there was one to keep."""
        if self.kept is not None:
            self.parameters.input[:], self.parameters.output[:] = self.kept
