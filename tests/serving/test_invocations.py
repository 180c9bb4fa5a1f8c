from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import brasa

JSON = {"content-type": "application/json"}
LINES = {"content-type": "application/jsonlines"}
LANGUAGES = Path(__file__).parents[3] / "shared/data/models/lid.176.ftz"


def _invoke(client: httpx.Client, model: str, **request: Any) -> httpx.Response:
    return client.post(f"/endpoints/{model}/invocations", **request)


def test_words_are_answered_with_their_vectors_in_order(client: httpx.Client, models: Path) -> None:
    words = ["great", "film", "greatest"]
    answer = client.post("/invocations", json={"instances": words})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert [set(item) for item in found] == [{"vector", "word"}] * 3
    assert [item["word"] for item in found] == words
    expected = brasa.load(models / "subwords").vectors(words)
    np.testing.assert_array_equal(
        np.array([item["vector"] for item in found], np.float32), expected
    )


def test_an_unseen_word_without_subwords_is_zeros(client: httpx.Client) -> None:
    answer = _invoke(client, "words", json={"instances": ["muie"]})
    assert answer.json() == [{"vector": [0.0] * 8, "word": "muie"}]


@pytest.mark.parametrize("k", [1, 2, 1_000_000])
def test_texts_are_answered_with_labels_and_probabilities(
    client: httpx.Client, models: Path, k: int
) -> None:
    texts = ["a great film", "a bad film\nwas poor", ""]
    body = {"instances": texts, "configuration": {"k": k}}
    found = _invoke(client, "sentiment", json=body).json()
    classifier = brasa.load(models / "sentiment")
    for item, text in zip(found, texts, strict=True):
        expected = classifier.predict(text.replace("\n", " "), k)
        assert item["label"] == [label for label, _ in expected]
        assert item["prob"] == pytest.approx([p for _, p in expected], abs=1e-6)
    assert found[0]["label"][0] == "__label__good"
    assert len(found[0]["label"]) == min(k, 2)


def test_k_is_one_unless_told(client: httpx.Client) -> None:
    found = _invoke(client, "sentiment", json={"instances": ["a great film"]}).json()
    assert len(found[0]["label"]) == 1


@pytest.mark.parametrize("kind", ["application/jsonlines", "Application/JSONLines;data=text"])
def test_each_line_has_its_k_and_may_say_more(client: httpx.Client, kind: str) -> None:
    lines = '{"source": "a great film", "k": 2, "id": 7}\n\n{"source": "a bad film"}\n'
    answer = _invoke(client, "sentiment", content=lines, headers={"content-type": kind})
    assert answer.headers["content-type"] == "application/jsonlines"
    first, second = (httpx.Response(200, content=line).json() for line in answer.text.splitlines())
    assert first["label"] == ["__label__good", "__label__bad"]
    assert second["label"] == ["__label__bad"]


def test_words_in_lines_have_a_vector_in_each(client: httpx.Client) -> None:
    answer = _invoke(client, "words", content='{"source": "film"}\n{"source": "a"}', headers=LINES)
    lines = [httpx.Response(200, content=line).json() for line in answer.text.splitlines()]
    assert [line["word"] for line in lines] == ["film", "a"]
    assert [len(line["vector"]) for line in lines] == [8, 8]


@pytest.mark.parametrize(
    "kind", [None, "application/octet-stream", "application/json; charset=utf-8"]
)
def test_json_is_taken_from_clients_that_do_not_say_so(
    client: httpx.Client, kind: str | None
) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = client.post("/invocations", content=b'{"instances": ["a"]}', headers=headers)
    assert answer.status_code == 200


def test_large_batches_are_whole(client: httpx.Client, models: Path) -> None:
    words = [f"film{i}" for i in range(1000)]  # more than are written at a time
    found = client.post("/invocations", json={"instances": words}).json()
    assert [item["word"] for item in found] == words
    expected = brasa.load(models / "subwords").vectors(words)
    np.testing.assert_array_equal(
        np.array([item["vector"] for item in found], np.float32), expected
    )


def test_another_content_type_is_told_what_is_allowed(client: httpx.Client) -> None:
    answer = client.post("/invocations", content=b"a,b", headers={"content-type": "text/csv"})
    assert answer.status_code == 415
    assert answer.json()["error_type"] == "unsupported_content_type"
    assert "application/json or application/jsonlines" in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the body is not JSON"),
        (b'{"instances": [', "column"),
        (b'"{\\"instances\\": [\\"a\\"]}"', "encoded twice"),
        (b"[]", "$: expected an object"),
        (b'{"words": ["a"]}', "$: expected an object"),
        (b'{"instances": []}', "$.instances: expected a list of at least one"),
        (b'{"instances": "a"}', "$.instances: expected a list"),
        (b'{"instances": ["a", 7]}', "$.instances[1]: expected a string"),
        (b'{"instances": ["a"], "configuration": 3}', "$.configuration: expected an object"),
        (b'{"instances": ["a"], "configuration": {"k": 0}}', "$.configuration.k: expected"),
        (b'{"instances": ["a"], "configuration": {"k": true}}', "$.configuration.k: expected"),
        (b'{"instances": ["\\ud800"]}', "the body is not JSON"),
        (b'\xff\xfe{"instances": ["a"]}', "the body is not JSON"),
    ],
)
def test_wrong_requests_are_told_where(client: httpx.Client, body: bytes, said: str) -> None:
    answer = client.post("/invocations", content=body, headers=JSON)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "error_type"}
    assert said in answer.json()["error"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (b"", "at least one line"),
        (b'{"source": "a"}\nno json\n', "line 2 is not JSON"),
        (b'{"source": "a"}\n{"text": "a"}', "line 2: expected an object"),
        (b'{"source": "a", "k": -1}', "k of line 1: expected a whole number"),
    ],
)
def test_wrong_lines_are_told_which(client: httpx.Client, lines: bytes, said: str) -> None:
    answer = client.post("/invocations", content=lines, headers=LINES)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_an_unknown_model_is_told_which_there_are(client: httpx.Client) -> None:
    answer = _invoke(client, "nothing", json={"instances": ["a"]})
    assert answer.status_code == 400  # as SageMaker Runtime
    assert answer.headers["x-amzn-errortype"] == "ValidationError"
    answer = client.post("/invocations?model=nothing", json={"instances": ["a"]})
    assert answer.status_code == 404
    assert answer.json()["error_type"] == "unknown_model"
    assert "subwords, words, sentiment" in answer.json()["error"]


@pytest.mark.skipif(not LANGUAGES.is_file(), reason="../shared is not there")
def test_fasttexts_languages_have_the_probabilities_that_amazon_published(serve: Any) -> None:
    sentences = {
        "hi which language is this?": ("__label__en", 0.9948582),
        "mon nom est Pierre": ("__label__fr", 0.9984669),
        "Dem Jungen gab ich einen Ball.": ("__label__de", 0.9946574),
        "আমি বাড়ি যাবো.": ("__label__bn", 0.9997219),
    }
    client = serve(f"lang={LANGUAGES}").client
    found = _invoke(client, "lang", json={"instances": list(sentences)}).json()
    for item, (label, published) in zip(found, sentences.values(), strict=True):
        assert item["label"] == [label]
        # Amazon's numbers are of lid.176.bin, of which this is the quantized form.
        assert item["prob"] == [pytest.approx(published, abs=0.02)]
