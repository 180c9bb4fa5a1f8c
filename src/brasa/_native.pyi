"""The native core of brasa: text, training kernels and vector look-up."""

from typing import Annotated, overload

import numpy
from numpy.typing import NDArray


class TextError(ValueError):
    pass

class CorpusEncoder:
    def __init__(self, threads: int, refuse_invalid_utf8: bool, max_tokens_in_memory: int, spill_file: int) -> None: ...

    def begin_source(self, name: bytes) -> None: ...

    def feed(self, text: bytes) -> None: ...

    def finish(self, min_count: int, max_vocab: int | None, first_arena: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], first_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> dict: ...

    def write_ids(self, ids: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu')]) -> None: ...

    def write_ids_to_file(self, file: int) -> None: ...

    def close(self) -> None: ...

    @property
    def n_bytes(self) -> int: ...

    @property
    def n_tokens(self) -> int: ...

class WordIndex:
    def __init__(self, arena: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> None: ...

    def find(self, word: str) -> int: ...

    def find_all(self, words: list) -> Annotated[NDArray[numpy.int32], dict(shape=(None,))]: ...

    @property
    def n_duplicates(self) -> int: ...

def decode_words(arena: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> list: ...

def word_ngrams(word: bytes, min_char: int, max_char: int) -> list: ...

def word_bucket_ids(word: bytes, min_char: int, max_char: int, buckets: int) -> Annotated[NDArray[numpy.uint32], dict(shape=(None,))]: ...

def hash_word(arg: bytes, /) -> int: ...

def build_subword_table(arena: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], min_char: int, max_char: int, buckets: int, threads: int) -> tuple: ...

class TrainingProblem:
    """A training problem: views of the plan's arrays and the parameters."""

    def __init__(self, *, cbow: bool, hierarchical_softmax: bool, window_size: int, negative_samples: int, shared_negatives: int, tile_size: int, learning_rate: float, seed: int, tokens: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], block_tokens: int, n_blocks: int, total_blocks: int, n_streams: int, line_end: int, keep: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], accept: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], alias: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], row_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], rows: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], path_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], path_nodes: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], path_branches: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], input: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu')], output: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu')], instruction_set: str) -> None: ...

    def train_span(self, first: int, last: int, n_threads: int) -> tuple:
        """
        Train blocks first .. last - 1; gives (summed loss, pairs in that sum, all finite).
        """

    @property
    def done(self) -> int:
        """
        End of the last span; Ctrl-C may keep what train_span gives from its caller.
        """

def build_alias_table(weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple:
    """Alias table (accept, alias) of the distribution given by the weights."""

def build_huffman_code(counts: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple:
    """Huffman paths (offsets, nodes, branches) of descending counts."""

def permutation(n: int, seed: int, stream: int) -> Annotated[NDArray[numpy.int32], dict(shape=(None,))]:
    """The numbers 0 .. n - 1 in an order chosen at random."""

def fill_uniform(matrix: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu')], bound: float, seed: int, n_threads: int) -> None:
    """Fill a padded matrix with uniform numbers from [-bound, bound]."""

def instruction_set(name: str = 'auto') -> object:
    """
    Name of the kernels that would be used, None when this processor or build lacks them.
    """

class DictionaryError(ValueError):
    pass

def parse_dictionary(bytes: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], n_entries: int, kind: int, first_entry: int) -> tuple: ...

def format_dictionary(arena: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], counts: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], kind: int, first: int, last: int) -> bytes: ...

def train_centroids(rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)], part_dim: int, seed: int) -> Annotated[NDArray[numpy.float32], dict(shape=(None,))]:
    """For each part in turn its 256 centroids, by k-means."""

def encode_rows(rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)], part_dim: int, centroids: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.uint8], dict(shape=(None,))]:
    """For each row the nearest centroid of each part."""

class QuantizedRows:
    def __init__(self, codes: Annotated[NDArray[numpy.uint8], dict(shape=(None, None), order='C', device='cpu', writable=False)], centroids: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)], dim: int, part_dim: int, norm_codes: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, norm_centroids: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None) -> None: ...

@overload
def compose_vectors(arena: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], indices: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], rows: QuantizedRows, n_words: int, bucket_ids: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], min_char: int, max_char: int, buckets: int, out: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu')]) -> None: ...

@overload
def compose_vectors(arena: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], indices: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)], n_words: int, bucket_ids: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], min_char: int, max_char: int, buckets: int, out: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu')]) -> None: ...

class WordComposer:
    def __init__(self, rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)], n_words: int, bucket_ids: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], min_char: int, max_char: int, buckets: int) -> None: ...

    def compose(self, word: str, index: int, out: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu')]) -> bool: ...

def largest_of(rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)]) -> float:
    """The largest absolute value; NaN if there is one, 0 of no rows."""

def pack_rows(rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)], out: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu')]) -> None:
    """Copy rows without what they are padded with."""

def format_vector_lines(arena: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], first: int, vectors: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)]) -> list: ...

def name_predictions(names: list, offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], labels: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], probabilities: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> list: ...

class Classifier:
    def __init__(self, word_bytes: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], word_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], label_bytes: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], label_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], label_counts: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], label_prefix: bytes, loss: str, word_ngrams: int, min_char: int, max_char: int, buckets: int, bucket_ids: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], bucket_rows: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, drops_other_buckets: bool, rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)] | None, codes: QuantizedRows | None, output: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)]) -> None: ...

    def predict(self, lines: list, k: int, threshold: float, epsilon: float) -> tuple: ...

    def predict_named(self, lines: list, names: list, k: int, threshold: float, epsilon: float) -> list: ...

    def predict_one(self, line: str, names: list, k: int, threshold: float, epsilon: float) -> list: ...

    def test(self, text: bytes, k: int, threshold: float, epsilon: float) -> tuple: ...

    def features(self, lines: list) -> tuple:
        """
        Input rows of each line in compressed rows, and what their sum is divided by.
        """

    def labeled_features(self, text: bytes) -> tuple: ...

    def vectors(self, lines: list, as_words: bool, out: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu')]) -> None: ...

def parse_vector_lines(text: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], dim: int) -> tuple:
    """
    Rows, bytes of the words, where each ends, bytes and lines read, what is wrong.
    """

def parse_vector_records(data: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], dim: int, max_words: int) -> tuple:
    """
    Words read, rows, bytes of the words, where each ends, bytes read, what is wrong.
    """

def finalfusion_ngrams(arena: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], min_char: int, max_char: int, exponent: int) -> tuple:
    """fastText's hash of each n-gram, and its bucket."""

class FloretHashing:
    def __init__(self, min_char: int, max_char: int, hash_count: int, seed: int, buckets: int, begin: str, end: str) -> None: ...

    def compose(self, arena: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], indices: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)], n_words: int, out: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu')]) -> None: ...

    def parts_of(self, word: bytes) -> list: ...

    def rows_of_words(self, arena: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple:
        """
        Offsets and rows of a vocabulary's words: compressed rows, as training needs them.
        """

    def fit_table(self, arena: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], vectors: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)], rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)], bucket_ids: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], ngram_buckets: int, rows_per_item: float) -> object:
        """
        The rows of a table with the vectors of a model, or None when this seed has none.
        """

def build_examples(*, ids: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], arena: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], meaning: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], n_words: int, word_ngrams: int, min_char: int, max_char: int, buckets: int, line_end: int, threads: int, model_buckets: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], drops_other_buckets: bool) -> dict:
    """Labeled lines as numbers: see native/text/examples.h."""

def release_free_memory() -> None:
    """
    Give memory that was freed back to the system, where the C library keeps it.
    """

class ExampleRows:
    """The input rows of labeled lines, of what build_examples gives."""

    def __init__(self, *, item_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], items: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], unit_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], unit_rows: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], n_words: int, n_rows: int) -> None: ...

    def list(self, first: int, last: int, threads: int) -> tuple:
        """
        Rows of lines first .. last - 1: (where each begins, and the end; all rows).
        """

class ClassifierProblem:
    """
    A classifier's training problem: views of the plan's arrays and the parameters.
    """

    def __init__(self, *, rows: ExampleRows, loss: str, negative_samples: int, learning_rate: float, seed: int, epochs: int, label_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], labels: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], line_weights: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)], label_weights: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)], label_counts: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], order: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], block_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], block_order: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], step_items: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], accept: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], alias: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], path_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], path_nodes: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], path_branches: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], input: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu')], output: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu')], instruction_set: str) -> None: ...

    def train_span(self, first: int, last: int, n_threads: int) -> tuple:
        """
        Train steps first .. last - 1; gives (summed loss, lines in that sum, all finite).
        """

    def count_right(self, n_threads: int) -> int:
        """How many lines have a label of their own as the best one."""

    @property
    def done(self) -> int:
        """
        End of the last span; Ctrl-C may keep what train_span gives from its caller.
        """

def inverse_norms(vectors: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)]) -> Annotated[NDArray[numpy.float32], dict(shape=(None,))]:
    """1 / length of each row, NaN for a row without direction."""

def nearest_rows(vectors: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)], inverse_norms: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)], queries: Annotated[NDArray[numpy.float32], dict(shape=(None, None), device='cpu', writable=False)], k: int, candidates: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, exclude_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], exclude: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], n_threads: int, instruction_set: str) -> tuple:
    """
    Rows and cosines of the k nearest rows of each query, one query after the other.
    """
