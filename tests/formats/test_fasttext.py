from __future__ import annotations

import dataclasses
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import WordVectors, formats, lookup
from brasa.errors import ConfigError, ModelFormatError
from brasa.formats import fasttext

if TYPE_CHECKING:
    from pathlib import Path

    from brasa.parameters import Embeddings
    from conftest import MakeEmbeddings

WORDS = ("</s>", "the", "fire", "ember", "ação", "команда", "北海道", "🔥", "é")


class Reader:
    """The layout of fastText's `saveModel`, field by field."""

    def __init__(self, data: bytes) -> None:
        self.data, self.offset = data, 0

    def take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self.data, self.offset)
        self.offset += struct.calcsize("<" + layout)
        return values

    def word(self) -> bytes:
        end = self.data.index(b"\0", self.offset)
        word, self.offset = self.data[self.offset : end], end + 1
        return word

    def matrix(self) -> np.ndarray:
        quantized, rows, columns = self.take("B2q")
        assert quantized == 0
        start, self.offset = self.offset, self.offset + 4 * rows * columns
        return np.frombuffer(self.data[start : self.offset], "<f4").reshape(rows, columns)


@pytest.mark.parametrize("mode", ["cbow", "skipgram", "batch_skipgram"])
@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("subwords", [False, True])
def test_every_field_is_where_fasttext_reads_it(
    make_embeddings: MakeEmbeddings, tmp_path: Path, mode: str, loss: str, subwords: bool
) -> None:
    embeddings = make_embeddings(
        mode=mode, loss=loss, subwords=subwords, vector_dim=7, padding=9, window_size=4, epochs=3,
        min_count=2, negative_samples=6, min_char=2, max_char=5, buckets=3000,
        sampling_threshold=1e-3,
    )  # fmt: skip
    formats.export(embeddings, tmp_path / "vectors.bin", "fasttext")
    reader = Reader((tmp_path / "vectors.bin").read_bytes())
    assert reader.take("2i") == (793712314, 12)
    assert reader.take("7i") == (7, 4, 3, 2, 6, 1, {"hs": 1, "ns": 2}[loss])
    assert reader.take("i") == ({"cbow": 1}.get(mode, 2),)
    assert reader.take("3i") == ((3000, 2, 5) if subwords else (0, 0, 0))
    assert reader.take("id") == (100, 1e-3)
    vocabulary = embeddings.vocabulary
    n_words = len(vocabulary)
    assert reader.take("3i2q") == (n_words, n_words, 0, vocabulary.n_tokens, -1)
    for i in range(n_words):
        assert reader.word() == vocabulary.word(i).encode()
        assert reader.take("qb") == (vocabulary.counts[i], 0)
    rows = reader.matrix()
    assert rows.shape == (n_words + (3000 if subwords else 0), 7)
    np.testing.assert_array_equal(rows[:n_words], embeddings.input[:n_words])
    dense = np.zeros_like(rows[n_words:])
    dense[embeddings.bucket_ids] = embeddings.input[n_words:]
    np.testing.assert_array_equal(rows[n_words:], dense)
    np.testing.assert_array_equal(reader.matrix(), embeddings.output)
    assert reader.offset == len(reader.data)


def test_buckets_that_fill_many_chunks(
    make_embeddings: MakeEmbeddings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fasttext.writing, "_CHUNK_BYTES", 37 * 80)
    embeddings = make_embeddings()
    fasttext.write(embeddings, tmp_path / "small chunks.bin")
    monkeypatch.undo()
    fasttext.write(embeddings, tmp_path / "one chunk.bin")
    small, one = ((tmp_path / f"{name}.bin").read_bytes() for name in ("small chunks", "one chunk"))
    assert small == one


def test_broken_bucket_ids_are_refused(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    embeddings = make_embeddings()
    embeddings.bucket_ids[3] = 2**32 - 1
    with pytest.raises(ModelFormatError, match="bucket_ids"):
        fasttext.write(embeddings, tmp_path / "vectors.bin")
    assert list(tmp_path.iterdir()) == []


def test_export_needs_little_memory(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    """400 MB of rows are written by a process that may grow by a tenth of that."""
    from brasa.formats import native

    native.write(make_embeddings(vector_dim=100, buckets=1_000_000), tmp_path / "model")
    script = (
        "import resource, sys; from brasa import formats;"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "model = formats.load(sys.argv[1]); before = peak();"
        "formats.export(model, sys.argv[2], 'fasttext'); print(peak() - before)"
    )
    target = tmp_path / "vectors.bin"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "model"), str(target)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert target.stat().st_size > 400_000_000
    target.unlink()
    assert int(done.stdout) < 40_000


def test_unknown_format(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fasttext"):
        formats.export(make_embeddings(), tmp_path / "vectors.onnx", "onnx")


def same(a: Embeddings, b: Embeddings) -> None:
    for name in ("input", "output", "bucket_ids"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert a.vocabulary.words == b.vocabulary.words
    np.testing.assert_array_equal(a.vocabulary.counts, b.vocabulary.counts)
    assert a.vocabulary.n_tokens == b.vocabulary.n_tokens


@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("mode", ["cbow", "skipgram"])
def test_what_was_written_is_read(
    make_embeddings: MakeEmbeddings, tmp_path: Path, mode: str, loss: str
) -> None:
    """Told by its content, whatever its name; untouched buckets come back as rows of zeros."""
    config: dict[str, Any] = {"mode": mode, "loss": loss, "window_size": 7, "epochs": 3}
    embeddings = make_embeddings(WORDS, **config)
    fasttext.write(embeddings, tmp_path / "vectors.txt")
    read = formats.load(tmp_path / "vectors.txt")
    assert {name: getattr(read.config, name) for name in config} == config
    dense = np.zeros((len(WORDS) + 5000, 20), np.float32)
    dense[: len(WORDS)] = embeddings.input[: len(WORDS)]
    dense[len(WORDS) + embeddings.bucket_ids.astype(int)] = embeddings.input[len(WORDS) :]
    ids = np.arange(5000, dtype=np.uint32)
    same(read, dataclasses.replace(embeddings, input=dense, bucket_ids=ids))
    words = [*WORDS, "embersome", "x", ""]
    np.testing.assert_allclose(
        lookup.compose(read, words), lookup.compose(embeddings, words), atol=1e-6
    )


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("extra", ["", "x", "xx", "xxx"])
def test_the_same_bytes_again(
    make_embeddings: MakeEmbeddings, tmp_path: Path, subwords: bool, extra: str
) -> None:
    """Whether the matrices lie at a multiple of four bytes, and are mapped, or not."""
    written, again = tmp_path / "a.bin", tmp_path / "b.bin"
    fasttext.write(make_embeddings([*WORDS, "z" + extra], subwords=subwords), written)
    fasttext.write(fasttext.read(written), again)
    assert written.read_bytes() == again.read_bytes()


def test_a_saved_copy_is_the_same_model(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    fasttext.write(make_embeddings(), tmp_path / "vectors.bin")
    vectors = WordVectors.load(tmp_path / "vectors.bin")
    vectors.save(tmp_path / "model")
    saved = WordVectors.load(tmp_path / "model")
    same(saved.embeddings, vectors.embeddings)
    assert saved.config == vectors.config
    assert saved.neighbors("ember") == vectors.neighbors("ember")
