"""Training word vectors on the GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import triton

from brasa.backends.gpu.concurrency import Concurrency, for_words
from brasa.backends.gpu.device import Device, open_device
from brasa.backends.gpu.kernels.cbow import train_cbow
from brasa.backends.gpu.kernels.sampling import sample_blocks
from brasa.backends.gpu.kernels.skipgram import train_skipgram
from brasa.backends.gpu.runner import LOSS_INTERVAL, MAX_BLOCKS_OF_A_LAUNCH, GpuRunner
from brasa.backends.gpu.shapes import columns_for, negatives_at_once, used_columns, warps_for
from brasa.backends.gpu.texts import texts_on
from brasa.parameters import Parameters
from brasa.plan import TrainingPlan

# Centre words of a skip-gram tile that are trained side by side, as on the CPU.
_CENTRES = 4
# N-gram rows that are read at once. Most words have fewer than 32 rows.
_ROWS = 32
_BYTES_OF_A_KEPT_WORD = 8  # its id, and two windows of 16 bits


class GpuBackend(GpuRunner):
    """See `brasa.backends.Backend`. `threads` has no meaning here."""

    def __init__(
        self,
        plan: TrainingPlan,
        parameters: Parameters,
        threads: int,
        device: Device | None = None,
    ) -> None:
        self._plan, config = plan, plan.config
        cbow = config.mode == "cbow"
        device = device or open_device()
        at_once = for_words(plan, plan.tile_size if cbow else _CENTRES, device.n_processors)
        if self.programs is not None:
            at_once = Concurrency(self.programs, "as asked for")
        n, self._blocks = at_once.programs, min(plan.total_blocks, MAX_BLOCKS_OF_A_LAUNCH)
        tokens = (self._blocks, plan.block_tokens)
        columns = columns_for(config.vector_dim)
        ring = plan.tile_size + 2 * config.window_size
        scratch = self._blocks * plan.block_tokens * _BYTES_OF_A_KEPT_WORD
        scratch += 2 * 4 * n * ring * columns if cbow else 4 * n * plan.shared_negatives
        super().__init__(parameters, scratch, device, at_once)
        subwords = plan.subwords
        own_rows = np.array_equal(subwords.rows, np.arange(plan.n_words))
        self._texts = texts_on(self.device, plan, self._room // 2, self._blocks)
        self._keep = self.on_device(plan.keep)
        self._words = self.empty(*tokens, dtype=torch.int32)
        self._lefts = self.empty(*tokens, dtype=torch.int16)
        self._rights = self.empty(*tokens, dtype=torch.int16)
        self._kept = self.empty(self._blocks, dtype=torch.int32)
        tables = {
            "row_offsets": self.on_device(subwords.offsets),
            "row_ids": self.on_device(subwords.rows),
            "accept": self.on_device(plan.accept),
            "alias": self.on_device(plan.alias),
            "n_words": plan.n_words,
        }
        shapes = {
            "DIM": used_columns(config.vector_dim),
            "COLUMNS": columns,
            "STRIDE": self.input.stride(0),
            "BLOCK_TOKENS": plan.block_tokens,
            "TILE": plan.tile_size,
            "POOL": plan.shared_negatives,
            "ROWS": 1 if own_rows else _ROWS,
            "OWN_ROWS": own_rows,
            "GROUP": negatives_at_once(config),
            "LOSS_INTERVAL": LOSS_INTERVAL,
            "enable_fp_fusion": True,  # Triton 3.10 will not do it unless told
        }
        self._kernel: Any
        if cbow:
            self._kernel = train_cbow
            self._arguments = {
                **tables,
                **shapes,
                "sums": self.empty(n, ring, columns),
                "steps": self.empty(n, ring, columns),
                "window_size": config.window_size,
                "weight": config.negative_samples / plan.shared_negatives,
                "LANES": max(16, triton.next_power_of_2(plan.tile_size)),
                "RING": ring,
                "PRECISION": self.device.precision,
                "num_warps": 4 if columns <= 128 else 8,
                "num_stages": 1,  # Triton would fetch several groups ahead, into shared memory
            }
        else:
            self._kernel = train_skipgram
            self._arguments = {
                **tables,
                **shapes,
                "pools": self.empty(n, plan.shared_negatives + 2 * _CENTRES, dtype=torch.int32),
                "CENTRES": _CENTRES,
                "NEGATIVES": config.negative_samples,
                "POOL_LANES": triton.next_power_of_2(plan.shared_negatives),
                "num_warps": warps_for(columns),
            }

    def _launch(self, first: int, last: int) -> tuple[torch.Tensor, torch.Tensor]:
        plan, config, n = self._plan, self._plan.config, last - first
        losses, pairs = self.empty(n), self.empty(n)
        tokens, begins, lengths = self._texts.load(first, last)
        sample_blocks[(n,)](
            tokens,
            begins,
            lengths,
            first,
            config.seed,
            self._keep,
            plan.line_end,
            config.window_size,
            self._words,
            self._lefts,
            self._rights,
            self._kept,
            BLOCK_TOKENS=plan.block_tokens,
            BLOCK=triton.next_power_of_2(plan.block_tokens),
            num_warps=8,
            enable_fp_fusion=True,
        )
        self._texts.release()
        self._kernel[(min(n, self.blocks_at_once),)](
            words=self._words,
            lefts=self._lefts,
            rights=self._rights,
            kept=self._kept,
            n_items=n,
            next_item=self.next_item(),
            first=first,
            total_blocks=plan.total_blocks,
            learning_rate=config.learning_rate,
            seed=config.seed,
            input=self.input,
            output=self.output,
            losses=losses,
            pairs=pairs,
            **self._arguments,
        )
        return losses, pairs
