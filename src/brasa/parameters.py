"""The matrices of word-vector models and classifiers, and what their rows mean."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.config import ClassifierLoss, TextClassifierConfig, WordVectorsConfig
from brasa.errors import ModelFormatError
from brasa.subwords import FloretHashing
from brasa.vocabulary import Vocabulary

FloatMatrix = npt.NDArray[np.float32]

N_CENTROIDS = 256  # of a product quantizer: a code is a byte

# Rows are padded to a multiple of this many floats and start on a cache line, as kernels need.
ROW_ALIGN = 16
# Parameters of useful models stay below this.
MAX_PARAMETER = 1e4
# Parameters and blocks of text have random streams of their own.
_INPUT_STREAM = 0x1B873593


def padded_matrix(n_rows: int, dim: int) -> FloatMatrix:
    """A zero matrix with padded, cache-line aligned rows, shape (n_rows, dim)."""
    stride = -(-dim // ROW_ALIGN) * ROW_ALIGN
    floats = np.zeros(n_rows * stride + ROW_ALIGN, np.float32)
    skip = -floats.ctypes.data // floats.itemsize % ROW_ALIGN
    return floats[skip : skip + n_rows * stride].reshape(n_rows, stride)[:, :dim]


def largest_of(matrix: FloatMatrix) -> float:
    """The largest absolute value; NaN if there is one, 0 of no rows."""
    return _native.largest_of(np.atleast_2d(matrix))


def check_trainable(name: object, *matrices: FloatMatrix) -> None:
    """Refuse numbers that are not finite, or too large to train."""
    for matrix in matrices:
        largest = largest_of(matrix)
        if not largest < MAX_PARAMETER:
            raise ModelFormatError(
                name,
                f"its numbers go up to {largest:.1e}; training needs less than "
                f"{MAX_PARAMETER:g}: scale them",
            )


@dataclass(frozen=True, eq=False)
class Parameters:
    """The matrices that training moves.

    Attributes
    ----------
    input : float32, shape (n_words + n_touched, vector_dim)
        Rows of words and of touched n-gram buckets.
    output : float32, shape (n_words or n_labels, vector_dim)
        Rows of words as contexts, or of labels, or of the Huffman tree's inner nodes.
    """

    input: FloatMatrix
    output: FloatMatrix

    @classmethod
    def initial(
        cls,
        n_input_rows: int,
        n_output_rows: int,
        config: WordVectorsConfig | TextClassifierConfig,
        threads: int,
    ) -> Parameters:
        """Input rows uniform in [-1 / vector_dim, 1 / vector_dim], output rows zero.

        These are fastText's intervals; all input rows are drawn, which fastText does only with ten
        threads or more. The result depends on the seed, not on `threads`.
        """
        dim = config.vector_dim
        parameters = cls(padded_matrix(n_input_rows, dim), padded_matrix(n_output_rows, dim))
        _native.fill_uniform(parameters.input, 1.0 / dim, config.seed ^ _INPUT_STREAM, threads)
        return parameters


class FastTextArguments(NamedTuple):
    """The arguments that a fastText file holds, by the names of its flags and with its numbers.

    `loss` is 1 hs, 2 ns, 3 softmax, 4 ova; `model` is 1 cbow, 2 skipgram, 3 supervised.
    """

    dim: int
    ws: int
    epoch: int
    min_count: int
    neg: int
    word_ngrams: int
    loss: int
    model: int
    bucket: int
    minn: int
    maxn: int
    lr_update_rate: int
    t: float


@dataclass(frozen=True, eq=False)
class FastTextDetails:
    """What only a fastText file says; kept so that writing a model gives the same bytes again.

    Attributes
    ----------
    version : int
        11 or 12; 0 for a file from before there were versions.
    arguments : FastTextArguments
    labels : Vocabulary, optional
        Labels that a word-vector file lists, as fastText does when its text had some.
    unused_rows : float32, shape (n, dim), optional
        Rows of buckets in a file whose arguments let no n-gram have one.
    pruned : int32, shape (n, 2), optional
        Pairs of bucket and row of a pruned model, in the order of the file.
    quantize_output : bool
        The `qout` flag, which has a meaning in quantized files only.
    """

    version: int
    arguments: FastTextArguments
    labels: Vocabulary | None = None
    unused_rows: FloatMatrix | None = None
    pruned: npt.NDArray[np.int32] | None = None
    quantize_output: bool = False


@dataclass(frozen=True, eq=False)
class ProductQuantizer:
    """A code book for vectors cut into parts: every part is the nearest of 256 centroids.

    Attributes
    ----------
    dim : int
        Length of the vectors.
    part_dim : int
        Numbers in a part; the last part has what is left.
    centroids : float32, shape (256 * dim,)
        For each part in turn its 256 centroids.
    """

    dim: int
    part_dim: int
    centroids: npt.NDArray[np.float32]

    @property
    def n_parts(self) -> int:
        """Codes of a vector."""
        return -(-self.dim // self.part_dim)

    def decode(self, codes: npt.NDArray[np.uint8]) -> FloatMatrix:
        """The vectors that codes of shape (n, n_parts) stand for, float32, shape (n, dim)."""
        vectors = np.empty((len(codes), self.dim), np.float32)
        for part in range(self.n_parts):
            columns = slice(part * self.part_dim, min((part + 1) * self.part_dim, self.dim))
            book = self.centroids[N_CENTROIDS * columns.start : N_CENTROIDS * columns.stop]
            vectors[:, columns] = book.reshape(N_CENTROIDS, -1)[codes[:, part]]
        return vectors


@dataclass(frozen=True, eq=False)
class QuantizedMatrix:
    """A matrix whose rows are codes, as in fastText's `.ftz` files.

    Attributes
    ----------
    codes : uint8, shape (n_rows, quantizer.n_parts)
    quantizer : ProductQuantizer
    norm_codes : uint8, shape (n_rows,), optional
        Where rows were scaled to length 1 first: their lengths' codes in `norm_quantizer`.
    norm_quantizer : ProductQuantizer, optional
    """

    codes: npt.NDArray[np.uint8]
    quantizer: ProductQuantizer
    norm_codes: npt.NDArray[np.uint8] | None = None
    norm_quantizer: ProductQuantizer | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.codes), self.quantizer.dim

    @property
    def nbytes(self) -> int:
        """Bytes of the codes and the centroids."""
        size = self.codes.nbytes + self.quantizer.centroids.nbytes
        if self.norm_codes is not None and self.norm_quantizer is not None:
            size += self.norm_codes.nbytes + self.norm_quantizer.centroids.nbytes
        return size

    def take(self, rows: npt.NDArray[np.int64]) -> QuantizedMatrix:
        """The matrix of some of the rows, in the given order."""
        norm_codes = None if self.norm_codes is None else self.norm_codes[rows]
        return replace(self, codes=self.codes[rows], norm_codes=norm_codes)

    def decode(self, first: int = 0, last: int | None = None) -> FloatMatrix:
        """The numbers that the codes of rows `first` to `last` (not included) stand for."""
        rows = self.quantizer.decode(self.codes[first:last])
        if self.norm_codes is not None and self.norm_quantizer is not None:
            rows *= self.norm_quantizer.decode(self.norm_codes[first:last, np.newaxis])
        return rows

    @cached_property
    def native(self) -> _native.QuantizedRows:
        """The same for the native core."""
        norms = self.norm_quantizer
        return _native.QuantizedRows(
            self.codes,
            self.quantizer.centroids,
            self.quantizer.dim,
            self.quantizer.part_dim,
            self.norm_codes,
            None if norms is None else norms.centroids,
        )

    def __reduce__(self) -> tuple[Any, ...]:  # without what is cached
        return type(self), (self.codes, self.quantizer, self.norm_codes, self.norm_quantizer)


def dense(matrix: FloatMatrix | QuantizedMatrix) -> FloatMatrix:
    """The numbers of a matrix that may be held as codes."""
    return matrix.decode() if isinstance(matrix, QuantizedMatrix) else matrix


class _Rows:
    """A matrix that may be held as codes: whoever reads it gets numbers, decoded anew each time.

    So code that knows nothing of quantization is right with quantized models, and what has to be
    small or fast asks for the codes.
    """

    def __get__(self, instance: Embeddings | None, owner: type) -> FloatMatrix:
        if instance is None:
            raise AttributeError("input")
        return dense(instance.__dict__["input"])

    def __set__(self, instance: Embeddings, value: FloatMatrix | QuantizedMatrix) -> None:
        instance.__dict__["input"] = value


@dataclass(frozen=True, eq=False)
class Embeddings:
    """A trained model as data: what the formats read and write.

    Attributes
    ----------
    vocabulary : Vocabulary
        Words by descending count; a word's index is its row.
    config : WordVectorsConfig
        Hyperparameters it was trained with.
    input : float32, shape (n_words + n_touched, vector_dim)
        Input rows: one per word, then one per touched n-gram bucket in the order of `bucket_ids`.
        Rows may be padded: the array is then a view with a longer row stride. Made from a
        `QuantizedMatrix`, the model holds that: see `quantized`.
    output : float32, shape (n_outputs, vector_dim)
        Output rows: one per word (`loss="ns"`), or one per inner node of the Huffman tree
        (`loss="hs"`; `n_words` rows as in fastText, of which the last is unused). No rows where
        the model comes from a file that has none.
    bucket_ids : uint32, shape (n_touched,)
        Bucket numbers, ascending, of the n-gram rows held; any other bucket's row is zero.
        Empty without subwords.
    metadata : dict
        JSON values: brasa's version, loss history, words per second, what was read.
    fasttext : FastTextDetails, optional
        What the fastText file that it was read from says beyond this.
    floret : FloretHashing, optional
        For a model of floret's: how words find their rows. `input` then has the rows of words,
        which only the first word uses, and the table; there may be no words at all.
    """

    vocabulary: Vocabulary
    config: WordVectorsConfig
    input: FloatMatrix
    output: FloatMatrix
    bucket_ids: npt.NDArray[np.uint32]
    metadata: dict[str, Any] = field(default_factory=dict)
    fasttext: FastTextDetails | None = None
    floret: FloretHashing | None = None

    @property
    def quantized(self) -> QuantizedMatrix | None:
        """The input rows as codes, where they are held so; None for rows of numbers."""
        held = self.__dict__["input"]
        return held if isinstance(held, QuantizedMatrix) else None

    def with_output(self, output: FloatMatrix) -> Embeddings:
        """The same model with other output rows; codes stay codes."""
        held: Any = self.__dict__["input"]
        return replace(self, input=held, output=output)

    @property
    def nbytes(self) -> int:
        """Bytes of the matrices."""
        held: FloatMatrix | QuantizedMatrix = self.__dict__["input"]
        return held.nbytes + self.output.nbytes


setattr(Embeddings, "input", _Rows())  # noqa: B010  (in the class it would be the field's default)


@dataclass(frozen=True, eq=False)
class Classifier:
    """A text classifier as data: what the formats read and write.

    A text's hidden vector is the mean of the input rows of its words, of their character n-grams
    and of its word n-grams.

    Attributes
    ----------
    vocabulary : Vocabulary
        Words; a word's index is its row.
    labels : Vocabulary
        Labels with their prefix, and how many texts had each.
    loss : {"softmax", "hs", "ns", "ova"}
        What the output rows are: one per label, or (`hs`) one per inner node of the Huffman tree
        that is built from the labels' counts, in as many rows as there are labels.
    word_ngrams : int
        Longest run of words that has a bucket; 1: none has.
    min_char, max_char : int
        Shortest and longest character n-gram; `max_char` 0: none has a bucket.
    buckets : int
        Number of hash buckets, which both kinds of n-grams share.
    input : float32 or quantized, shape (n_words + n_buckets, vector_dim)
        Rows of words, then of the buckets of `bucket_ids`.
    output : float32 or quantized, shape (n_labels, vector_dim)
    bucket_ids : uint32, shape (n_buckets,)
        Buckets that have a row, ascending.
    bucket_rows : int32, shape (n_buckets,), optional
        Row of each bucket, less n_words; None when they have the order of `bucket_ids`.
    drops_other_buckets : bool
        What an n-gram without a row is: left out of the mean, as in a pruned fastText model, or
        (False) a row of zeros.
    label_prefix : str
        What a token must begin with to be taken for a label that the model does not know.
    metadata : dict
        JSON values: hyperparameters of the training, what was read.
    fasttext : FastTextDetails, optional
        What the fastText file that it was read from says beyond this.
    """

    vocabulary: Vocabulary
    labels: Vocabulary
    loss: ClassifierLoss
    word_ngrams: int
    min_char: int
    max_char: int
    buckets: int
    input: FloatMatrix | QuantizedMatrix
    output: FloatMatrix | QuantizedMatrix
    bucket_ids: npt.NDArray[np.uint32]
    bucket_rows: npt.NDArray[np.int32] | None = None
    drops_other_buckets: bool = False
    label_prefix: str = "__label__"
    metadata: dict[str, Any] = field(default_factory=dict)
    fasttext: FastTextDetails | None = None

    @property
    def vector_dim(self) -> int:
        """Length of the vectors."""
        dim: int = self.input.shape[1]
        return dim
