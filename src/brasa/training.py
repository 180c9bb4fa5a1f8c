"""The loop: spans of text, the clock, progress events, interruption, divergence.

Everything that watches a run is a listener of this loop; none has a loop of its own.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from brasa.backends import Backend, Runner, SpanResult
from brasa.backends.cpu import instruction_set
from brasa.backends.devices import Choice
from brasa.classifier_plan import ClassifierPlan
from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import available_threads, encode
from brasa.errors import DivergenceError, TrainingInterrupted
from brasa.parameters import MAX_PARAMETER, Embeddings, Parameters, largest_of
from brasa.plan import TrainingPlan, make_plan
from brasa.version import VERSION
from brasa.warm_start import StartedFrom, WarmStart

# Time between two looks at the clock, at Ctrl-C and at the listeners. Threads wait for each other
# at its end, for half a block or about 1 ms.
_SPAN_SECONDS = 0.25
# Mean loss of a span that is divergence, or this many for each of its terms if that is more. A pair
# of vectors that know nothing loses (1 + negative_samples) ln 2, a text with ova n_labels ln 2;
# cbow at learning_rate=0.6 went up to 1e12 and came back, with vectors that mean nothing.
_MAX_LOSS = 1e3
_MAX_LOSS_PER_TERM = 10.0
# Losses kept in a model's metadata: enough for a curve, and small.
_HISTORY_POINTS = 200


@dataclass(frozen=True)
class ReadProgress:
    """The text is being read: bytes and tokens so far."""

    n_bytes: int
    n_tokens: int


@dataclass(frozen=True)
class CorpusRead:
    """The text has been read: size of the vocabulary, all tokens, bytes, and how long it took."""

    n_words: int
    n_tokens: int
    n_bytes: int
    seconds: float
    sources: tuple[str, ...]


@dataclass(frozen=True)
class DeviceChosen:
    """What trains, and how: ``"CPU"`` or a GPU's name, and a few words."""

    device: str
    detail: str


@dataclass(frozen=True)
class Progress:
    """Training goes on.

    Attributes
    ----------
    words, total_words : int
        Tokens of the text, dropped ones included, times epochs: done, and in all.
    epoch : float
        Epochs done, with a fraction.
    learning_rate : float
        At this moment.
    loss : float or None
        Mean for one positive pair with its negatives, or for one text of a classifier, over the
        last span; None if none was seen.
    words_per_second : float
        Since training began.
    seconds_left : float
    """

    words: int
    total_words: int
    epoch: float
    learning_rate: float
    loss: float | None
    words_per_second: float
    seconds_left: float


@dataclass(frozen=True)
class Validated:
    """An epoch has ended.

    Attributes
    ----------
    epoch : int
    accuracy : float
        On the validation texts.
    improved : bool
        Whether it is the best yet.
    waited : int
        Epochs without a better one.
    early_stopping : bool
        Whether the model of the best epoch is kept.
    """

    epoch: int
    accuracy: float
    improved: bool
    waited: int
    early_stopping: bool


@dataclass(frozen=True)
class TrainingFinished:
    """Training has ended, or was interrupted and is kept; `loss` is that of the last tenth."""

    words: int
    seconds: float
    words_per_second: float
    loss: float | None
    interrupted: bool


@dataclass(frozen=True)
class Scored:
    """A classifier is done: its accuracy on the texts that it was trained on, and on the others.

    None where it was not asked for. Told after `TrainingFinished`.
    """

    train_accuracy: float | None
    n_train: int
    validation_accuracy: float | None
    n_validation: int


Event = (
    ReadProgress
    | CorpusRead
    | StartedFrom
    | DeviceChosen
    | Progress
    | Validated
    | TrainingFinished
    | Scored
)
Listener = Callable[[Event], object]
# Called between spans, where matrices are whole, with what makes the model as it is then: for
# checkpoints. What it raises ends the training, KeyboardInterrupt as Ctrl-C does.
BetweenSpans = Callable[[Callable[[], Embeddings]], object]


def all_listeners(listeners: Iterable[Listener], callback: Listener | None) -> list[Listener]:
    """The listeners, and the one that is given apart."""
    return [*listeners, *([] if callback is None else [callback])]


def teller(listeners: Iterable[Listener]) -> Listener:
    """What tells an event to all of them."""
    each = tuple(listeners)

    def tell(event: Event) -> None:
        for listener in each:
            listener(event)

    return tell


def origin(kernels: str, threads: int, sources: Iterable[str]) -> dict[str, Any]:
    """What the metadata of a model says of where and from what it was made."""
    return {
        "brasa_version": VERSION,
        "instruction_set": kernels,
        "threads": threads,
        "sources": list(sources),
    }


def train(
    corpus: Corpus,
    config: WordVectorsConfig,
    *,
    start: WarmStart | None = None,
    listeners: Iterable[Listener] = (),
    keep_partial: bool = False,
    between_spans: BetweenSpans | None = None,
    backend: Callable[[TrainingPlan, Parameters, int], Backend] | None = None,
) -> Embeddings:
    """Read a corpus and train word vectors on it.

    Parameters
    ----------
    corpus : Corpus
    config : WordVectorsConfig
    start : WarmStart, optional
        The model that training starts from, instead of random numbers.
    listeners : iterable of callables
        Each is called with every event. What a listener raises ends the training.
    keep_partial : bool
        On Ctrl-C, return what was trained so far instead of raising.
    between_spans : callable, optional
        See `BetweenSpans`. The model can be resumed; its matrices move on when training does.
    backend : callable, optional
        Makes what trains; by default what ``config.device`` names.

    Raises
    ------
    CorpusError, StorageError, ConfigError, ModelFormatError
        When the text, a hyperparameter or the model to start from cannot be used.
    DeviceError, MissingExtraError
        When there is no such device, the model does not fit, or it fails.
    DivergenceError
        When the numbers stop being finite, or grow beyond any use.
    TrainingInterrupted
        On Ctrl-C while training, unless `keep_partial`.
    """
    threads = config.threads or available_threads()
    kernels = instruction_set(config.instruction_set)
    make_backend = Choice(config).words if backend is None else backend
    tell = teller(listeners)
    started = time.perf_counter()
    vocabulary, encoded = encode(
        corpus,
        config,
        lambda *so_far: tell(ReadProgress(*so_far)),
        first_words=None if start is None else start.first_words,
    )
    seconds = time.perf_counter() - started
    tell(CorpusRead(len(vocabulary), encoded.n_tokens, encoded.n_bytes, seconds, encoded.sources))
    metadata = origin(kernels, threads, encoded.sources)
    if start is None:
        plan, first = make_plan(vocabulary, encoded, config), 0
        parameters = Parameters.initial(plan.n_input_rows, plan.n_words, config, threads)
    else:
        vocabulary = start.vocabulary(vocabulary, encoded)
        plan = make_plan(vocabulary, encoded, config, subwords=start.subwords(vocabulary, config))
        first = start.blocks_done(plan)
        parameters = Parameters.initial(plan.n_input_rows, plan.n_words, config, threads)
        begun = start.fill(parameters, vocabulary, plan)
        tell(begun)
        metadata |= {"started_from": asdict(begun), "previous_runs": start.previous_runs()}

    def model(**more: Any) -> Embeddings:
        return Embeddings(
            vocabulary,
            config,
            parameters.input,
            parameters.output,
            plan.subwords.bucket_ids,
            metadata | more,
            floret=None if start is None else start.floret,
        )

    if start is not None and not start.trains:
        return model()
    run = Run(plan, tell, first)
    runner = make_backend(plan, parameters, threads)
    metadata["device"] = runner.device_name
    if between_spans is not None:
        checksum = functools.cache(encoded.checksum)

        def snapshot() -> Embeddings:
            runner.write_back()
            return model(**run.unfinished(), text_checksum=checksum())

        run.between_spans = functools.partial(between_spans, snapshot)
    run.train(runner, parameters, keep_partial)
    finished = run.finish()
    if finished["interrupted"]:
        finished["text_checksum"] = encoded.checksum()
    return model(**finished)


@dataclass
class Run:
    """State of the loop, whatever it trains."""

    plan: TrainingPlan | ClassifierPlan
    tell: Listener
    first: int = 0  # block; more than 0 when a run before this one has done some
    # Called at the end of each epoch with its number; True ends the training.
    after_epoch: Callable[[int], bool] | None = None
    between_spans: Callable[[], object] | None = None  # called when there is more to train
    stopped: bool = field(default=False, init=False)
    done: int = field(init=False)  # blocks, those of that run too
    started: float = field(default_factory=time.perf_counter)
    # Sums of losses and pairs in each of _HISTORY_POINTS equal parts of the run.
    losses: list[float] = field(default_factory=lambda: [0.0] * _HISTORY_POINTS)
    pairs: list[float] = field(default_factory=lambda: [0.0] * _HISTORY_POINTS)

    def __post_init__(self) -> None:
        self.done = self.first

    def train(self, runner: Runner, parameters: Parameters, keep_partial: bool) -> None:
        """Train, and refuse what means nothing; Ctrl-C ends it, for good or with what there is."""
        self.tell(DeviceChosen(runner.device_name, runner.detail))
        try:
            self._train(runner)
        except KeyboardInterrupt:
            self.done = max(self.done, runner.done)
            if not keep_partial:
                done = self.done / self.plan.total_blocks
                raise TrainingInterrupted(
                    f"training was interrupted at {done:.0%}; nothing was kept"
                ) from None
        runner.write_back()
        self._check(parameters)

    def _train(self, runner: Runner) -> None:
        total = self.plan.total_blocks
        n_blocks = runner.blocks_at_once
        while self.done < total and not self.stopped:
            began = time.perf_counter()
            last = min(total, self.done + n_blocks)
            if self.after_epoch is not None:
                epoch_end = (self.done // self.plan.n_blocks + 1) * self.plan.n_blocks
                last = min(last, epoch_end)
            result = runner.train(self.done, last)
            self._note(result, last)
            # Grow carefully: the first spans are slower, while caches and pages are cold.
            seconds = max(time.perf_counter() - began, 1e-4)
            wanted = min(2 * n_blocks, int(n_blocks * _SPAN_SECONDS / seconds), total)
            n_blocks = max(runner.blocks_at_once, wanted)
            if self.after_epoch is not None and last % self.plan.n_blocks == 0:
                runner.write_back()
                self.stopped = self.after_epoch(last // self.plan.n_blocks)
            if self.between_spans is not None and self.done < total and not self.stopped:
                self.between_spans()

    def _note(self, result: SpanResult, last: int) -> None:
        if not result.finite:
            raise self._diverged("its numbers are no longer finite")
        limit = max(_MAX_LOSS, _MAX_LOSS_PER_TERM * self.plan.loss_terms)
        if result.loss > limit * result.n_pairs:
            raise self._diverged(f"a loss of {result.loss / result.n_pairs:.1e} means nothing")
        # The part that it ends in, so that the last part of a run that is done always has a loss.
        point = (last * _HISTORY_POINTS - 1) // self.plan.total_blocks
        self.losses[point] += result.loss
        self.pairs[point] += result.n_pairs
        self.done = last
        fraction = last / self.plan.total_blocks
        seconds = time.perf_counter() - self.started
        here = (last - self.first) / self.plan.total_blocks
        self.tell(
            Progress(
                words=self._words(),
                total_words=self.plan.total_words,
                epoch=fraction * self.plan.config.epochs,
                learning_rate=self.plan.config.learning_rate * (1.0 - fraction),
                loss=result.loss / result.n_pairs if result.n_pairs else None,
                words_per_second=self._words_per_second(seconds),
                seconds_left=seconds * (1 - fraction) / here,
            )
        )

    def _words(self) -> int:
        return self.plan.total_words * self.done // self.plan.total_blocks

    def _words_per_second(self, seconds: float) -> float:
        return (self.done - self.first) / self.plan.total_blocks * self.plan.total_words / seconds

    def _check(self, parameters: Parameters) -> None:
        """Refuse matrices that mean nothing: of a short text, losses show only the beginning."""
        for matrix in (parameters.input, parameters.output):
            largest = largest_of(matrix)
            if not largest < MAX_PARAMETER:
                raise self._diverged(f"its numbers went up to {largest:.1e}")

    def _diverged(self, why: str) -> DivergenceError:
        return DivergenceError(
            f"training diverged at {self.done / self.plan.total_blocks:.0%} of the text: {why}. "
            f"Lower learning_rate (now {self.plan.config.learning_rate:g}){self.plan.remedy}"
        )

    def finish(self) -> dict[str, Any]:
        """Tell that it is over; gives what a model keeps of it."""
        seconds = time.perf_counter() - self.started
        interrupted = self.done < self.plan.total_blocks and not self.stopped
        history = [
            [(point + 1) / _HISTORY_POINTS, loss / pairs]
            for point, (loss, pairs) in enumerate(zip(self.losses, self.pairs, strict=True))
            if pairs
        ]
        end = -(-self.done * _HISTORY_POINTS // self.plan.total_blocks)
        tail = slice(max(0, end - _HISTORY_POINTS // 10), end)
        tail_pairs = sum(self.pairs[tail])
        finished = TrainingFinished(
            words=self._words(),
            seconds=seconds,
            words_per_second=self._words_per_second(seconds),
            loss=sum(self.losses[tail]) / tail_pairs if tail_pairs else None,
            interrupted=interrupted,
        )
        self.tell(finished)
        return {
            "loss_history": history,
            "training_seconds": seconds,
            "words_per_second": finished.words_per_second,
            **self.unfinished(),
            "interrupted": interrupted,
        }

    def unfinished(self) -> dict[str, Any]:
        """What a model keeps of a run that is not over, to be resumed."""
        return {
            "interrupted": True,
            "blocks_done": self.done,
            "total_blocks": self.plan.total_blocks,
        }
