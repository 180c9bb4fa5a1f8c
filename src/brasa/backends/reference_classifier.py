"""Training a classifier in NumPy, slow and obvious: what other backends are tested against."""

from __future__ import annotations

import itertools
import math

import numpy as np

from brasa.backends import OnHost, SpanResult
from brasa.backends.reference import Random, Vector, sigmoid, softplus
from brasa.classifier_plan import ClassifierPlan
from brasa.parameters import Parameters

# The loss is looked at in one text of this many.
_LOSS_INTERVAL = 8


class ReferenceClassifierBackend(OnHost):
    """See `brasa.backends.ClassifierBackend`; one thread whatever is asked for.

    With h the mean of a text's input rows, an output row o scores s = h . o; o moves by g * h, and
    h by g * o of before. What h moves by, divided by the number of the input rows, goes to each
    of them (Joulin, Grave, Bojanowski, Mikolov 2017).
    """

    def __init__(self, plan: ClassifierPlan, parameters: Parameters, threads: int) -> None:
        self._plan = plan
        self._parameters = parameters
        self._input = parameters.input.astype(np.float64)
        self._output = parameters.output.astype(np.float64)
        weights = plan.label_weights
        self._label_weights = weights.astype(float) if len(weights) else np.ones(plan.n_labels)
        self._done = 0

    def train(self, first: int, last: int) -> SpanResult:
        """Train blocks ``first .. last - 1``."""
        loss = n_texts = 0.0
        for index in range(first, last):
            losses = self._train_block(index)[::_LOSS_INTERVAL]
            loss += sum(losses)
            n_texts += len(losses)
        self._parameters.input[:] = self._input
        self._parameters.output[:] = self._output
        self._done = last
        return SpanResult(loss, n_texts, math.isfinite(loss))

    @property
    def done(self) -> int:
        """End of the last span."""
        return self._done

    def count_right(self) -> int:
        """How many of the texts have a label of their own as the best one."""
        examples = self._plan.examples
        best = (self._probabilities(examples.rows_of(i)).argmax() for i in range(len(examples)))
        return sum(int(label in examples.labels_of(i)) for i, label in enumerate(best))

    def _probabilities(self, rows: list[int]) -> Vector:
        """What rises with the probability of each label."""
        scores: Vector = self._output @ self._input[rows].mean(axis=0)
        if self._plan.config.loss != "hs":
            return scores
        plan = self._plan
        paths = itertools.pairwise(plan.path_offsets.tolist())
        answers = np.where(plan.path_branches, 1, -1) * scores[plan.path_nodes]
        return np.array([-softplus(-answers[a:b]).sum() for a, b in paths])

    def _train_block(self, index: int) -> list[float]:
        plan, config = self._plan, self._plan.config
        random = Random(config.seed, index)
        n_rounds, step = divmod(index, len(plan.block_order))
        block = int(plan.block_order[step])
        done = n_rounds * int(plan.step_items[-1]) + int(plan.step_items[step])
        losses = []
        for text in plan.order[plan.block_offsets[block] : plan.block_offsets[block + 1]].tolist():
            rate = config.learning_rate * (1 - done / plan.total_items)
            losses.append(self._train_text(text, rate, random))
            done += int(np.diff(plan.examples.item_offsets[text : text + 2])[0])
        return losses

    def _train_text(self, text: int, rate: float, random: Random) -> float:
        rows = self._plan.examples.rows_of(text)
        labels = self._plan.examples.labels_of(text)
        hidden = self._input[rows].mean(axis=0)
        if len(self._plan.examples.weights):
            rate *= float(self._plan.examples.weights[text])
        if self._plan.config.loss == "ova":
            step, loss = self._train_one_vs_all(hidden, labels, rate)
        else:
            target = labels[0] if len(labels) == 1 else labels[random.below(len(labels))]
            rate *= self._label_weights[target]
            if self._plan.config.loss == "softmax":
                step, loss = self._train_softmax(hidden, target, rate)
            else:
                step, loss = self._train_logistic(hidden, target, rate, random)
        np.add.at(self._input, rows, step / len(rows))  # a repeated row moves each time
        return loss

    def _train_softmax(self, hidden: Vector, target: int, rate: float) -> tuple[Vector, float]:
        """Loss: log sum_k exp(s_k) - s_target."""
        scores = self._output @ hidden
        log_sum = float(np.logaddexp.reduce(scores))
        gradients = -rate * np.exp(scores - log_sum)
        gradients[target] += rate
        return self._move_all(hidden, gradients), log_sum - float(scores[target])

    def _train_one_vs_all(
        self, hidden: Vector, labels: list[int], rate: float
    ) -> tuple[Vector, float]:
        """Loss: sum_k -log sigmoid(s_k) over the text's labels, -log sigmoid(-s_k) over others."""
        scores = self._output @ hidden
        wanted = np.zeros(len(scores))
        wanted[labels] = 1
        loss = float(softplus(np.where(wanted == 1, -scores, scores)).sum())
        gradients = rate * (wanted - sigmoid(scores))
        gradients[labels] *= self._label_weights[labels]
        return self._move_all(hidden, gradients), loss

    def _move_all(self, hidden: Vector, gradients: Vector) -> Vector:
        step: Vector = gradients @ self._output
        self._output += np.outer(gradients, hidden)
        return step

    def _train_logistic(
        self, hidden: Vector, target: int, rate: float, random: Random
    ) -> tuple[Vector, float]:
        """Rows in turn; loss: -log sigmoid(s) for those that should say yes, else of -s."""
        step = np.zeros_like(hidden)
        loss = 0.0
        for row, wanted in self._questions(target, random):
            score = float(self._output[row] @ hidden)
            loss += float(softplus(-score if wanted else score))
            gradient = rate * (wanted - float(sigmoid(score)))
            step += gradient * self._output[row]
            self._output[row] += gradient * hidden
        return step, loss

    def _questions(self, target: int, random: Random) -> list[tuple[int, bool]]:
        """The output rows of a label's path or of it and its negatives; what each should answer."""
        plan = self._plan
        if plan.config.loss == "hs":
            path = slice(plan.path_offsets[target], plan.path_offsets[target + 1])
            answers = map(bool, plan.path_branches[path].tolist())
            return list(zip(plan.path_nodes[path].tolist(), answers, strict=True))
        drawn = [
            random.draw_other_than(target, plan.accept, plan.alias)
            for _ in range(plan.config.negative_samples)
        ]
        return [(target, True), *((row, False) for row in drawn if row is not None)]
