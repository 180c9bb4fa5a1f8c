"""From text to a vocabulary and a stream of word ids, read once by several threads."""

from __future__ import annotations

import mmap
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.errors import CorpusError, StorageError
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from brasa.config import WordVectorsConfig
    from brasa.corpus import Corpus

MAX_TOKENS_IN_MEMORY = 256_000_000
LINE_END = "</s>"

Progress = Callable[[int, int], object]


@dataclass(frozen=True, eq=False)
class EncodedCorpus:
    """A text as numbers.

    Attributes
    ----------
    ids : int32, shape (n_kept_tokens,)
        Index of each word in the vocabulary, in text order, dropped words left out; read-only.
        ``</s>`` stands for every line end, if it is in the vocabulary. In memory, or mapped from a
        file without a name, which goes away with the array.
    n_tokens : int
        Tokens read, those of dropped words and line ends included.
    n_bytes : int
        Length of the text, decompressed.
    sources : tuple of str
        Files that were read, or ``"<stdin>"``, or ``"<iterable>"``.
    """

    ids: npt.NDArray[np.int32]
    n_tokens: int
    n_bytes: int
    sources: tuple[str, ...]

    def checksum(self) -> int:
        """CRC-32 of the ids: tells the same text from another one."""
        return zlib.crc32(self.ids.data)


def available_threads() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def encode(
    corpus: Corpus,
    config: WordVectorsConfig,
    on_progress: Progress | None = None,
    *,
    first_words: Vocabulary | None = None,
    max_tokens_in_memory: int = MAX_TOKENS_IN_MEMORY,
) -> tuple[Vocabulary, EncodedCorpus]:
    """Read a corpus once: count its words, choose the vocabulary, and number the text.

    The result depends on nothing but the text and `config`, whatever the threads do.

    Parameters
    ----------
    corpus : Corpus
    config : WordVectorsConfig
        `min_count`, `max_vocab` and `threads` are used.
    on_progress : callable, optional
        Called with (bytes read, tokens counted) after each piece of text.
    first_words : Vocabulary, optional
        Words that the vocabulary begins with, in their order, however rare they are in the text
        (their counts there may be 0); other words follow by descending count. They count for
        `max_vocab`.
    max_tokens_in_memory : int
        Beyond this, tokens (4 bytes each) are kept in temporary files, in the folder that the
        environment variable ``BRASA_CACHE_DIR`` names, or else the system's temporary folder.

    Raises
    ------
    CorpusError
        When the text cannot be used: see `Corpus`; or when fewer than two words are left, or
        none that occurs.
    StorageError
        When a file cannot be read, or the temporary files do not fit on the disk.
    """

    def check(vocabulary: Vocabulary, found: dict[str, Any], source: str | None) -> None:
        if found["top_counts"][0] == 0:
            raise CorpusError("there is no word in the text", source=source)
        is_usable = _check_chosen if first_words is None else _check_known
        is_usable(vocabulary, found, source, config)

    return _encode(
        corpus,
        config.threads or available_threads(),
        on_progress,
        max_tokens_in_memory,
        (config.min_count, config.max_vocab, *_arrays_of(first_words)),
        check,
    )


def encode_all(
    corpus: Corpus, threads: int, on_progress: Progress | None = None
) -> tuple[Vocabulary, EncodedCorpus]:
    """As `encode`, but every token is kept, whatever it is and however rare."""
    return _encode(
        corpus,
        threads,
        on_progress,
        MAX_TOKENS_IN_MEMORY,
        (1, None, *_arrays_of(None)),
        lambda *read: None,
    )


def _encode(
    corpus: Corpus,
    threads: int,
    on_progress: Progress | None,
    max_tokens_in_memory: int,
    limits: tuple[int, int | None, npt.NDArray[Any], npt.NDArray[Any]],
    check: Callable[[Vocabulary, dict[str, Any], str | None], None],
) -> tuple[Vocabulary, EncodedCorpus]:
    folder = os.environ.get("BRASA_CACHE_DIR") or tempfile.gettempdir()
    with ExitStack() as stack:
        spill = _open_temporary(folder, stack)
        refuse_invalid = corpus.text_options.on_invalid == "refuse"
        encoder = _native.CorpusEncoder(threads, refuse_invalid, max_tokens_in_memory, spill)
        stack.callback(encoder.close)
        sources = _feed(encoder, corpus, on_progress, folder)
        with _errors(folder):
            found = encoder.finish(*limits)
        vocabulary = Vocabulary.from_arrays(
            found["arena"], found["offsets"], found["counts"], found["n_tokens"]
        )
        check(vocabulary, found, source_of(sources))
        if on_progress is not None:
            on_progress(encoder.n_bytes, encoder.n_tokens)
        with _errors(folder):
            if found["n_kept_tokens"] <= max_tokens_in_memory:
                ids = np.empty(found["n_kept_tokens"], np.int32)
                encoder.write_ids(ids)
            else:
                ids = _write_to_file(encoder, found["n_kept_tokens"], folder)
        ids.flags.writeable = False
        return vocabulary, EncodedCorpus(ids, found["n_tokens"], encoder.n_bytes, sources)


def _arrays_of(words: Vocabulary | None) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    if words is None:
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    words.check()
    return words.arena, words.offsets


def _open_temporary(folder: str, stack: ExitStack) -> int:
    """A file without a name, which costs nothing while it is empty; -1 if there can be none."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        return stack.enter_context(tempfile.TemporaryFile(dir=folder)).fileno()
    except OSError:
        return -1


def _write_to_file(encoder: Any, n_ids: int, folder: str) -> npt.NDArray[np.int32]:
    n_bytes = n_ids * np.dtype(np.int32).itemsize
    with tempfile.TemporaryFile(dir=folder) as file:
        # A disk that is full must show here: in a mapped page it would be a SIGBUS.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, n_bytes)
        encoder.write_ids_to_file(file.fileno())
        mapping = mmap.mmap(file.fileno(), n_bytes, access=mmap.ACCESS_READ)
    return np.frombuffer(mapping, np.int32)


@contextmanager
def _errors(folder: str) -> Iterator[None]:
    """Turns the native core's errors into brasa's; it uses no files but the temporary ones."""
    try:
        yield
    except _native.TextError as error:
        problem, source, line = error.args
        raise CorpusError(problem, source=source, line=line) from None
    except OSError as error:
        problem = f"the text's temporary file cannot be written ({error.strerror})"
        hint = "set BRASA_CACHE_DIR to a folder on a disk with room for 8 bytes a token"
        raise StorageError(folder, f"{problem}; {hint}") from error


def _feed(
    encoder: Any, corpus: Corpus, on_progress: Progress | None, folder: str
) -> tuple[str, ...]:
    sources: list[str] = []
    for source, pieces in corpus.sources():
        encoder.begin_source(os.fsencode(source))
        sources.append(source)
        for piece in pieces:
            with _errors(folder):
                encoder.feed(piece)
            if on_progress is not None:
                on_progress(encoder.n_bytes, encoder.n_tokens)
    return tuple(sources)


def source_of(sources: tuple[str, ...]) -> str | None:
    """Where trouble with a whole text is: in its source, if there is but one."""
    return sources[0] if len(sources) == 1 else None


def _check_chosen(
    vocabulary: Vocabulary, found: dict[str, Any], source: str | None, config: WordVectorsConfig
) -> None:
    """Refuse a text that leaves fewer than two words, `</s>` aside."""
    first, second = found["top_counts"]
    if second == 0:
        problem = "all words of the text are the same; two different ones are needed to train"
        raise CorpusError(problem, source=source)
    if second >= config.min_count:
        words = [vocabulary.word(i) for i in range(min(len(vocabulary), 3))]
        if len([word for word in words if word != LINE_END]) < 2:
            problem = f"max_vocab={config.max_vocab} leaves fewer than two words"
            raise CorpusError(problem, source=source)
        return
    which = "only one word occurs" if first >= config.min_count else "no word occurs"
    raise CorpusError(
        f"{which} min_count={config.min_count} times; of the {found['n_distinct']} different ones "
        f"the most frequent occurs {first} times, the next {second} times: use min_count={second} "
        "or less, or a longer text",
        source=source,
    )


def _check_known(
    vocabulary: Vocabulary, found: dict[str, Any], source: str | None, config: WordVectorsConfig
) -> None:
    """Refuse a text that has nothing for a vocabulary with words of its own, `</s>` aside."""
    most = found["top_counts"][0]
    line_end = vocabulary.index(LINE_END)
    if not np.any(np.delete(vocabulary.counts, [] if line_end is None else [line_end])):
        raise CorpusError(
            "the text has no word of the model, and no other that can be added: the most frequent "
            f"one occurs {most} times, min_count is {config.min_count}, max_vocab is "
            f"{config.max_vocab}",
            source=source,
        )
    if len(vocabulary) - (line_end is not None) < 2:
        problem = "model and text have one word together; two different ones are needed to train"
        raise CorpusError(problem, source=source)
