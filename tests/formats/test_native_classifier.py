from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brasa
from brasa import TextClassifier
from brasa.errors import ModelFormatError

Header = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A saved classifier."""
    lines = [f"__label__{i % 3} w{i % 3} w{i % 7}" for i in range(60)]
    classifier = TextClassifier.train(lines, min_count=1, vector_dim=7, buckets=100, threads=1)
    classifier.save(tmp_path / "model")
    return tmp_path / "model"


def test_matrices_are_mapped(folder: Path) -> None:
    model = TextClassifier.load(folder).model
    assert isinstance(model.input, np.ndarray)
    assert not model.input.flags.owndata
    assert model.input.ctypes.data % 64 == 0
    described = json.loads((folder / "config.json").read_text())
    assert (described["kind"], described["n_labels"]) == ("text_classifier", 3)
    assert described["metadata"]["hyperparameters"]["word_ngrams"] == 2


def edit(folder: Path, change: Callable[[Header, Header], object]) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    described = json.loads(header["__metadata__"]["brasa"])
    change(header, described)
    header["__metadata__"]["brasa"] = json.dumps(described)
    text = json.dumps(header).encode()
    whole = struct.pack("<Q", len(text)) + text + data[8 + length :]
    (folder / "model.safetensors").write_bytes(whole)


LIES: dict[str, tuple[Callable[[Header, Header], object], str]] = {
    "kind": (lambda h, d: d.update(kind="word_vectors"), "has the tensors"),
    "unknown kind": (lambda h, d: d.update(kind="image"), "a image model of format version 1"),
    "version": (lambda h, d: d.update(version=2), "version 2"),
    "loss": (lambda h, d: d.update(loss="hinge"), "loss is 'hinge'"),
    "no loss": (lambda h, d: d.pop("loss"), "loss is None"),
    "buckets": (lambda h, d: d.update(buckets=5), "bucket_ids is not below buckets, 5"),
    "no buckets": (lambda h, d: d.pop("buckets"), "buckets is None"),
    "buckets of text": (lambda h, d: d.update(buckets="9"), "buckets is '9'"),
    "true as a number": (lambda h, d: d.update(max_char=True), "max_char is True"),
    "many n-grams": (lambda h, d: d.update(word_ngrams=10**9), "word_ngrams is 1000000000"),
    "no tokens": (lambda h, d: d.update(n_tokens=-1), "n_tokens is -1"),
    "prefix": (lambda h, d: d.update(label_prefix=3), "label_prefix is no str"),
    "prefix no text": (lambda h, d: d.update(label_prefix="\ud800"), "label_prefix is no text"),
    "metadata": (lambda h, d: d.update(metadata=[]), "metadata is no dict"),
    "drops": (lambda h, d: d.update(drops_other_buckets=1), "drops_other_buckets is no bool"),
    "turned": (lambda h, d: h["input"].update(shape=h["input"]["shape"][::-1]), "has shape"),
    "flat": (lambda h, d: h["output"].update(shape=[21]), "tensor output has shape"),
    "missing": (lambda h, d: h.pop("label_bytes"), "has the tensors"),
}


@pytest.mark.parametrize("name", LIES)
def test_lies_are_refused(folder: Path, name: str) -> None:
    change, message = LIES[name]
    edit(folder, change)
    with pytest.raises(ModelFormatError, match=message) as caught:
        brasa.load(folder)
    assert "model.safetensors" in str(caught.value)


def test_every_truncation_is_refused(folder: Path) -> None:
    file = folder / "model.safetensors"
    data = file.read_bytes()
    for size in [*range(0, len(data), 61), len(data) - 1]:
        file.write_bytes(data[:size])
        with pytest.raises(ModelFormatError):
            brasa.load(folder)


@pytest.fixture(scope="module")
def trained() -> TextClassifier:
    lines = [f"__label__{i % 300} w{i % 3} w{i % 71} x{i % 300}" for i in range(900)]
    return TextClassifier.train(lines, min_count=1, vector_dim=7, buckets=1000, threads=1, seed=1)


@pytest.mark.parametrize(
    "options", [{}, {"qnorm": True}, {"qout": True}, {"cutoff": 300, "qnorm": True, "qout": True}]
)
def test_quantized_models_are_kept_as_their_codes(
    trained: TextClassifier, tmp_path: Path, options: dict[str, Any]
) -> None:
    small = trained.quantize(**options)
    small.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    assert loaded.quantized
    texts = [f"w{i} x{i} w{i + 1}" for i in range(60)]
    assert loaded.predict(texts, 5) == small.predict(texts, 5)
    assert loaded.explain(texts[1]) == small.explain(texts[1])
    loaded.export(tmp_path / "again.ftz")
    assert TextClassifier.load(tmp_path / "again.ftz").predict(texts, 5) == small.predict(texts, 5)


def test_lies_about_codes_are_refused(trained: TextClassifier, tmp_path: Path) -> None:
    lies: dict[str, Callable[[Header, Header], object]] = {
        "dsub is None": lambda h, d: d.pop("dsub"),
        "dsub is 0": lambda h, d: d.update(dsub=0),
        "output_dsub": lambda h, d: d.update(output_dsub=9),
        "vector_dim is -1": lambda h, d: d.update(vector_dim=-1),
        "input_codes has shape": lambda h, d: d.update(dsub=7),
        "has the tensors": lambda h, d: h.pop("input_norm_codes"),
    }
    small = trained.quantize(qnorm=True, qout=True)
    for said, lie in lies.items():
        small.save(tmp_path / "model")
        edit(tmp_path / "model", lie)
        with pytest.raises(ModelFormatError, match=said if said != "output_dsub" else "dsub is 9"):
            TextClassifier.load(tmp_path / "model")
