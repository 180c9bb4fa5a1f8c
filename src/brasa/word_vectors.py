"""`WordVectors`: a word-vector model in use."""

from __future__ import annotations

import functools
import json
import os
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from brasa import (
    alignment,
    formats,
    lookup,
    merging,
    quantization,
    reduction,
    training,
    warm_start,
)
from brasa.arguments import check_strings
from brasa.config import TextOptions, WordVectorsConfig
from brasa.corpus import Corpus
from brasa.errors import ConfigError, UnknownWordError
from brasa.evaluation import report
from brasa.formats import in_memory
from brasa.neighbors import FloatVector, unit
from brasa.sentences import sentence_means
from brasa.subwords import FloretHashing, Subwords
from brasa.word_queries import check_word
from brasa.word_search import WordSearch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from brasa import _native
    from brasa.parameters import Embeddings, FloatMatrix
    from brasa.training import Listener
    from brasa.vocabulary import Vocabulary


# Up to this many words are composed one by one: one takes 3 us, eight 12; together 13 and 22.
_FEW_WORDS = 8


class Subword(NamedTuple):
    """A part of a word that has, or would have, a row of its own.

    Attributes
    ----------
    text : str
        The n-gram, with ``<`` and ``>`` for the word's ends; or the word itself.
    bucket : int or None
        Hash bucket of an n-gram; None for the word itself.
    row : int or None
        Row of the model's input matrix; None when training never saw the bucket.
    """

    text: str
    bucket: int | None
    row: int | None

    @property
    def trained(self) -> bool:
        """Whether it has a row that was trained."""
        return self.row is not None


class WordVectors(WordSearch):
    """Word vectors, of unseen words too where the model has subwords.

    Made by `train` or `load`. Safe to read from several threads.

    Examples
    --------
    >>> vectors = brasa.WordVectors.train("corpus.txt", subwords=True)
    >>> vectors.neighbors("awesome", k=2)
    [('great', 0.71), ('amazing', 0.69)]
    >>> vectors["awweeesome"].shape
    (100,)
    """

    def __init__(self, embeddings: Embeddings) -> None:
        super().__init__(embeddings)
        self._path: str | None = None  # where it was loaded from

    @classmethod
    def train(
        cls,
        corpus: Any,
        *,
        pretrained: WordVectors | str | os.PathLike[str] | None = None,
        keep_pretrained_words: bool = False,
        text_options: TextOptions | None = None,
        listeners: Iterable[Listener] = (),
        callback: Listener | None = None,
        keep_partial: bool = False,
        **hyperparameters: Any,
    ) -> WordVectors:
        """Train a model.

        Parameters
        ----------
        corpus : str, path, list of paths, iterable of str or of token lists, or Corpus
            Where the text is: see `brasa.Corpus`.
        pretrained : WordVectors or path, optional
            Where words start from: those it has a vector for from that, the others from random
            numbers. A path may be of any format that `load` reads. `vector_dim` is that of these
            vectors. Where both models have the same n-grams, rows are taken over instead of whole
            vectors: those of the words that it knows, and those of n-grams.
        keep_pretrained_words : bool
            Keep all words of `pretrained`, in its order, before those of the text, as fastText's
            `pretrainedVectors` does; otherwise the text alone decides which words there are.
        text_options : TextOptions, optional
            Lower-casing, Unicode normalization, treatment of invalid bytes.
        listeners : iterable of callables
            Each is called with every event of the training: see `brasa.training.Event`.
        callback : callable, optional
            One more listener.
        keep_partial : bool
            After Ctrl-C return what was trained instead of raising.
        **hyperparameters
            Fields of `brasa.WordVectorsConfig`: `mode`, `vector_dim`, `subwords`, `epochs`, ...

        Raises
        ------
        ConfigError
            For an unknown or impossible hyperparameter.
        CorpusError, StorageError
            When the text cannot be read, or nothing of it can be used.
        DivergenceError
            When the numbers leave the finite range.
        TrainingInterrupted
            After Ctrl-C, unless `keep_partial`.
        """
        text, every = _text(corpus, text_options), training.all_listeners(listeners, callback)
        start = None
        if pretrained is not None:
            vectors = cls._opened(pretrained)
            config = WordVectorsConfig.parse({"vector_dim": vectors.vector_dim, **hyperparameters})
            start = warm_start.pretrained(
                vectors._embeddings, config, keep_words=keep_pretrained_words, path=vectors._path
            )
        elif keep_pretrained_words:
            raise ConfigError("keep_pretrained_words", True, "left out without pretrained")
        else:
            config = WordVectorsConfig.parse(hyperparameters)
        return cls(
            training.train(text, config, start=start, listeners=every, keep_partial=keep_partial)
        )

    @classmethod
    def _opened(cls, pretrained: object) -> WordVectors:
        if isinstance(pretrained, WordVectors):
            return pretrained
        if isinstance(pretrained, (str, os.PathLike)):
            return cls.load(pretrained)
        raise ConfigError(
            "pretrained", type(pretrained).__name__, "WordVectors, or the path of a model or of "
            "vectors; WordVectors.from_gensim and from_spacy make them of those programs' objects",
        )  # fmt: skip

    def continue_training(
        self,
        corpus: Any,
        *,
        resume: bool = False,
        text_options: TextOptions | None = None,
        listeners: Iterable[Listener] = (),
        callback: Listener | None = None,
        keep_partial: bool = False,
        **changes: Any,
    ) -> WordVectors:
        """Train on with new text and new words; gives a new model, this one stays as it is.

        The vocabulary is this model's, in its order, with the new text's counts added, and then the
        new words that occur at least `min_count` times in the new text. All rows are kept, those
        of n-grams that the new words bring are added; only the output rows of ``loss="hs"`` start
        anew, since other counts make another Huffman tree. A file of vectors has no output rows:
        they start anew, too.

        Parameters
        ----------
        corpus, text_options, listeners, callback, keep_partial
            See `train`.
        resume : bool
            Finish a training that was interrupted and kept, with the text that it had: the learning
            rate goes on from where it was. With one thread the result is, bit for bit, that of a
            training without interruption.
        **changes
            Hyperparameters that are to differ from the model's: `epochs`, `learning_rate`,
            `min_count`, ... Those that decide what a row means cannot change: `vector_dim`,
            `subwords`, `min_char`, `max_char`, `buckets`, `loss`. `threads` and `instruction_set`
            are this machine's. With ``epochs=0`` the model only gets the new words and the counts;
            no row of it moves.

        Raises
        ------
        ConfigError
            For a hyperparameter that is impossible or cannot change, a quantized model, a table
            without words, or when there is nothing to resume.
        CorpusError, StorageError
            When the text cannot be read, or nothing of it can be used.
        ModelFormatError
            When the model is broken.
        DivergenceError, TrainingInterrupted
            See `train`.
        """
        text, every = _text(corpus, text_options), training.all_listeners(listeners, callback)
        begin = warm_start.resumed if resume else warm_start.continued
        start, config = begin(self._embeddings, changes, path=self._path)
        return type(self)(
            training.train(text, config, start=start, listeners=every, keep_partial=keep_partial)
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> WordVectors:
        """Open a saved model, or word vectors of another program, told by the content.

        A saved model's matrices are mapped, not read: under 50 ms whatever the size. Other
        formats are those of `brasa.formats.load`.

        Raises
        ------
        StorageError
            When there is nothing to read at `path`.
        ModelFormatError
            When it is not a model, or a broken one.
        """
        vectors = cls(formats.load(path))
        vectors._path = os.fspath(path)
        return vectors

    @classmethod
    def from_gensim(cls, vectors: Any) -> WordVectors:
        """Take over gensim's `KeyedVectors` or `FastTextKeyedVectors`, n-grams included.

        See `brasa.formats.in_memory.from_gensim`.
        """
        return cls(in_memory.from_gensim(vectors))

    def to_gensim(self) -> Any:
        """Gensim's `KeyedVectors` with whole words: see `brasa.formats.in_memory.to_gensim`."""
        return in_memory.to_gensim(self._embeddings)

    @classmethod
    def from_spacy(cls, vectors: Any) -> WordVectors:
        """Take over spaCy's `Vectors`, or those of a vocabulary or pipeline.

        See `brasa.formats.in_memory.from_spacy`.
        """
        return cls(in_memory.from_spacy(vectors))

    def to_spacy(self, *, floret_table: bool = False) -> Any:
        """SpaCy's `Vectors`, with `floret_table` for unseen words, too.

        See `brasa.formats.in_memory.to_spacy`.
        """
        return in_memory.to_spacy(self._embeddings, floret_table=floret_table)

    @classmethod
    def from_hub(cls, repo_id: str, **options: Any) -> WordVectors:
        """Open a model of the Hugging Face Hub; `options` are those of `brasa.formats.hub.pull`.

        Raises
        ------
        MissingExtraError
            When huggingface_hub is not installed.
        StorageError
            When there is no such model, or the Hub cannot be reached.
        ModelFormatError
            When the file is not word vectors.
        """
        return cls.load(formats.hub.pull(repo_id, **options))

    def push_to_hub(self, repo_id: str, **options: Any) -> str:
        """Write the model into a repository of the Hugging Face Hub; return the commit's address.

        `options` are those of `brasa.formats.hub.push`, which raises what this raises.
        """
        return formats.push_to_hub(self._embeddings, repo_id, **options)

    def save(
        self, path: str | os.PathLike[str], *, evaluation: dict[str, Any] | None = None
    ) -> None:
        """Save the model as a folder, replacing a model that is there, all or nothing.

        Parameters
        ----------
        path : path
            The folder. Files of yours in it are kept.
        evaluation : dict, optional
            What `evaluate` returned, to be kept as `eval.json`.

        Raises
        ------
        StorageError
            When it cannot be written, or `path` holds something else than a model.
        """
        extra = {} if evaluation is None else {report.FILE_NAME: _pretty(evaluation)}
        formats.native.write(self._embeddings, path, extra=extra)

    def export(self, path: str | os.PathLike[str], format: str = "fasttext") -> None:
        """Write another program's format.

        Parameters
        ----------
        path : path
        format : str
            One of `brasa.formats.FORMATS`: see `brasa.formats.export` and `docs/formats.md`.

        Raises
        ------
        ConfigError
            For an unknown format.
        ModelFormatError
            When the format cannot hold the model: words with spaces in them, in a text file.
        StorageError
            When it cannot be written; what was at `path` is then untouched.
        """
        formats.export(self._embeddings, path, format)

    def __getitem__(self, word: str) -> FloatVector:
        """The vector of a word, float32, shape (vector_dim,).

        An unseen word gets the mean of its n-grams' rows, those that training never saw counting
        as zeros; the zero vector when it saw none of them.

        Raises
        ------
        UnknownWordError
            When the word is unseen and the model has no subwords.
        """
        check_word(word)
        index = self._embeddings.vocabulary.index(word)
        if index is None and not self._embeddings.config.subwords:
            raise UnknownWordError(word)
        composer = self._composer
        if composer is None:
            composed: FloatVector = lookup.compose(self._embeddings, [word])[0]
            return composed
        vector = np.empty(self._embeddings.config.vector_dim, np.float32)
        self._write(word, index, composer, vector)
        return vector

    @staticmethod
    def _write(
        word: str, index: int | None, composer: _native.WordComposer, vector: FloatVector
    ) -> None:
        if not composer.compose(word, -1 if index is None else index, vector):
            lookup.encode_word(word)  # raises

    @functools.cached_property
    def _composer(self) -> _native.WordComposer | None:
        return lookup.composer(self._embeddings)

    def __contains__(self, word: object) -> bool:
        """Whether the word is in the vocabulary; an unseen word may have a vector all the same."""
        return isinstance(word, str) and self.vocabulary.index(word) is not None

    def __len__(self) -> int:
        """Number of words in the vocabulary."""
        return len(self.vocabulary)

    def __reduce__(self) -> tuple[Any, ...]:  # without what is cached
        return type(self), (self._embeddings,)

    def __repr__(self) -> str:
        n_ngrams = len(self._embeddings.bucket_ids)
        subwords = f", {n_ngrams} n-gram rows" if self.config.subwords else ""
        return (
            f"<WordVectors: {len(self)} words{subwords}, vector_dim={self.vector_dim}, "
            f"mode={self.config.mode}>"
        )

    @property
    def vocabulary(self) -> Vocabulary:
        """The words and their counts."""
        return self._embeddings.vocabulary

    @property
    def words(self) -> list[str]:
        """The vocabulary by descending count; made at the first call."""
        return self.vocabulary.words

    @property
    def config(self) -> WordVectorsConfig:
        """Hyperparameters that the model was trained with."""
        return self._embeddings.config

    @property
    def metadata(self) -> dict[str, Any]:
        """Where the model comes from: brasa's version, loss history, words per second, ..."""
        return self._embeddings.metadata

    @property
    def vector_dim(self) -> int:
        """Length of the vectors."""
        return self.config.vector_dim

    @property
    def embeddings(self) -> Embeddings:
        """The matrices."""
        return self._embeddings

    def vectors(self, words: Sequence[str]) -> FloatMatrix:
        """The vectors of many words, float32, shape (len(words), vector_dim).

        As `[word]` for each, with one difference: without subwords an unseen word gets zeros, as
        it does from a BlazingText endpoint. The work is native and, for more than a few words,
        parallel and without the GIL.
        """
        words = check_strings("words", words, "a list of words, not one string")
        composer = self._composer
        if composer is None or len(words) > _FEW_WORDS:
            return lookup.compose(self._embeddings, words)
        out = np.empty((len(words), self._embeddings.config.vector_dim), np.float32)
        for word, vector in zip(words, out, strict=True):
            self._write(word, self.vocabulary.index(word), composer, vector)
        return out

    def sentence_vector(self, sentence: str) -> FloatVector:
        """The mean of a sentence's word vectors, each scaled to length 1; float32, (vector_dim,).

        As fastText's for word vectors: words are what whitespace separates, words without a
        direction (unseen, and none of their n-grams trained) do not count, and a sentence without
        any other word has the zero vector.

        Raises
        ------
        ConfigError
            When `sentence` is not a string.
        UnknownWordError
            When a word is not text: it has a lone surrogate.
        """
        vector: FloatVector = self.sentence_vectors([sentence])[0]
        return vector

    def sentence_vectors(self, sentences: Sequence[str]) -> FloatMatrix:
        """`sentence_vector` of many sentences, float32, shape (len(sentences), vector_dim).

        Every distinct word is looked up once, in parallel and without the GIL.
        """
        sentences = check_strings("sentences", sentences, "a list of sentences, not one string")
        return sentence_means(sentences, self.vectors, self.vector_dim)

    def ngrams(self) -> dict[str, int]:
        """The n-grams of the vocabulary's words that have a row: n-gram to row of the input matrix.

        A model keeps hash buckets, not n-grams: those that only words below `min_count` had are
        not listed, and n-grams of one bucket share its row. Empty without subwords.

        Raises
        ------
        ConfigError
            For a model of floret's, whose n-grams have several rows each.
        """
        if self._embeddings.floret is not None:
            raise ConfigError("model", "floret's", "one whose n-grams have one row each")
        return {
            part.text: part.row
            for word in (self.words if self.config.subwords else ())
            for part in self.subwords(word)
            if part.bucket is not None and part.row is not None
        }

    def subwords(self, word: str) -> list[Subword]:
        """The rows that a word's vector is the mean of: its own, if any, then its n-grams'."""
        check_word(word)
        lookup.encode_word(word)
        index = self.vocabulary.index(word)
        parts = [] if index is None else [Subword(word, None, index)]
        config, ids = self.config, self._embeddings.bucket_ids
        if self._embeddings.floret is not None:
            return self._floret_parts(self._embeddings.floret, word, index)
        if not config.subwords:
            return parts
        ngrams = Subwords(config.min_char, config.max_char, config.buckets)
        buckets = ngrams.bucket_ids(word)
        places = np.searchsorted(ids, buckets)
        for text, bucket, place in zip(ngrams.ngrams(word), buckets, places, strict=True):
            seen = place < len(ids) and ids[place] == bucket
            parts.append(Subword(text, int(bucket), len(self) + int(place) if seen else None))
        return parts

    def _floret_parts(self, hashing: FloretHashing, word: str, index: int | None) -> list[Subword]:
        parts = [Subword(word, None, 0)] if index == 0 else []
        if len(self) and word == "</s>":
            return parts
        return parts + [
            Subword(text, bucket, len(self) + bucket)
            for text, buckets in hashing.parts(word)
            for bucket in buckets
        ]

    def similarity(self, a: str, b: str) -> float:
        """Cosine of two words' vectors; 0 when one of them is zero.

        Raises
        ------
        UnknownWordError
            When one of the words is unseen and the model has no subwords.
        """
        first, second = (unit(self[word]).astype(np.float64) for word in (a, b))
        return float(np.clip(first @ second, -1.0, 1.0))

    def quantize(self, *, qnorm: bool = True, dsub: int = 2) -> WordVectors:
        """A model of about an eighth of the size: see `brasa.quantization.quantize_embeddings`."""
        return type(self)(
            quantization.quantize_embeddings(self._embeddings, qnorm=qnorm, dsub=dsub)
        )

    def reduce(self, dim: int) -> WordVectors:
        """A model with vectors of `dim` numbers (PCA): see `brasa.reduction.reduce_dim`."""
        return type(self)(reduction.reduce_dim(self._embeddings, dim))

    def prune(self, words: int | Iterable[str]) -> WordVectors:
        """A model with the most frequent words, or those named: see `brasa.reduction.prune`."""
        return type(self)(reduction.prune(self._embeddings, words))

    def merge(
        self, other: WordVectors, *, conflict: Literal["first", "second", "mean"] = "first"
    ) -> WordVectors:
        """A model with the words of both: see `brasa.merging.merge`."""
        return type(self)(merging.merge(self._embeddings, other._embeddings, conflict=conflict))

    def align_to(self, target: WordVectors, dictionary: Any, **options: Any) -> WordVectors:
        """A model in the space of another, rotated: see `brasa.alignment.align`."""
        found = alignment.align(self._embeddings, target._embeddings, dictionary, **options)
        return type(self)(found.apply(self._embeddings))

    def evaluate(self) -> dict[str, Any]:
        """Score the model on WordSim-353, in the shape of BlazingText's `eval.json`.

        See `brasa.evaluation.report.wordsim353`.
        """
        return report.wordsim353(self._embeddings)


def _text(corpus: Any, text_options: TextOptions | None) -> Corpus:
    if not isinstance(corpus, Corpus):
        return Corpus(corpus, text_options or TextOptions())
    if text_options is not None:
        raise ConfigError("text_options", text_options, "left out: the Corpus has its own")
    return corpus


def _pretty(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=4).encode() + b"\n"
