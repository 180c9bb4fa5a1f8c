from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brasa.config import TextOptions, WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import EncodedCorpus, available_threads, encode
from brasa.vocabulary import Vocabulary

SHARED = Path(__file__).parents[3] / "shared" / "data" / "corpora"
WHITE_SPACE = " \t\n\v\f\r"


def config(**values: Any) -> WordVectorsConfig:
    return WordVectorsConfig(**{"min_count": 1, "threads": 2, **values})


def tokens_of(text: bytes) -> list[bytes]:
    """The definition: words between ASCII white space, `</s>` for each line end."""
    return text.replace(b"\n", b" </s> ").split()


def slow_encode(
    text: bytes, min_count: int, max_vocab: int | None = None
) -> tuple[list[bytes], list[int], list[int]]:
    tokens = tokens_of(text)
    counts = Counter(tokens)
    words = sorted(
        (word for word in counts if counts[word] >= min_count), key=lambda w: (-counts[w], w)
    )[:max_vocab]
    index = {word: i for i, word in enumerate(words)}
    return words, [counts[w] for w in words], [index[t] for t in tokens if t in index]


def check(
    found: tuple[Vocabulary, EncodedCorpus], text: bytes, min_count: int, **limits: Any
) -> None:
    vocabulary, encoded = found
    words, counts, ids = slow_encode(text, min_count, **limits)
    assert [w.encode("utf-8", "surrogateescape") for w in vocabulary.words] == words
    assert vocabulary.counts.tolist() == counts
    assert encoded.ids.tolist() == ids
    assert vocabulary.n_tokens == len(tokens_of(text))


def zipf_text(n_words: int, seed: int, line_words: int = 10) -> bytes:
    random = np.random.default_rng(seed)
    ranks = random.zipf(1.3, n_words) % 50_000
    words = [b"w%d" % r + b"x" * (r % 20) for r in range(50_000)]
    line_ends = set(np.flatnonzero(random.random(n_words) < 1 / line_words).tolist())
    return b"".join(
        words[rank] + (b"\n" if i in line_ends else b" ") for i, rank in enumerate(ranks.tolist())
    )


@given(
    text=st.lists(
        st.one_of(
            st.sampled_from([b"a", b"b", b"</s>", b"\xc3\xa9", b"\xff", b"x" * 15, b"x" * 16]),
            st.sampled_from([c.encode() for c in WHITE_SPACE]),
            st.binary(min_size=1, max_size=20).map(lambda b: b.replace(b"\0", b"0")),
        ),
        max_size=100,
    ).map(lambda parts: b"one two three " + b"".join(parts)),
    min_count=st.integers(0, 1),
    threads=st.integers(1, 3),
)
def test_any_text(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, min_count: int, threads: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any_text"
    path.write_bytes(text)
    found = encode(Corpus(path), config(min_count=min_count, threads=threads))
    check(found, text, min_count)


@pytest.fixture(scope="module")
def text() -> bytes:
    return zipf_text(800_000, 1)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_result_does_not_depend_on_threads(text: bytes, threads: int, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(text)
    found = encode(Corpus(path), config(min_count=3, threads=threads))
    check(found, text, 3)
    assert found[1].ids.dtype == np.int32
    assert not found[1].ids.flags.writeable
    assert found[1].n_bytes == len(text)
    assert found[1].sources == (str(path),)


def test_one_line_is_read_like_many(tmp_path: Path) -> None:
    text = zipf_text(800_000, 2, line_words=2)
    path = tmp_path / "text"
    path.write_bytes(text)
    check(encode(Corpus(path), config()), text, 1)
    line = text.replace(b"\n", b" ")
    path.write_bytes(line)
    check(encode(Corpus(path), config()), line, 1)


@pytest.mark.parametrize("limit", [0, 1, 500_000])
def test_files_hold_the_ids_as_memory_does(text: bytes, limit: int, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(text)
    found = encode(Corpus(path), config(min_count=2), max_tokens_in_memory=limit)
    check(found, text, 2)
    assert not found[1].ids.flags.writeable


def test_temporary_files_have_no_name_and_a_folder_of_choice(
    text: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "new" / "cache"
    monkeypatch.setenv("BRASA_CACHE_DIR", str(cache))
    path = tmp_path / "text"
    path.write_bytes(text)
    _, encoded = encode(Corpus(path), config(), max_tokens_in_memory=0)
    mapped = [
        line for line in Path("/proc/self/maps").read_text().splitlines() if str(cache) in line
    ]
    assert len(mapped) == 1
    assert list(cache.iterdir()) == []
    del encoded
    assert str(cache) not in Path("/proc/self/maps").read_text()


def test_max_vocab_keeps_the_most_frequent(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(text)
    check(encode(Corpus(path), config(max_vocab=100)), text, 1, max_vocab=100)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("max_vocab", [None, 100, 3, 1])
def test_first_words_keep_their_places(
    text: bytes, tmp_path: Path, threads: int, max_vocab: int | None
) -> None:
    path = tmp_path / "text"
    path.write_bytes(text)
    common, counts, _ = slow_encode(text, 1)
    rare = common[-1].decode()
    given = ["absent", rare, common[5].decode(), "x" * 500, common[5].decode()]
    first = Vocabulary.from_words(given, range(5), 10)
    settings = config(min_count=50, max_vocab=max_vocab, threads=threads)
    vocabulary, encoded = encode(Corpus(path), settings, first_words=first)
    new = [w for w, n in zip(common, counts, strict=True) if n >= 50 and w != common[5]]
    new = new if max_vocab is None else new[: max(0, max_vocab - 5)]
    words = [word.encode() for word in given] + new
    assert [w.encode() for w in vocabulary.words] == words
    index = {word: i for i, word in reversed(list(enumerate(words)))}
    count_of = dict(zip(common, counts, strict=True))
    expected = [count_of.get(word, 0) if index[word] == i else 0 for i, word in enumerate(words)]
    assert vocabulary.counts.tolist() == expected
    tokens = tokens_of(text)
    assert encoded.ids.tolist() == [index[token] for token in tokens if token in index]
    assert encoded.n_tokens == vocabulary.n_tokens == len(tokens)


def test_first_words_that_no_text_can_have(tmp_path: Path) -> None:
    """Words of broken or foreign models: longer than a token may be, with a NUL, empty."""
    odd = [b"a\0", b"", b"t" * (2**20 + 1), b"b c", b"a"]
    offsets = np.cumsum([0, *map(len, odd)])
    arena = np.frombuffer(b"".join(odd), np.uint8)
    first = Vocabulary.from_arrays(arena, offsets, np.zeros(5, np.int64), 0)
    vocabulary, encoded = encode(Corpus([["a", "b"]]), config(), first_words=first)
    assert vocabulary.counts.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert encoded.ids.tolist() == [4, 6, 5]
    assert vocabulary.words[5:] == ["</s>", "b"]


def test_line_ends_are_tokens_as_in_fasttext(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in "abc")
    first.write_bytes(b"one two\n\ntwo")
    second.write_bytes(b"")
    third.write_bytes(b"three\n")
    for corpus, text in (
        (Corpus(first), b"one two\n\ntwo"),
        (Corpus(third, TextOptions()), b"three\n"),
        (Corpus([first, second, third]), b"one two\n\ntwo\nthree\n"),
        (Corpus([third, second, first]), b"three\none two\n\ntwo"),
        (Corpus([first, second]), b"one two\n\ntwo"),
        (Corpus(tmp_path), b"one two\n\ntwo\nthree\n"),
        (Corpus(iter(["one two", "", "two"])), b"one two\n\ntwo\n"),
        (Corpus([["one", "two"], [], ["two"]]), b"one two\n\ntwo\n"),
    ):
        if len(set(tokens_of(text)) - {b"</s>"}) > 1:
            check(encode(corpus, config()), text, 1)


def test_many_small_files(tmp_path: Path) -> None:
    texts = [b"file %d\nof many" % i for i in range(500)]
    for i, content in enumerate(texts):
        (tmp_path / f"{i:03d}").write_bytes(content)
    check(encode(Corpus(tmp_path), config()), b"\n".join(texts), 1)


def test_iterators_compressed_files_and_files_agree(text: bytes, tmp_path: Path) -> None:
    plain, compressed = tmp_path / "text", tmp_path / "text.gz"
    plain.write_bytes(text)
    compressed.write_bytes(gzip.compress(text, 1))
    expected = encode(Corpus(plain), config())
    lines = text.decode().split("\n")
    for source in (compressed, iter(lines), (line.split() for line in lines)):
        vocabulary, encoded = encode(Corpus(source), config())
        extra = 0 if source is compressed else 1  # every item is a line, the last one, too
        assert vocabulary.n_tokens == expected[0].n_tokens + extra
        np.testing.assert_array_equal(encoded.ids[: len(expected[1].ids)], expected[1].ids)


def test_standard_input_is_read_once(text: bytes) -> None:
    script = (
        "from brasa.corpus import Corpus; from brasa.encoding import encode;"
        "from brasa.config import WordVectorsConfig;"
        "v, e = encode(Corpus('-'), WordVectorsConfig(min_count=1));"
        "print(v.n_tokens, len(e.ids), e.sources)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=text, capture_output=True, check=True
    )
    n = len(tokens_of(text))
    assert done.stdout.decode().strip() == f"{n} {n} ('<stdin>',)"


def test_progress_counts_bytes_and_tokens(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(text)
    seen: list[tuple[int, int]] = []
    encode(Corpus(path), config(), lambda n_bytes, n_tokens: seen.append((n_bytes, n_tokens)))
    assert seen == sorted(seen)
    assert seen[-1] == (len(text), len(tokens_of(text)))
    assert len(seen) > 10


def test_an_error_of_the_listener_passes_and_leaves_no_thread(text: bytes) -> None:
    def fail(n_bytes: int, n_tokens: int) -> None:
        raise BrokenPipeError("the listener's own")

    before = len(os.listdir("/proc/self/task"))
    with pytest.raises(BrokenPipeError, match="the listener's own"):
        encode(Corpus(iter([text.decode()])), config(threads=4), fail)
    assert len(os.listdir("/proc/self/task")) == before


def test_an_error_of_the_iterable_passes() -> None:
    def lines() -> Any:
        yield "one two"
        raise RuntimeError("the iterable's own")

    with pytest.raises(RuntimeError, match="the iterable's own"):
        encode(Corpus(lines()), config())


def test_ctrl_c_stops_the_reading_at_once() -> None:
    def endless() -> Any:
        while True:
            yield "some words without end " * 1000

    before = len(os.listdir("/proc/self/task"))
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        encode(Corpus(endless()), config())
    assert len(os.listdir("/proc/self/task")) <= before + 1  # the timer may be ending


def test_available_threads() -> None:
    assert 1 <= available_threads() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not SHARED.exists(), reason="the corpora of ../shared are not there")
@pytest.mark.parametrize("name", ["text8-first-6.9mb.txt.gz", "eltec-pt.txt.gz"])
def test_real_text(name: str) -> None:
    text = gzip.decompress((SHARED / name).read_bytes())
    check(encode(Corpus(SHARED / name), config(min_count=5)), text, 5)
