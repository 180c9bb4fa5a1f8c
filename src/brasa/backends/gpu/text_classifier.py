"""Training text classifiers on the GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import triton

from brasa.backends.gpu.concurrency import Concurrency, for_texts
from brasa.backends.gpu.device import Device, failures_explained, open_device
from brasa.backends.gpu.kernels.classifier import train_classifier
from brasa.backends.gpu.prediction import scores_of_rows
from brasa.backends.gpu.runner import GpuRunner
from brasa.backends.gpu.shapes import columns_for, used_columns, warps_for
from brasa.classifier_plan import ClassifierPlan
from brasa.parameters import Parameters

# The loss is looked at in one text of this many, as in the other backends.
_LOSS_INTERVAL = 8
_MAX_REDRAWS = 64
# Numbers of rows that a warp reads at once: 64 in each thread; with 128, registers are spilled.
_NUMBERS_OF_A_WARP = 2048
_MAX_ROWS = 64
# Texts whose labels are predicted at once.
_TEXTS_AT_ONCE = 65_536


class GpuClassifierBackend(GpuRunner):
    """See `brasa.backends.ClassifierBackend`; `threads` list the rows of the texts."""

    def __init__(
        self,
        plan: ClassifierPlan,
        parameters: Parameters,
        threads: int,
        device: Device | None = None,
    ) -> None:
        self._plan, examples, config = plan, plan.examples, plan.config
        row_offsets, row_ids = examples.rows.list(0, len(examples), threads)
        device = device or open_device()
        at_once = for_texts(plan, device.n_processors)
        if self.programs is not None:
            at_once = Concurrency(self.programs, "as asked for")
        super().__init__(parameters, row_ids.nbytes + 32 * len(examples), device, at_once)
        columns = columns_for(config.vector_dim)
        # A text's labels are all that a program can divide among more warps.
        warps = max(warps_for(columns), min(8, plan.n_labels * columns // _NUMBERS_OF_A_WARP))
        warps = 1 << (warps.bit_length() - 1)
        rows = max(1, warps * _NUMBERS_OF_A_WARP // columns)
        with failures_explained(self.device, "the texts were copied to it"):
            self._row_offsets = self.on_device(row_offsets)
            self._row_ids = self.on_device(row_ids)
            self._label_offsets = self.on_device(examples.label_offsets)
            self._label_ids = self.on_device(examples.label_ids)
            self._arguments: dict[str, Any] = {
                "order": self.on_device(plan.order),
                "block_offsets": self.on_device(plan.block_offsets),
                "block_order": self.on_device(plan.block_order),
                "step_items": self.on_device(plan.step_items),
                "period": len(plan.block_order),
                "all_items": float(plan.total_items),
                "text_items": self.on_device(np.diff(examples.item_offsets).astype(np.int32)),
                "row_offsets": self._row_offsets,
                "row_ids": self._row_ids,
                "label_offsets": self._label_offsets,
                "label_ids": self._label_ids,
                "text_weights": self.on_device(examples.weights),
                "label_weights": self.on_device(plan.label_weights),
                "accept": self.on_device(plan.accept),
                "alias": self.on_device(plan.alias),
                "n_labels": plan.n_labels,
                "scores": self.empty(at_once.programs, plan.n_labels),
                "DIM": used_columns(config.vector_dim),
                "COLUMNS": columns,
                "STRIDE": self.input.stride(0),
                "LOSS": config.loss,
                "NEGATIVES": config.negative_samples,
                "WEIGHTED_TEXTS": bool(len(examples.weights)),
                "WEIGHTED_LABELS": bool(len(plan.label_weights)),
                "ROWS": min(rows, _MAX_ROWS),
                "LABELS": min(rows, triton.next_power_of_2(plan.n_labels)),
                "LOSS_INTERVAL": _LOSS_INTERVAL,
                "MAX_REDRAWS": _MAX_REDRAWS,
                "num_warps": warps,
                "enable_fp_fusion": True,  # Triton 3.10 will not do it unless told
            }

    def _launch(self, first: int, last: int) -> tuple[torch.Tensor, torch.Tensor]:
        config, n = self._plan.config, last - first
        losses, texts = self.empty(n), self.empty(n)
        train_classifier[(min(n, self.blocks_at_once),)](
            n_items=n,
            next_item=self.next_item(),
            first=first,
            learning_rate=config.learning_rate,
            seed=config.seed,
            input=self.input,
            output=self.output,
            losses=losses,
            texts=texts,
            **self._arguments,
        )
        return losses, texts

    def count_right(self) -> int:
        """How many of the texts have a label of their own as the best one."""
        self.take_over()  # early stopping may have given the host an earlier epoch's
        dim, n, right = self._plan.config.vector_dim, len(self._plan.examples), 0
        with failures_explained(self.device, "the training texts were classified"):
            for begin in range(0, n, _TEXTS_AT_ONCE):
                end = min(n, begin + _TEXTS_AT_ONCE)
                offsets = self._row_offsets[begin : end + 1]
                rows = self._row_ids[offsets[0] : offsets[-1]]
                begins, counts = offsets[:-1] - offsets[0], offsets.diff()
                scores = scores_of_rows(
                    self.input[:, :dim], self.output[:, :dim], rows, begins, counts
                )
                labels = self._label_offsets[begin : end + 1]
                text = torch.repeat_interleave(labels.diff())
                own = self._label_ids[labels[0] : labels[-1]].long()
                is_best = own == scores.argmax(1)[text]
                found = torch.zeros(end - begin, dtype=torch.bool, device=own.device)
                found[text[is_best]] = True
                right += int(found.sum())
        return right
