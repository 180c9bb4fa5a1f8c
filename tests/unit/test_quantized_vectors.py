from __future__ import annotations

import dataclasses
import json
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import brasa
from brasa import WordVectors
from brasa.errors import BrasaError, ConfigError, ModelFormatError
from brasa.formats import fasttext, safetensors
from brasa.quantization import quantize_embeddings

if TYPE_CHECKING:
    from pathlib import Path

    from brasa.parameters import Embeddings
    from conftest import AsFloret, MakeEmbeddings

WORDS = ["</s>", *(f"ember{i}" for i in range(298)), "ação"]
UNSEEN = ["ember", "embers9", "ações", "xyz", "", "é"]


@pytest.fixture(params=[True, False], ids=["ngrams", "words"])
def model(request: pytest.FixtureRequest, make_embeddings: MakeEmbeddings) -> Embeddings:
    return make_embeddings(WORDS, subwords=request.param, vector_dim=11, padding=5)


def assert_same(found: WordVectors, decoded: Any, model: Embeddings) -> None:
    """The vectors are those of a plain model with the decoded rows."""
    plain = WordVectors(dataclasses.replace(model, input=decoded))
    words = [*plain.words, *(UNSEEN if model.config.subwords else [])]
    np.testing.assert_allclose(found.vectors(words), plain.vectors(words), atol=1e-6)
    for word in ("ember7", "ação"):
        np.testing.assert_allclose(found[word], plain[word], atol=1e-6)
        names = [name for name, _ in found.neighbors(word, 3)]
        assert names == [name for name, _ in plain.neighbors(word, 3)]
    assert found.analogy("ember1", "ember2", "ember3", 1)[0][0] in plain.words
    wanted = plain.similarity("ember1", "ember2")
    assert found.similarity("ember1", "ember2") == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("qnorm", [True, False])
@pytest.mark.parametrize("dsub", [1, 2, 3, 11])
def test_vectors_come_from_codes(model: Embeddings, tmp_path: Path, qnorm: bool, dsub: int) -> None:
    quantized = WordVectors(model).quantize(qnorm=qnorm, dsub=dsub)
    codes = quantized.embeddings.quantized
    assert codes is not None
    assert codes.shape == model.input.shape
    assert quantized.embeddings.nbytes == codes.nbytes
    assert_same(quantized, codes.decode(), model)
    quantized.save(tmp_path / "model")
    quantized.export(tmp_path / "model.ftz")
    for path in (tmp_path / "model", tmp_path / "model.ftz"):
        again = brasa.load(path)
        assert again.embeddings.quantized is not None
        np.testing.assert_array_equal(again.embeddings.quantized.codes, codes.codes)
        assert again.embeddings.bucket_ids.tolist() == model.bucket_ids.tolist()
        assert_same(again, codes.decode(), model)
    again.export(tmp_path / "again.ftz")
    assert (tmp_path / "again.ftz").read_bytes() == (tmp_path / "model.ftz").read_bytes()
    assert brasa.load(tmp_path / "model").metadata["quantization"] == {
        "qnorm": qnorm, "dsub": dsub,
    }  # fmt: skip


def test_whoever_reads_rows_gets_numbers(model: Embeddings, tmp_path: Path) -> None:
    """What knows nothing of codes is right with them."""
    quantized = WordVectors(model).quantize(dsub=1)
    rows = quantized.embeddings.input
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, model.input, atol=0.5)
    for smaller in (quantized.reduce(5), quantized.prune(100), quantized.merge(quantized)):
        assert smaller.embeddings.quantized is None
        assert np.isfinite(smaller.vectors(WORDS[:9])).all()
    np.testing.assert_allclose(quantized.prune(100)["ember7"], quantized["ember7"], atol=1e-6)
    quantized.export(tmp_path / "vectors.vec", "word2vec-binary")
    again = brasa.load(tmp_path / "vectors.vec")
    np.testing.assert_allclose(again["ember7"], quantized["ember7"], atol=1e-6)
    copy = pickle.loads(pickle.dumps(quantized.embeddings))
    np.testing.assert_array_equal(copy.input, rows)
    assert copy.quantized is not None


def test_files_with_all_buckets_stay_so(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    fasttext.write(make_embeddings(WORDS, buckets=500), tmp_path / "model.bin")
    quantized = WordVectors.load(tmp_path / "model.bin").quantize()
    quantized.export(tmp_path / "model.ftz")
    again = WordVectors.load(tmp_path / "model.ftz")
    assert len(again.embeddings.bucket_ids) == 500
    np.testing.assert_array_equal(again.vectors(UNSEEN), quantized.vectors(UNSEEN))
    again.export(tmp_path / "again.ftz")
    assert (tmp_path / "again.ftz").read_bytes() == (tmp_path / "model.ftz").read_bytes()


def test_what_cannot_be_quantized(make_embeddings: MakeEmbeddings, as_floret: AsFloret) -> None:
    with pytest.raises(ConfigError, match=r"rows of the input matrix=11 .* 256 or more"):
        WordVectors(make_embeddings(subwords=False)).quantize()
    quantized = quantize_embeddings(make_embeddings(WORDS))
    with pytest.raises(ConfigError, match="not quantized yet"):
        quantize_embeddings(quantized)
    with pytest.raises(ConfigError, match="one of floret's"):
        quantize_embeddings(as_floret(make_embeddings(WORDS)))
    with pytest.raises(ConfigError, match="dsub"):
        quantize_embeddings(make_embeddings(WORDS), dsub=21)
    broken = make_embeddings(WORDS)
    broken.input[5, 5] = np.nan
    with pytest.raises(ModelFormatError, match="row 5 has numbers that are not finite"):
        quantize_embeddings(broken)
    with pytest.raises(ConfigError, match="a quantized model"):
        WordVectors(quantized).continue_training([["ember1", "ember2"]] * 9)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"dsub": 0}, "dsub is 0"),
        ({"dsub": 12}, "dsub is 12"),
        ({"dsub": "2"}, "dsub is '2'"),
        ({"dsub": None}, "dsub is None"),
        ({"dsub": 3}, r"input_codes has shape \(300, 6\), not \(rows, 4\)"),
    ],
)
def test_a_file_that_lies_about_its_parts(
    make_embeddings: MakeEmbeddings, tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    model = make_embeddings(WORDS, subwords=False, vector_dim=11)
    WordVectors(model).quantize().save(tmp_path / "model")
    rewrite(tmp_path / "model" / "model.safetensors", change, {})
    with pytest.raises(ModelFormatError, match=problem):
        brasa.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("input_codes", (299, 6)), ("input_codes", (1800,)), ("input_codes", (0, 6)),
        ("input_centroids", (2815,)), ("input_centroids", (256, 11)),
        ("input_norm_codes", (299,)), ("input_norm_codes", (300, 1)),
        ("input_norm_centroids", (255,)), ("input_norm_codes", None), ("input_centroids", None),
    ],
)  # fmt: skip
def test_a_file_whose_tensors_do_not_fit(
    make_embeddings: MakeEmbeddings, tmp_path: Path, name: str, shape: tuple[int, ...] | None
) -> None:
    model = make_embeddings(WORDS, subwords=False, vector_dim=11)
    WordVectors(model).quantize().save(tmp_path / "model")
    rewrite(tmp_path / "model" / "model.safetensors", {}, {name: shape})
    with pytest.raises(ModelFormatError, match=r"input|tensors"):
        brasa.load(tmp_path / "model")


def rewrite(path: Path, described: dict[str, Any], shapes: dict[str, Any]) -> None:
    """The same file with other metadata, and tensors of other shapes."""
    header, start, _ = safetensors.read_header(path)
    data = path.read_bytes()[start:]
    tensors = {}
    for tensor, entry in header.items():
        if tensor == "__metadata__" or (tensor in shapes and shapes[tensor] is None):
            continue
        begin, end = entry["data_offsets"]
        kinds = {"F32": "<f4", "I64": "<i8", "U32": "<u4", "U8": "|u1"}
        array = np.frombuffer(data[begin:end], kinds[entry["dtype"]]).reshape(entry["shape"])
        tensors[tensor] = np.resize(array, shapes.get(tensor) or array.shape)
    metadata = {**json.loads(header["__metadata__"]["brasa"]), **described}
    with path.open("wb") as file:
        safetensors.write(file, tensors, {"brasa": json.dumps(metadata)}, aligned="output")


def test_every_truncation_is_refused(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    model = make_embeddings(WORDS, vector_dim=5, buckets=200)
    WordVectors(model).quantize().export(tmp_path / "whole.ftz")
    content = (tmp_path / "whole.ftz").read_bytes()
    for percent in range(100):
        (tmp_path / "cut.ftz").write_bytes(content[: len(content) * percent // 100])
        with pytest.raises(BrasaError):
            brasa.load(tmp_path / "cut.ftz")
