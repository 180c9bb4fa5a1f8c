from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest

import brasa


@pytest.fixture
def vectors(models: Path) -> brasa.WordVectors:
    return brasa.WordVectors.load(models / "subwords")


@pytest.mark.parametrize("word", ["film", "filmography"])
def test_neighbors_are_those_of_the_model(
    client: httpx.Client, vectors: brasa.WordVectors, word: str
) -> None:
    answer = client.get("/neighbors", params={"word": word, "k": 3}).json()
    assert answer["word"] == word
    assert answer["known"] == (word in vectors)
    found = [(item["word"], item["cosine"]) for item in answer["neighbors"]]
    assert found == vectors.neighbors(word, 3)
    batch = client.post("/neighbors", json={"words": [word, "good"], "k": 3}).json()
    assert batch["results"][0] == answer
    assert len(batch["results"]) == 2


def test_neighbors_may_be_of_the_most_frequent_words_only(
    client: httpx.Client, vectors: brasa.WordVectors
) -> None:
    answer = client.get("/neighbors", params={"word": "film", "restrict_vocab": 2}).json()
    assert {item["word"] for item in answer["neighbors"]} <= set(vectors.words[:2])


def test_analogies_and_cosines_are_those_of_the_model(
    client: httpx.Client, vectors: brasa.WordVectors
) -> None:
    answer = client.get("/analogy", params={"a": "good", "b": "great", "c": "bad", "k": 2}).json()
    found = [(item["word"], item["cosine"]) for item in answer["answers"]]
    assert found == vectors.analogy("good", "great", "bad", 2)
    cosine = client.get("/similarity", params={"a": "good", "b": "greatest"}).json()["cosine"]
    assert cosine == pytest.approx(vectors.similarity("good", "greatest"))


@pytest.mark.parametrize("word", ["great", "greatest"])
def test_shares_of_subwords_make_up_the_vector(
    client: httpx.Client, vectors: brasa.WordVectors, word: str
) -> None:
    answer = client.get("/subwords", params={"word": word}).json()
    assert answer["known"] == (word in vectors)
    parts = answer["subwords"]
    assert [part["ngram"] for part in parts] == [part.text for part in vectors.subwords(word)]
    assert sum(part["share"] for part in parts) == pytest.approx(1)
    assert all(part["share"] == 0 for part in parts if not part["known"])


def test_completion_is_by_frequency(client: httpx.Client, vectors: brasa.WordVectors) -> None:
    found = client.get("/words", params={"prefix": "g", "k": 5}).json()["words"]
    expected = [word for word in vectors.words if word.startswith("g")]
    assert [item["word"] for item in found] == expected
    assert [vectors.words[item["rank"]] for item in found] == expected
    assert len(client.get("/words").json()["words"]) == min(10, len(vectors))
    assert client.get("/words", params={"prefix": "ção\u0301"}).json() == {"words": []}
    assert client.get("/words", params={"model": "sentiment", "prefix": "gr"}).json()["words"]


def test_a_label_is_explained_by_the_words_of_its_text(client: httpx.Client, models: Path) -> None:
    body = {"text": "a great\nfilm", "model": "sentiment"}
    answer = client.post("/explain", json=body).json()
    expected = brasa.TextClassifier.load(models / "sentiment").explain("a great film")
    assert answer["label"] == expected.label == "__label__good"
    assert answer["probability"] == pytest.approx(expected.probability)
    weights = {part["text"]: part["weight"] for part in answer["features"]}
    assert weights == pytest.approx({c.text: c.value for c in expected.contributions})


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        ({"text": "a great film"}, "wrong_kind_of_model"),
        ({"model": "sentiment", "text": "a", "label": "nice"}, "unknown_label"),
        ({"model": "sentiment", "text": ""}, None),
    ],
)
def test_what_cannot_be_explained_is_told(
    client: httpx.Client, body: dict[str, str], error_type: str | None
) -> None:
    answer = client.post("/explain", json=body)
    assert answer.status_code == (200 if error_type is None else 404)
    assert answer.json().get("error_type") == error_type


def test_info_tells_what_each_model_is(client: httpx.Client, vectors: brasa.WordVectors) -> None:
    answer = client.get("/info").json()
    assert answer["default"] == "subwords"
    words, plain, sentiment = answer["models"]
    assert words == {
        "name": "subwords",
        "kind": "word_vectors",
        "words": len(vectors),
        "vector_dim": 8,
        "subwords": True,
        "labels": [],
        "has_counts": True,
    }
    assert plain["subwords"] is False
    assert sentiment["kind"] == "classifier"
    assert sentiment["labels"] == ["__label__bad", "__label__good"]


def test_openais_client_gets_embeddings(server_url: str, vectors: brasa.WordVectors) -> None:
    texts = ["a great film", "bad"]
    with openai.OpenAI(base_url=f"{server_url}/v1", api_key="none", max_retries=0) as client:
        floats = client.embeddings.create(input=texts, model="subwords", encoding_format="float")
        packed = client.embeddings.create(input=texts, model="subwords")  # base64, unpacked again
        one = client.embeddings.create(input=texts[0], model="sentiment")
        with pytest.raises(openai.NotFoundError) as refused:
            client.embeddings.create(input=texts, model="gpt")
        assert "no model named 'gpt'" in refused.value.response.json()["error"]
    expected = vectors.sentence_vectors(texts)
    for answer in (floats, packed):
        np.testing.assert_array_equal(
            np.array([item.embedding for item in answer.data], np.float32), expected
        )
        assert answer.usage.total_tokens == 4
    assert len(one.data) == 1


def test_embeddings_in_base64_are_little_endian_floats(
    client: httpx.Client, vectors: brasa.WordVectors
) -> None:
    body = {"input": "good", "encoding_format": "base64"}
    answer = client.post("/v1/embeddings", json=body).json()
    row = np.frombuffer(base64.b64decode(answer["data"][0]["embedding"]), "<f4")
    np.testing.assert_array_equal(row, vectors.sentence_vector("good"))


def test_words_and_labels_that_are_no_utf8_are_readable(serve: Any, tmp_path: Path) -> None:
    options: Any = {"vector_dim": 8, "min_count": 1, "epochs": 1, "threads": 1}
    text = tmp_path / "text"
    text.write_bytes(b"a great film caf\xe9\n" * 20)
    brasa.WordVectors.train(text, **options).save(tmp_path / "words")
    text.write_bytes(b"__label__caf\xe9 a great film\n__label__bad a caf\xe9\n" * 20)
    brasa.TextClassifier.train(text, **options).save(tmp_path / "labels")
    client = serve(tmp_path / "words", tmp_path / "labels").client
    readable = "caf\ufffd"
    assert client.get("/words?prefix=c").json()["words"][0]["word"] == readable
    found = client.get("/neighbors?word=film").json()["neighbors"]
    assert readable in [item["word"] for item in found]
    assert client.get("/map/words").json()["words"][-1] in (readable, "film", "great", "a")
    assert f"__label__{readable}" in client.get("/info").json()["models"][1]["labels"]
    body = {"instances": ["a great film"], "configuration": {"k": 2}}
    (item,) = client.post("/invocations?model=labels", json=body).json()
    assert f"__label__{readable}" in item["label"]
    lines = '{"source": "a great film", "k": 2}'
    headers = {"content-type": "application/jsonlines"}
    answer = client.post("/invocations?model=labels", content=lines, headers=headers)
    assert answer.json() == item
    assert client.post("/explain", json={"text": "a", "model": "labels"}).is_success


@pytest.mark.parametrize(
    ("path", "status", "error_type", "said"),
    [
        ("/neighbors", 400, "invalid_request", "word: expected a word"),
        ("/neighbors?word=a&k=0", 400, "invalid_request", "k: expected a whole number"),
        ("/neighbors?word=a&k=x", 400, "invalid_request", "k: expected a whole number"),
        ("/neighbors?word=a&model=none", 404, "unknown_model", "no model named 'none'"),
        ("/neighbors?word=a&model=sentiment", 404, "wrong_kind_of_model", "'sentiment' is no"),
        ("/neighbors?word=zebra&model=words", 404, "unknown_word", "'zebra' is not in"),
        ("/analogy?a=good&b=bad", 400, "invalid_request", "c: expected a word"),
        ("/nothing", 404, "unknown_path", "/nothing"),
        ("/../../etc/passwd", 404, "unknown_path", "there is no"),
        ("/%2e%2e/app.py", 404, "unknown_path", "there is no"),
        ("/invocations", 405, "method_not_allowed", "takes POST, not GET"),
    ],
)
def test_wrong_questions_are_told_why(
    client: httpx.Client, path: str, status: int, error_type: str, said: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.json()["error_type"] == error_type
    assert said in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/neighbors", b"[]", "$: expected an object"),
        ("/neighbors", b'{"words": "a"}', "$.words: expected a list"),
        ("/neighbors", b'{"words": ["a", 1]}', "$.words[1]: expected a string"),
        ("/v1/embeddings", b"7", "$: expected an object"),
        ("/v1/embeddings", b'{"input": [1, 2]}', "$.input[0]: expected a text; lists of token"),
        ("/v1/embeddings", b'{"input": []}', "$.input: expected"),
        ("/v1/embeddings", b'{"input": "a", "encoding_format": "hex"}', "$.encoding_format"),
        ("/v1/embeddings", b'{"input": "a", "dimensions": 3}', "$.dimensions: expected 8"),
        ("/explain", b'{"model": "sentiment"}', "text: expected a string"),
    ],
)
def test_wrong_bodies_are_told_where(
    client: httpx.Client, path: str, body: bytes, said: str
) -> None:
    answer = client.post(path, content=body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
