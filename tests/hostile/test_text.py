"""Text that cannot be trained on: each kind is told with what, where and what instead."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from brasa.config import TextOptions, WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.errors import CorpusError, StorageError


def refusal(source: Any, on_invalid: Any = "keep", **values: Any) -> CorpusError:
    config = WordVectorsConfig(**{"threads": 2, "min_count": 1, **values})
    with pytest.raises(CorpusError) as caught:
        encode(Corpus(source, TextOptions(on_invalid=on_invalid)), config)
    return caught.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "text.txt"


@pytest.mark.parametrize("text", [b"", b"\n", b" \t\n\n \r\n"])
def test_a_text_without_words(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    error = refusal(path)
    assert str(error) == f"{path}: there is no word in the text"
    assert error.source == str(path)


def test_an_empty_iterable() -> None:
    assert str(refusal([])) == "<iterable>: there is no word in the text"


def test_all_words_below_min_count(path: Path) -> None:
    path.write_bytes(b"a a a b b c\n" * 1 + b"\n" * 100)
    message = str(refusal(path, min_count=5))
    assert "no word occurs min_count=5 times" in message
    assert "of the 3 different ones the most frequent occurs 3 times, the next 2" in message
    assert "use min_count=2 or less" in message
    encode(Corpus(path), WordVectorsConfig(min_count=2))


def test_one_word_above_min_count(path: Path) -> None:
    path.write_bytes(b"a a a a a a b\n" * 1)
    message = str(refusal(path, min_count=5))
    assert "only one word occurs min_count=5 times" in message
    assert "use min_count=1 or less" in message


@pytest.mark.parametrize("text", [b"word", b"word word word", b"word\n" * 100])
def test_one_word_only(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    assert "all words of the text are the same" in str(refusal(path))


def test_max_vocab_that_leaves_one_word(path: Path) -> None:
    path.write_bytes(b"a a b b c")
    assert "max_vocab=1 leaves fewer than two words" in str(refusal(path, max_vocab=1))


def test_nul_bytes_are_told_by_line(path: Path) -> None:
    path.write_bytes(b"fine\n" * 1_000_000 + b"a\0b\n" + b"fine\n" * 1_000_000)
    error = refusal(path)
    assert error.line == 1_000_001
    assert error.source == str(path)
    assert "binary" in str(error)


def test_utf16_is_told_with_how_to_convert_it(path: Path) -> None:
    path.write_text("some words\n", encoding="utf-16")
    error = refusal(path)
    assert error.line == 1
    assert "iconv -f UTF-16 -t UTF-8" in str(error)


def test_a_binary_file(path: Path) -> None:
    path.write_bytes(Path(sys.executable).read_bytes()[:3_000_000])
    assert "NUL" in str(refusal(path))


@pytest.mark.parametrize("separator", [b" ", b"\n"])
def test_a_token_of_ten_megabytes(path: Path, separator: bytes) -> None:
    path.write_bytes(b"one two\n" + b"x" * 10_000_000 + separator + b"three")
    error = refusal(path)
    assert error.line == 2
    assert "more than 1 MiB" in str(error)


def test_the_longest_token_that_is_taken(path: Path) -> None:
    path.write_bytes(b"one two\n" + b"x" * (1 << 20) + b"\nthree")
    vocabulary, _ = encode(Corpus(path), WordVectorsConfig(min_count=1))
    assert max(map(len, vocabulary.words)) == 1 << 20
    path.write_bytes(b"one two\n" + b"x" * ((1 << 20) + 1) + b"\nthree")
    assert refusal(path).line == 2


def test_a_token_without_end_takes_no_memory() -> None:
    """A gigabyte without white space is refused by a process that may use a quarter of it."""
    script = (
        "import resource, sys; from brasa.corpus import Corpus; from brasa.encoding import encode;"
        "from brasa.config import TextOptions, WordVectorsConfig;"
        "options = TextOptions(lowercase=sys.argv[1] == 'lower');"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; before = peak()\n"
        "try: encode(Corpus('-', options), WordVectorsConfig(threads=2))\n"
        "except Exception as e: print(e, peak() - before)"
    )
    for mode in ("plain", "lower"):
        with subprocess.Popen(
            [sys.executable, "-c", script, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                for _ in range(1000):
                    process.stdin.write(b"x" * 1_000_000)
                process.stdin.close()
            except BrokenPipeError:
                pass
            answer = process.stdout.read().decode()
        assert "<stdin>:1: a token of more than 1 MiB" in answer
        assert int(answer.split()[-1]) < 60_000  # kilobytes


@pytest.mark.parametrize(
    "bad", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3"]
)
def test_invalid_utf8_is_kept_or_refused(path: Path, bad: bytes) -> None:
    path.write_bytes("fine é 🔥\n".encode() * 300_000 + b"some b" + bad + b"d words\n" + b"x " * 9)
    error = refusal(path, on_invalid="refuse")
    assert error.line == 300_001
    assert "not UTF-8" in str(error)
    assert 'on_invalid="keep"' in str(error)
    vocabulary, _ = encode(Corpus(path), WordVectorsConfig(min_count=1))
    assert (b"b" + bad + b"d").decode("utf-8", "surrogateescape") in vocabulary


def test_valid_utf8_is_not_refused(path: Path) -> None:
    path.write_bytes("one é 北海道 🔥 \U0010ffff \ud7ff".encode())
    encode(Corpus(path, TextOptions(on_invalid="refuse")), WordVectorsConfig(min_count=1))


def test_the_line_is_that_of_the_file_not_of_the_corpus(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"fine\n" * 10 + b"no line end")
    (tmp_path / "d").write_bytes(b"fine\n\0")
    error = refusal(tmp_path)
    assert (error.source, error.line) == (str(tmp_path / "d"), 2)


def test_the_first_fault_is_told_whatever_the_threads_do(path: Path) -> None:
    filler = b"word and word\n" * 500_000
    path.write_bytes(filler + b"\0\n" + filler + b"x" * 2_000_000 + b"\n\0\n" + filler)
    for threads in (1, 2, 4):
        for _ in range(3):
            assert refusal(path, threads=threads).line == 500_001


def test_a_truncated_gz_is_no_short_text(tmp_path: Path) -> None:
    path = tmp_path / "text.gz"
    whole = gzip.compress(b"word and word\n" * 100_000)
    path.write_bytes(whole[:-20])
    error = refusal(path)
    assert "truncated" in str(error)
    assert error.source == str(path)


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    assert "folder without files" in str(refusal(tmp_path))
    with pytest.raises(StorageError, match=re.escape(str(tmp_path / "missing"))):
        encode(Corpus(tmp_path / "missing"), WordVectorsConfig())


@pytest.mark.parametrize("limit", [0, 1_500_000])
def test_a_full_disk_while_encoding(path: Path, tmp_path: Path, limit: int) -> None:
    """Both temporary files: that of the numbers while reading, and that of the final ids."""
    path.write_bytes(b"one two three\n" * 500_000)
    script = (
        "import resource, sys; from brasa.corpus import Corpus; from brasa.encoding import encode;"
        "from brasa.config import WordVectorsConfig; from brasa.errors import StorageError;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000))\n"
        "corpus, limit = Corpus(sys.argv[1]), int(sys.argv[2])\n"
        "try: encode(corpus, WordVectorsConfig(), max_tokens_in_memory=limit)\n"
        "except StorageError as e: print(e)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), str(limit)],
        capture_output=True,
        text=True,
        env={**os.environ, "BRASA_CACHE_DIR": str(tmp_path)},
        timeout=60,
    )
    assert done.stderr == ""
    assert f"{tmp_path}: the text's temporary file cannot be written" in done.stdout
    assert "BRASA_CACHE_DIR" in done.stdout


def test_a_temporary_folder_that_cannot_be(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(b"one two three\n" * 10_000)
    monkeypatch.setenv("BRASA_CACHE_DIR", str(path / "below a file"))
    encode(Corpus(path), WordVectorsConfig())  # it needs none
    with pytest.raises(StorageError, match="BRASA_CACHE_DIR"):
        encode(Corpus(path), WordVectorsConfig(), max_tokens_in_memory=0)


def test_ctrl_c_in_a_blocked_read() -> None:
    script = (
        "from brasa.corpus import Corpus; from brasa.encoding import encode;"
        "from brasa.config import WordVectorsConfig\n"
        "print('ready', flush=True)\n"
        "try: encode(Corpus('-'), WordVectorsConfig())\n"
        "except KeyboardInterrupt: print('stopped')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 0
        assert process.stdout.read() == b"stopped\n"


def test_peak_memory_is_that_of_the_ids(path: Path) -> None:
    """8 bytes a token would mean that numbers and ids are held at once; the ids alone take 4."""
    n_lines = 2_000_000
    path.write_bytes(b"one two three four\n" * n_lines)
    script = (
        "import resource, sys; from brasa.corpus import Corpus; from brasa.encoding import encode;"
        "from brasa.config import WordVectorsConfig;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "_, e = encode(Corpus(sys.argv[1]), WordVectorsConfig(threads=2));"
        "print(len(e.ids), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    n_ids, kilobytes = map(int, done.stdout.split())
    assert n_ids == 5 * n_lines
    assert kilobytes * 1024 < 4 * n_ids + 30e6
