from __future__ import annotations

import io
import itertools
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import safetensors.numpy

from brasa import formats
from brasa.errors import ModelFormatError, StorageError
from brasa.formats import native
from brasa.formats.safetensors import write_rows
from brasa.parameters import padded_matrix

if TYPE_CHECKING:
    from pathlib import Path

    from brasa.parameters import Embeddings
    from conftest import MakeEmbeddings


def assert_same(found: Embeddings, expected: Embeddings) -> None:
    assert found.config == expected.config
    assert found.metadata == expected.metadata
    assert found.vocabulary.words == expected.vocabulary.words
    assert found.vocabulary.n_tokens == expected.vocabulary.n_tokens
    np.testing.assert_array_equal(found.vocabulary.counts, expected.vocabulary.counts)
    np.testing.assert_array_equal(found.bucket_ids, expected.bucket_ids)
    np.testing.assert_array_equal(found.input, expected.input)
    np.testing.assert_array_equal(found.output, expected.output)


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize(("dim", "padding"), [(1, 0), (1, 15), (7, 9), (100, 12), (300, 0)])
def test_what_is_read_is_what_was_written(
    make_embeddings: MakeEmbeddings, tmp_path: Path, subwords: bool, dim: int, padding: int
) -> None:
    embeddings = make_embeddings(vector_dim=dim, padding=padding, subwords=subwords)
    native.write(embeddings, tmp_path / "model")
    assert_same(formats.load(tmp_path / "model"), embeddings)
    assert_same(formats.load(tmp_path / "model" / "model.safetensors"), embeddings)


@pytest.mark.parametrize("shape", [(0, 10), (1, 10), (300_000, 10), (5, 16)])
def test_rows_are_written_without_padding(shape: tuple[int, int]) -> None:
    rows = padded_matrix(*shape)
    rows[:] = np.arange(rows.size, dtype=np.float32).reshape(shape)
    for matrix in (rows, rows[:, ::2], rows[::-1], rows.astype(np.float64)):
        file = io.BytesIO()
        write_rows(file, matrix)
        assert file.getvalue() == matrix.tobytes()


def test_the_safetensors_library_reads_it(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    embeddings = make_embeddings(padding=4)
    native.write(embeddings, tmp_path / "model")
    tensors = safetensors.numpy.load_file(tmp_path / "model" / "model.safetensors")
    np.testing.assert_array_equal(tensors["input"], embeddings.input)
    np.testing.assert_array_equal(tensors["output"], embeddings.output)
    np.testing.assert_array_equal(tensors["bucket_ids"], embeddings.bucket_ids)
    offsets, arena = tensors["word_offsets"], tensors["word_bytes"].tobytes()
    words = [arena[a:b].decode() for a, b in itertools.pairwise(offsets)]
    assert words == embeddings.vocabulary.words


def test_tensors_are_mapped_and_aligned(model_folder: Path) -> None:
    embeddings = formats.load(model_folder)
    assert not embeddings.input.flags.owndata
    assert not embeddings.input.flags.writeable
    assert embeddings.input.ctypes.data % 64 == 0
    assert embeddings.vocabulary.offsets.ctypes.data % 8 == 0
    assert embeddings.vocabulary.counts.ctypes.data % 8 == 0
    assert embeddings.bucket_ids.ctypes.data % 4 == 0


def test_tensors_that_lie_anywhere_are_aligned_in_memory(
    model_folder: Path, tmp_path: Path
) -> None:
    """A header may have any length, and mapped tensors would lie where no pointer may point."""
    content = (model_folder / "model.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little") + 1
    file = tmp_path / "shifted" / "model.safetensors"
    file.parent.mkdir()
    file.write_bytes(length.to_bytes(8, "little") + b" " + content[8:])
    found = formats.load(file)
    for tensor in (found.input, found.output, found.bucket_ids, found.vocabulary.offsets):
        assert tensor.flags.aligned
    assert_same(found, formats.load(model_folder))


def test_config_json_tells_people_what_the_model_is(model_folder: Path) -> None:
    described = json.loads((model_folder / "config.json").read_text())
    assert described["n_words"] == 11
    assert described["config"]["vector_dim"] == 20
    assert described["metadata"]["loss_history"] == [[0.5, 2.25], [1.0, 2.0]]


def test_saving_again_replaces_the_model_and_what_was_made_from_it(
    make_embeddings: MakeEmbeddings, model_folder: Path
) -> None:
    (model_folder / "eval.json").write_text("{}")
    (model_folder / "vectors.txt").write_text("of the old model")
    (model_folder / "notes.md").write_text("mine")
    other = make_embeddings(["one", "two"], subwords=False)
    native.write(other, model_folder)
    assert_same(formats.load(model_folder), other)
    assert sorted(path.name for path in model_folder.iterdir()) == [
        "config.json",
        "model.safetensors",
        "notes.md",
    ]
    native.write(other, model_folder, extra={"eval.json": b'{"mean_rho": 1.0}'})
    assert json.loads((model_folder / "eval.json").read_text()) == {"mean_rho": 1.0}


def test_a_model_can_be_saved_over_the_one_it_is_mapped_from(model_folder: Path) -> None:
    opened = formats.load(model_folder)
    before = np.array(opened.input)
    native.write(opened, model_folder)
    np.testing.assert_array_equal(opened.input, before)
    np.testing.assert_array_equal(formats.load(model_folder).input, before)


def test_what_a_killed_save_left_does_not_stop_the_next(
    make_embeddings: MakeEmbeddings, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / ".model.safetensors.0123abcd.tmp").write_bytes(b"half a model")
    native.write(make_embeddings(), folder)
    assert len(formats.load(folder).vocabulary) == 11


def test_a_link_to_a_folder_is_followed(
    make_embeddings: MakeEmbeddings, model_folder: Path, tmp_path: Path
) -> None:
    link = tmp_path / "latest"
    link.symlink_to(model_folder)
    native.write(make_embeddings(["one"], subwords=False), link)
    assert link.is_symlink()
    assert formats.load(model_folder).vocabulary.words == ["one"]


@pytest.mark.parametrize("kind", ["file", "folder", "below a file"])
def test_other_peoples_things_are_not_replaced(
    make_embeddings: MakeEmbeddings, tmp_path: Path, kind: str
) -> None:
    place = tmp_path / "place"
    if kind == "folder":
        place.mkdir()
        (place / "thesis.tex").write_text("years of work")
    else:
        place.write_text("years of work")
    target = place / "model" if kind == "below a file" else place
    with pytest.raises(StorageError, match="place"):
        native.check_target(target)
    with pytest.raises(StorageError, match="place"):
        native.write(make_embeddings(), target)
    kept = place / "thesis.tex" if kind == "folder" else place
    assert kept.read_text() == "years of work"


def test_opening_reads_nothing_of_the_tensors(
    make_embeddings: MakeEmbeddings, tmp_path: Path
) -> None:
    """A gigabyte of holes opens in a process that may not have a tenth of it resident."""
    folder = tmp_path / "model"
    words = [f"w{i}" for i in range(1000)]
    native.write(make_embeddings(words, vector_dim=8, subwords=False), folder)
    grow(folder / "model.safetensors", n_words=1_000_000, dim=8, fill=folder)
    script = (
        "import resource, sys, time; from brasa import formats;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; start = time.perf_counter();"
        "model = formats.load(sys.argv[1]); seconds = time.perf_counter() - start;"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "assert model.vocabulary.word(999_999) == 'w999999', model.vocabulary.word(999_999);"
        "print(after - before, seconds)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True
    )
    kilobytes, seconds = (float(x) for x in done.stdout.split())
    assert kilobytes < 4000  # word_offsets alone has 8000, input 32000
    assert seconds < 2  # 2 ms are usual


def grow(file: Path, *, n_words: int, dim: int, fill: Path) -> None:
    """Replace a model by one of `n_words` words, `w0` and so on, made without a Python loop."""
    numbers = np.arange(n_words)
    digits = np.char.mod("w%d", numbers).astype(bytes)
    lengths = np.char.str_len(digits)
    offsets = np.zeros(n_words + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    tensors: dict[str, np.ndarray[Any, Any]] = {
        "word_offsets": offsets,
        "word_counts": numbers[::-1].astype(np.int64) + 1,
        "input": np.ones((n_words, dim), np.float32),
        "output": np.zeros((n_words, dim), np.float32),
        "bucket_ids": np.empty(0, np.uint32),
        "word_bytes": np.frombuffer(b"".join(digits.tolist()), np.uint8),
    }
    described = json.loads((fill / "config.json").read_text())
    safetensors.numpy.save_file(tensors, file, {"brasa": json.dumps(described)})


def test_nothing_at_the_path(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no such file"):
        formats.load(tmp_path / "absent")
    with pytest.raises(StorageError):
        formats.load("nul\0byte")
    with pytest.raises(ModelFormatError, match=r"no model\.safetensors"):
        formats.load(tmp_path)
