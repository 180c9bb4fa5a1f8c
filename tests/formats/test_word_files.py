"""Words and their vectors in word2vec's and GloVe's formats: read, and told by content."""

from __future__ import annotations

import gzip
import lzma
from typing import TYPE_CHECKING

import numpy as np
import pytest

import brasa
from brasa import formats, lookup

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeEmbeddings

FORMATS = ["word2vec", "word2vec-binary", "glove"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("dim", [1, 7, 300])
@pytest.mark.parametrize("pack", [None, gzip.compress, lzma.compress])
def test_what_is_written_is_read(
    make_embeddings: MakeEmbeddings, tmp_path: Path, format: str, dim: int, pack: object
) -> None:
    embeddings = make_embeddings(vector_dim=dim)
    path = tmp_path / "no suffix"
    formats.export(embeddings, path, format)
    written = path.read_bytes()
    if callable(pack):
        path.write_bytes(pack(written))
    found = brasa.load(path)
    assert found.metadata == {"source": format}
    assert found.words == embeddings.vocabulary.words
    assert not found.config.subwords
    expected = lookup.compose(embeddings, found.words)
    tolerance = 0 if format == "word2vec-binary" else 5e-5
    np.testing.assert_allclose(found.vectors(found.words), expected, rtol=tolerance)
    found.export(tmp_path / "again", format)
    assert (tmp_path / "again").read_bytes() == written


def test_what_was_read_can_be_saved_and_exported(
    make_embeddings: MakeEmbeddings, tmp_path: Path
) -> None:
    formats.export(make_embeddings(), tmp_path / "vectors", "word2vec")
    found = brasa.load(tmp_path / "vectors")
    found.save(tmp_path / "model")
    found.export(tmp_path / "model.bin", "fasttext")
    again = brasa.load(tmp_path / "model")
    assert again.words == found.words
    np.testing.assert_array_equal(again.embeddings.input, found.embeddings.input)
    assert again.neighbors("fire", 3) == found.neighbors("fire", 3)


def test_numbers_are_read_as_numpy_reads_them(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    bits = random.integers(0, 2**32, 20_000, dtype=np.uint32).view(np.float32)
    values = bits[np.isfinite(bits)].astype(np.float64)
    texts = [f"{value:.{digits}{kind}}" for value in values[:6000] for digits, kind in
             [(4, "g"), (6, "f"), (8, "e"), (17, "g")]]  # fmt: skip
    texts += [str(value) for value in random.normal(size=5000)]
    texts += ["0", "-0", "+1.5", "1.", ".5", "1e5", "1E+5", "-1e-05", "00012", "1e-400", "3e-46"]
    texts += ["0." + "0" * 400 + "1", "123456789012345678901234567890", "1e-45", "3.4028235e38"]
    (tmp_path / "v").write_text(f"{len(texts)} 1\n" + "".join(
        f"w{i} {text}\n" for i, text in enumerate(texts)))  # fmt: skip
    found = formats.load(tmp_path / "v").input[:, 0]
    with np.errstate(under="ignore"):
        expected = np.array([float(text) for text in texts]).astype(np.float32)
    np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))


def test_lines_in_other_shapes(tmp_path: Path) -> None:
    """Tabs, line ends of Windows, blank lines, words with spaces as in GloVe's 840B file."""
    (tmp_path / "v").write_bytes(
        b"3 2\r\na\t1\t2\r\n\r\nat name@domain.com  3 4 \r\n. . . 5 6\n\xff\xfe 7 8\n".replace(
            b"3 2\r", b"4 2\r"
        )
    )
    found = brasa.load(tmp_path / "v")
    assert found.words == ["a", "at name@domain.com", ". . .", "\udcff\udcfe"]
    np.testing.assert_array_equal(found.embeddings.input, np.arange(1, 9).reshape(4, 2))
    for name in FORMATS:
        with pytest.raises(brasa.ModelFormatError, match=r"'at name@domain.com' has white space"):
            found.export(tmp_path / "no", name)
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("format", FORMATS)
def test_of_equal_words_the_first_counts(tmp_path: Path, format: str) -> None:
    if format == "word2vec-binary":
        records = [(b"a", [1, 2]), (b"b", [3, 4]), (b"a", [5, 6]), (b"c", [7, 8])]
        text = b"4 2\n" + b"".join(w + b" " + np.array(v, "<f4").tobytes() for w, v in records)
    else:
        text = (b"4 2\n" if format == "word2vec" else b"") + b"a 1 2\nb 3 4\na 5 6\nc 7 8\n"
    (tmp_path / "v").write_bytes(text)
    found = brasa.load(tmp_path / "v")
    assert found.words == ["a", "b", "c"]
    np.testing.assert_array_equal(found.embeddings.input, [[1, 2], [3, 4], [7, 8]])
    assert found.metadata["notes"] == ["1 words were there twice: the first of each was kept"]


def test_a_file_of_many_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from brasa.formats import vector_rows, word2vec

    rows = np.random.default_rng(1).normal(size=(3000, 20)).astype(np.float32)
    lines = b"".join(
        b"w%d %s\n" % (i, " ".join(map(repr, row.tolist())).encode()) for i, row in enumerate(rows)
    )
    records = b"".join(b"w%d %s" % (i, row.tobytes()) for i, row in enumerate(rows))
    for window in (100, 997, 65_536):
        monkeypatch.setattr(vector_rows, "_WINDOW", window)
        monkeypatch.setattr(word2vec, "_WINDOW", max(window, 200))
        for content in (lines, b"3000 20\n" + lines, b"3000 20\n" + records):
            for packed in (content, gzip.compress(content, 1)):
                (tmp_path / "v").write_bytes(packed)
                found = formats.load(tmp_path / "v")
                np.testing.assert_array_equal(found.input, rows)
                assert found.vocabulary.word(2999) == "w2999"
