"""Training on the CPU by the native core, lock-free on several threads."""

from __future__ import annotations

from brasa import _native
from brasa.backends import OnHost, SpanResult
from brasa.classifier_plan import ClassifierPlan
from brasa.errors import ConfigError
from brasa.parameters import Parameters
from brasa.plan import TrainingPlan


class _Runner(OnHost):
    """A problem of the native core, and who works on it."""

    _problem: _native.TrainingProblem | _native.ClassifierProblem
    _threads: int

    def train(self, first: int, last: int) -> SpanResult:
        """Train blocks ``first .. last - 1`` without holding the GIL."""
        return SpanResult(*self._problem.train_span(first, last, self._threads))

    @property
    def done(self) -> int:
        """End of the last span."""
        return self._problem.done


class CpuBackend(_Runner):
    """See `brasa.backends.Backend`."""

    def __init__(self, plan: TrainingPlan, parameters: Parameters, threads: int) -> None:
        config = plan.config
        self._threads = threads
        kernels = instruction_set(config.instruction_set)
        self.detail = f"{kernels} kernels, {threads} threads"
        self._problem = _native.TrainingProblem(
            cbow=config.mode == "cbow",
            hierarchical_softmax=config.loss == "hs",
            window_size=config.window_size,
            negative_samples=config.negative_samples,
            shared_negatives=plan.shared_negatives,
            tile_size=plan.tile_size,
            learning_rate=config.learning_rate,
            seed=config.seed,
            tokens=plan.tokens,
            block_tokens=plan.block_tokens,
            n_blocks=plan.n_blocks,
            total_blocks=plan.total_blocks,
            n_streams=plan.n_streams,
            line_end=plan.line_end,
            keep=plan.keep,
            accept=plan.accept,
            alias=plan.alias,
            row_offsets=plan.subwords.offsets,
            rows=plan.subwords.rows,
            path_offsets=plan.path_offsets,
            path_nodes=plan.path_nodes,
            path_branches=plan.path_branches,
            input=parameters.input,
            output=parameters.output,
            instruction_set=kernels,
        )


class CpuClassifierBackend(_Runner):
    """See `brasa.backends.ClassifierBackend`."""

    def __init__(self, plan: ClassifierPlan, parameters: Parameters, threads: int) -> None:
        config, examples = plan.config, plan.examples
        self._threads = threads
        kernels = instruction_set(config.instruction_set)
        self.detail = f"{kernels} kernels, {threads} threads"
        self._problem: _native.ClassifierProblem = _native.ClassifierProblem(
            rows=examples.rows,
            loss=config.loss,
            negative_samples=config.negative_samples,
            learning_rate=config.learning_rate,
            seed=config.seed,
            epochs=config.epochs,
            label_offsets=examples.label_offsets,
            labels=examples.label_ids,
            line_weights=examples.weights,
            label_weights=plan.label_weights,
            label_counts=examples.labels.counts,
            order=plan.order,
            block_offsets=plan.block_offsets,
            block_order=plan.block_order,
            step_items=plan.step_items,
            accept=plan.accept,
            alias=plan.alias,
            path_offsets=plan.path_offsets,
            path_nodes=plan.path_nodes,
            path_branches=plan.path_branches,
            input=parameters.input,
            output=parameters.output,
            instruction_set=kernels,
        )

    def count_right(self) -> int:
        """How many of the texts have a label of their own as the best one."""
        return self._problem.count_right(self._threads)


def instruction_set(name: str = "auto") -> str:
    """The kernels that `name` stands for here; raises `ConfigError` if there are none."""
    found = _native.instruction_set(name)
    if not isinstance(found, str):
        available = [n for n in ("avx512", "avx2", "neon", "scalar") if _native.instruction_set(n)]
        raise ConfigError("instruction_set", name, f"one this machine has: {', '.join(available)}")
    return found
