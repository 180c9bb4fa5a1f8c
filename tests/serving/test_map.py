"""The map's routes on a live server, with a cache of their own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import brasa


def _until_it_ends(client: httpx.Client, **query: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.get("/map", params=query).raise_for_status().json()
        if found["state"] != "computing":
            return found
        time.sleep(0.05)
    raise AssertionError("the map takes too long")


@pytest.fixture(scope="module")
def mapped(serve: Any, models: Path, tmp_path_factory: pytest.TempPathFactory) -> httpx.Client:
    cache = str(tmp_path_factory.mktemp("cache"))
    smaller = cache + "/quantized"
    text = [" ".join(f"word{(7 * i + j) % 300}" for j in range(10)) for i in range(300)]
    options: dict[str, Any] = {"vector_dim": 8, "min_count": 1, "threads": 1, "seed": 1}
    brasa.WordVectors.train(text, subwords=True, buckets=2000, **options).quantize().save(smaller)
    arguments = (models / "words", models / "subwords", smaller, models / "sentiment")
    client: httpx.Client = serve(*arguments, "--workers", "2", XDG_CACHE_HOME=cache).client
    return client


@pytest.mark.parametrize("method", ["pca", "umap"])
@pytest.mark.parametrize("model", ["words", "subwords", "quantized"])
def test_each_word_has_a_point(mapped: httpx.Client, model: str, method: str) -> None:
    query = {"model": model, "method": method}
    found = _until_it_ends(mapped, **query)
    assert (found["state"], found["progress"], found["error"]) == ("ready", 1.0, None)
    n = found["points"]
    infos = mapped.get("/info").json()["models"]
    assert n == next(info["words"] for info in infos if info["name"] == model)
    points = mapped.get("/map/points", params=query)
    assert points.headers["content-type"] == "application/octet-stream"
    assert len(points.content) == 9 * n
    xy = np.frombuffer(points.content, "<f4", 2 * n)
    assert 0.9 < np.abs(xy).max() <= 1
    assert set(points.content[8 * n :]) == set(range(found["clusters"]))


def test_points_are_sent_once(mapped: httpx.Client) -> None:
    _until_it_ends(mapped)
    tag = mapped.get("/map/points").headers["etag"]
    again = mapped.get("/map/points", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert mapped.get("/map/points", headers={"if-none-match": '"x"'}).status_code == 200


def test_words_of_points_are_by_frequency(mapped: httpx.Client, models: Path) -> None:
    vocabulary = brasa.WordVectors.load(models / "words").vocabulary
    found = mapped.get("/map/words?start=1&stop=3").json()
    assert found["start"] == 1
    assert found["words"] == [vocabulary.word(1), vocabulary.word(2)]
    assert found["counts"] == vocabulary.counts[1:3].tolist()
    assert mapped.get("/map/words?start=9999").json()["words"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/map?method=tsne", 400),
        ("/map?model=sentiment", 404),
        ("/map?model=absent", 404),
        ("/map/points?method=", 400),
        ("/map/words?start=-1", 400),
        ("/map/words?stop=x", 400),
    ],
)
def test_wrong_questions_are_refused(mapped: httpx.Client, path: str, status: int) -> None:
    found = mapped.get(path)
    assert found.status_code == status
    assert set(found.json()) == {"error", "error_type"}


def test_a_cache_that_cannot_be_used_is_told(serve: Any, models: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = str(tmp_path / "file")
    client = serve(models / "words", XDG_CACHE_HOME=cache).client
    found = client.get("/map").raise_for_status().json()
    assert found["state"] == "failed"
    assert "XDG_CACHE_HOME" in found["error"]
    assert client.get("/map/points").status_code == 404
