"""`TrainingPlan`: all that a backend must agree on, computed once, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.config import WordVectorsConfig
from brasa.encoding import LINE_END, EncodedCorpus, available_threads
from brasa.subwords import SubwordTable, build_subword_table
from brasa.vocabulary import Vocabulary

# Words of the encoded text that are subsampled and trained as one piece of work. Windows end at its
# ends, which costs 0.2 % of the pairs; a longer block would keep threads waiting for each other at
# the end of a span, and small corpora on one thread.
BLOCK_TOKENS = 4096
# Skip-gram reads this many parts of the text in turn, a block from each, as fastText's twelve
# threads do. What that is worth is about as much as seeds differ (docs/decisions.md). cbow reads in
# order, which suits texts larger than memory.
SKIPGRAM_STREAMS = 12
# Centre words of a tile, the lanes of one AVX-512 register.
TILE_SIZE = 16
# Negatives that are drawn for each centre word of a skip-gram tile.
SKIPGRAM_NEGATIVES = 8
# Of a cbow tile. Quality falls with 16 (analogies 0.325, not 0.358) and does not rise with 64.
CBOW_NEGATIVES = 32
# "Always kept" in `TrainingPlan.keep`.
ALWAYS = 2**32 - 1


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """Tables, sizes and seeds of one training run.

    Attributes
    ----------
    config : WordVectorsConfig
    tokens : int32, shape (n_tokens,)
        Ids of the text's words, in text order.
    n_words : int
        Size of the vocabulary.
    n_raw_tokens : int
        Tokens of the text, dropped words included: progress is counted in these.
    line_end : int
        Id of ``</s>``, at which windows end; -1 when it is not in the vocabulary.
    keep : uint32, shape (n_words,)
        Probability that an occurrence of a word is kept, in units of 2**-32: with f the word's
        share of the raw tokens and t the sampling threshold, min(1, sqrt(t / f) + t / f), as in
        fastText. `ALWAYS` draws nothing.
    accept, alias : uint32 and int32, shape (n_words,)
        Alias table of the negatives' distribution, count ** negative_exponent.
    subwords : SubwordTable
        Input rows of each word.
    path_offsets, path_nodes, path_branches : int64, int32, uint8
        Huffman path of each word in compressed rows; empty unless ``loss="hs"``.
    shared_negatives : int
        Negatives of a tile: for cbow all are negatives of every word, weighted; skip-gram takes
        ``negative_samples`` of them in turn for each step. 0 for negatives of each pair's own.
    tile_size : int
        Centre words of a tile.
    n_streams : int
        Parts of the text that are read in turn; see `block_of`.
    block_tokens : int
        Words of a block.
    """

    config: WordVectorsConfig
    tokens: npt.NDArray[np.int32]
    n_words: int
    n_raw_tokens: int
    line_end: int
    keep: npt.NDArray[np.uint32]
    accept: npt.NDArray[np.uint32]
    alias: npt.NDArray[np.int32]
    subwords: SubwordTable
    path_offsets: npt.NDArray[np.int64]
    path_nodes: npt.NDArray[np.int32]
    path_branches: npt.NDArray[np.uint8]
    shared_negatives: int
    tile_size: int
    n_streams: int = 1
    block_tokens: int = BLOCK_TOKENS

    @property
    def remedy(self) -> str:
        """What helps against divergence besides a lower learning rate."""
        return ", or raise shared_negatives or min_count"

    @property
    def loss_terms(self) -> int:
        """How many logarithms the loss of a pair is the sum of."""
        return self.config.negative_samples

    @property
    def n_blocks(self) -> int:
        """Blocks of one epoch; the last one may be shorter than `block_tokens`."""
        return -(-len(self.tokens) // self.block_tokens)

    @property
    def total_blocks(self) -> int:
        """Blocks of all epochs: the unit of the learning rate's clock."""
        return self.n_blocks * self.config.epochs

    def block_of(self, index: int) -> int:
        """Which block of the text is trained as number `index` of all epochs."""
        return int(self.blocks_of(index, index + 1)[0])

    def blocks_of(self, first: int, last: int) -> npt.NDArray[np.int64]:
        """The same for each of ``range(first, last)``."""
        turn = np.arange(first, last, dtype=np.int64) % self.n_blocks
        length = self.n_blocks // self.n_streams
        in_turn = turn % self.n_streams * length + turn // self.n_streams
        # What the equal parts leave over comes last.
        return np.where(turn < length * self.n_streams, in_turn, turn)

    @property
    def n_input_rows(self) -> int:
        """One row for each word and each touched n-gram bucket."""
        return self.n_words + len(self.subwords.bucket_ids)

    @property
    def total_words(self) -> int:
        """Raw tokens of all epochs."""
        return self.n_raw_tokens * self.config.epochs


def make_plan(
    vocabulary: Vocabulary,
    corpus: EncodedCorpus,
    config: WordVectorsConfig,
    *,
    subwords: SubwordTable | None = None,
) -> TrainingPlan:
    """Compute the tables of a training run.

    Parameters
    ----------
    vocabulary : Vocabulary
        Its counts decide which words are dropped at random, which are negatives, and the Huffman
        tree; they may be those of more than this text, or 0.
    corpus : EncodedCorpus
    config : WordVectorsConfig
    subwords : SubwordTable, optional
        Rows of the words; by default those of their n-grams.
    """
    counts = vocabulary.counts
    share = np.maximum(counts, 1) / vocabulary.n_tokens  # no token of a count 0 is looked at
    threshold = config.sampling_threshold
    keep = np.minimum(1.0, np.sqrt(threshold / share) + threshold / share)
    if config.loss == "hs":
        paths = _huffman_paths(counts)
        accept, alias = np.empty(0, np.uint32), np.empty(0, np.int32)
    else:
        paths = (np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.uint8))
        accept, alias = _native.build_alias_table(
            np.where(counts > 0, np.maximum(counts, 1.0) ** config.negative_exponent, 0.0)
        )
    line_end = vocabulary.index(LINE_END)
    tile_size = config.batch_size if config.mode == "batch_skipgram" else TILE_SIZE
    default_negatives = CBOW_NEGATIVES if config.mode == "cbow" else SKIPGRAM_NEGATIVES * tile_size
    shared = config.shared_negatives
    if subwords is None:
        threads = config.threads or available_threads()
        subwords = build_subword_table(vocabulary, config, threads=threads)
    return TrainingPlan(
        config=config,
        tokens=corpus.ids,
        n_words=len(vocabulary),
        n_raw_tokens=corpus.n_tokens,
        line_end=-1 if line_end is None else line_end,
        keep=np.minimum(np.floor(keep * 2**32), ALWAYS).astype(np.uint32),
        accept=accept,
        alias=alias,
        subwords=subwords,
        path_offsets=paths[0],
        path_nodes=paths[1],
        path_branches=paths[2],
        shared_negatives=default_negatives if shared is None else shared,
        tile_size=tile_size,
        n_streams=1 if config.mode == "cbow" else SKIPGRAM_STREAMS,
    )


def _huffman_paths(
    counts: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Paths of words in any order.

    The native code wants counts that descend, with a sum below 1e15; and zeros would make a tree
    as deep as there are words.
    """
    order = np.argsort(-counts, kind="stable")
    divisor = 1 + int(float(counts.sum(dtype=np.float64)) // 5e14)
    usable = np.maximum(counts[order] // divisor, 1)
    begins, nodes, branches = _native.build_huffman_code(usable)
    place = np.argsort(order)
    lengths = np.diff(begins)[place]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    steps = np.repeat(begins[:-1][place] - offsets[:-1], lengths) + np.arange(len(nodes))
    return offsets, nodes[steps], branches[steps]
