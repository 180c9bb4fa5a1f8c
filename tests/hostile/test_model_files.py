"""Broken, truncated and lying model files: each is refused by name, none crashes or hangs."""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brasa
from brasa.errors import BrasaError, ModelFormatError
from brasa.formats import native

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Flip, MakeEmbeddings

Header = dict[str, Any]


def split(folder: Path) -> tuple[Header, bytes]:
    data = (folder / "model.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def join(folder: Path, header: object, buffer: bytes, *, length: int | None = None) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(
        struct.pack("<Q", len(text) if length is None else length) + text + buffer
    )


def refused(folder: Path, match: str) -> None:
    with pytest.raises(ModelFormatError, match=match) as caught:
        brasa.load(folder)
    assert "model.safetensors" in str(caught.value)


def metadata(header: Header) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(header["__metadata__"]["brasa"])
    return value


def set_metadata(header: Header, **values: object) -> None:
    header["__metadata__"]["brasa"] = json.dumps({**metadata(header), **values})


def set_config(header: Header, **values: object) -> None:
    set_metadata(header, config={**metadata(header)["config"], **values})


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 10**9, 100_000_001, 2**31])
def test_the_header_length_lies(model_folder: Path, length: int) -> None:
    header, buffer = split(model_folder)
    join(model_folder, header, buffer, length=length)
    refused(model_folder, "header of")


def test_a_header_that_is_too_long(model_folder: Path) -> None:
    with (model_folder / "model.safetensors").open("r+b") as file:
        file.truncate(200_000_000)  # holes
        file.write(struct.pack("<Q", 150_000_000))
    refused(model_folder, "100000000 are allowed")


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"null", b"[]", b"7", b"\xff\xfe", b"[" * 100_000, b"9" * 10_000, b'{"a": NaN}'],
)
def test_a_header_that_is_no_header(model_folder: Path, text: bytes) -> None:
    _, buffer = split(model_folder)
    join(model_folder, text, buffer)
    refused(model_folder, "header|tensors")


def test_every_truncation_is_refused(model_folder: Path) -> None:
    file = model_folder / "model.safetensors"
    data = file.read_bytes()
    for size in [*range(200), *range(200, len(data), 97), len(data) - 1]:
        file.write_bytes(data[:size])
        refused(model_folder, "truncated|JSON|header")
    file.write_bytes(data + b"\0")
    refused(model_folder, "bytes after the last tensor")


Lie = Callable[[Header], object]

LIES: dict[str, tuple[Lie, str]] = {
    "missing tensor": (lambda h: h.pop("output"), "has the tensors"),
    "unknown tensor": (lambda h: h.update(extra=h["input"]), "has the tensors"),
    "entry is a list": (lambda h: h.update(input=[]), "tensor input"),
    "entry is null": (lambda h: h.update(input=None), "tensor input"),
    "no dtype": (lambda h: h["input"].pop("dtype"), "tensor input"),
    "dtype is a list": (lambda h: h["input"].update(dtype=[]), "tensor input"),
    "dtype unknown": (lambda h: h["input"].update(dtype="F64"), "tensor input"),
    "dtype of another": (lambda h: h["bucket_ids"].update(dtype="F32"), "bucket_ids is F32"),
    "shape is a string": (lambda h: h["input"].update(shape="1x1"), "tensor input"),
    "shape negative": (lambda h: h["input"].update(shape=[-1, -20]), "tensor input"),
    "shape fractional": (lambda h: h["input"].update(shape=[1.5, 20]), "tensor input"),
    "shape boolean": (lambda h: h["input"].update(shape=[True, 20]), "tensor input"),
    "shape huge": (lambda h: h["input"].update(shape=[2**61, 2**61]), "tensor input"),
    "shape overflows": (lambda h: h["input"].update(shape=[2**200, 1]), "tensor input"),
    "shape deep": (lambda h: h["input"].update(shape=[1] * 40), "tensor input"),
    "shape turned": (lambda h: h["input"].update(shape=h["input"]["shape"][::-1]), "input has"),
    "offsets missing": (lambda h: h["input"].pop("data_offsets"), "tensor input"),
    "offsets of one": (lambda h: h["input"].update(data_offsets=[0]), "tensor input"),
    "offsets backward": (lambda h: h["input"]["data_offsets"].reverse(), "tensor input"),
    "offsets past the end": (
        lambda h: h["input"].update(data_offsets=[x + 10**9 for x in h["input"]["data_offsets"]]),
        "hole",
    ),
    "overlap": (
        lambda h: h["word_counts"].update(
            data_offsets=[x - 8 for x in h["word_counts"]["data_offsets"]]
        ),
        "overlaps",
    ),
    "metadata missing": (lambda h: h.pop("__metadata__"), "not of a brasa model"),
    "metadata is a list": (lambda h: h.update(__metadata__=[]), "not of a brasa model"),
    "metadata is no JSON": (lambda h: h["__metadata__"].update(brasa="{"), "not of a brasa"),
    "metadata is a number": (lambda h: h["__metadata__"].update(brasa="7"), "not of a brasa"),
    "version of the future": (lambda h: set_metadata(h, version=99), "version 99"),
    "another kind": (lambda h: set_metadata(h, kind="classifier"), "classifier"),
    "config is a list": (lambda h: set_metadata(h, config=[]), "metadata is broken"),
    "config is null": (lambda h: set_metadata(h, config=None), "metadata is broken"),
    "config unknown field": (lambda h: set_config(h, colour="red"), "colour"),
    "config impossible": (lambda h: set_config(h, vector_dim=0), "vector_dim"),
    "config other type": (lambda h: set_config(h, vector_dim=[20]), "vector_dim"),
    "config other dimension": (lambda h: set_config(h, vector_dim=21), "input has shape"),
    "buckets too few": (lambda h: set_config(h, buckets=3), "below buckets"),
    "buckets without subwords": (lambda h: set_config(h, subwords=False), "without subwords"),
    "n_tokens negative": (lambda h: set_metadata(h, n_tokens=-1), "n_tokens"),
    "n_tokens is text": (lambda h: set_metadata(h, n_tokens="many"), "n_tokens"),
    "n_tokens huge": (lambda h: set_metadata(h, n_tokens=2**70), "n_tokens"),
    "metadata of a list": (lambda h: set_metadata(h, metadata=[]), "metadata is broken"),
}


@pytest.mark.parametrize("lie", LIES)
def test_the_header_lies(model_folder: Path, lie: str) -> None:
    header, buffer = split(model_folder)
    tell, match = LIES[lie]
    tell(header)
    join(model_folder, header, buffer)
    refused(model_folder, match)


def test_a_model_without_words(model_folder: Path) -> None:
    header, _ = split(model_folder)
    shapes = {"word_offsets": [1], "input": [0, 20], "output": [0, 20]}
    position = 0
    for name in ("word_offsets", "word_counts", "input", "output", "bucket_ids", "word_bytes"):
        size = 8 if name == "word_offsets" else 0
        header[name] |= {
            "shape": shapes.get(name, [0]),
            "data_offsets": [position, position + size],
        }
        position += size
    join(model_folder, header, bytes(8))
    refused(model_folder, "without words")


@pytest.mark.parametrize("index", [0, -1])
def test_offsets_that_do_not_span_the_words(model_folder: Path, index: int) -> None:
    header, buffer = split(model_folder)
    begin, end = header["word_offsets"]["data_offsets"]
    offsets = np.frombuffer(buffer[begin:end], np.int64).copy()
    offsets[index] += 1
    join(model_folder, header, buffer[:begin] + offsets.tobytes() + buffer[end:])
    refused(model_folder, "word_offsets")


def use_everything(model: brasa.WordVectors, tmp_path: Path) -> None:
    """All that a model can be asked: each must answer, or refuse."""
    words = ["ember", "fire", "embersome", ""]
    asked: list[Callable[[], object]] = [
        lambda: model.words,
        lambda: model.vectors(words),
        lambda: model.neighbors("ember", k=3),
        lambda: model.analogy("ember", "fire", "brasa"),
        lambda: model.subwords("embers"),
        lambda: "ember" in model,
        lambda: model.save(tmp_path / "again"),
        lambda: model.export(tmp_path / "vectors.bin", "fasttext"),
        lambda: model.export(tmp_path / "vectors.txt", "word2vec"),
        lambda: model.evaluate(),
    ]
    for ask in asked:
        with contextlib.suppress(BrasaError):
            ask()


@pytest.mark.parametrize("tensor", ["word_offsets", "word_counts", "bucket_ids"])
@pytest.mark.parametrize("value", [-(2**63), -1, 0, 5, 2**31, 2**62, 2**63 - 1])
def test_tensors_that_lie_inside(
    make_embeddings: MakeEmbeddings, tmp_path: Path, tensor: str, value: int
) -> None:
    folder = tmp_path / "model"
    native.write(make_embeddings(), folder)
    header, buffer = split(folder)
    begin, end = header[tensor]["data_offsets"]
    dtype = np.uint32 if tensor == "bucket_ids" else np.int64
    values = np.frombuffer(buffer[begin:end], dtype).copy()
    values[1:-1] = np.array([value & (2**64 - 1)], np.uint64).view(np.int64).astype(dtype)
    join(folder, header, buffer[:begin] + values.tobytes() + buffer[end:])
    try:
        model = brasa.load(folder)
    except ModelFormatError:
        return
    use_everything(model, tmp_path)


@settings(max_examples=150)
@given(data=st.data())
def test_flipped_bytes_never_crash(
    model_folder: Path, tmp_path: Path, flip: Flip, data: st.DataObject
) -> None:
    file = model_folder / "model.safetensors"
    pristine = tmp_path / "pristine"
    if not pristine.exists():
        pristine.write_bytes(file.read_bytes())
    file.write_bytes(flip(data, pristine.read_bytes(), head=500))
    try:
        model = brasa.load(model_folder)
    except ModelFormatError:
        return
    use_everything(model, tmp_path)


def test_files_that_are_no_models(tmp_path: Path) -> None:
    for name, content in {
        "empty": b"",
        "short": b"abc",
        "text": b"the quick brown fox " * 100,
        "pickle": b"\x80\x04\x95" + bytes(200),
        "zip": b"PK\x03\x04" + bytes(200),
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelFormatError):
            brasa.load(tmp_path / name)
