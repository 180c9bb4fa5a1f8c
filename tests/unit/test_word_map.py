from __future__ import annotations

import dataclasses
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brasa
from brasa.errors import ConfigError
from brasa.parameters import Embeddings
from brasa.word_map import MapStore, WordMap, lay_out, store
from brasa.word_map.worker import main

Make = Callable[..., Embeddings]


def _of(make_embeddings: Make, words: list[str], rows: Any) -> Embeddings:
    matrix = np.array(rows, np.float32)
    model = make_embeddings(words, vector_dim=matrix.shape[1], subwords=False)
    return dataclasses.replace(model, input=matrix)


def _two_bundles(make_embeddings: Make, n: int = 120) -> Embeddings:
    """Words of two directions, in turn, with some noise."""
    random = np.random.default_rng(3)
    rows = random.normal(0, 0.1, (n, 8)).astype(np.float32)
    rows[::2, 0] += 3
    rows[1::2, 1] += 0.5
    return _of(make_embeddings, [f"w{i}" for i in range(n)], rows)


@pytest.mark.parametrize("method", ["pca", "umap"])
def test_what_is_near_in_space_is_near_on_the_map(make_embeddings: Make, method: str) -> None:
    found = lay_out(_two_bundles(make_embeddings), method)
    assert found.points.shape == (120, 2)
    assert np.abs(found.points).max() <= 1
    nearest = np.linalg.norm(found.points[:, None] - found.points[None], axis=2)
    np.fill_diagonal(nearest, 9)
    assert (nearest.argmin(axis=1) % 2 == np.arange(120) % 2).mean() > 0.95
    assert set(found.cluster[::2]).isdisjoint(found.cluster[1::2])


def test_the_same_seed_gives_the_same_map(make_embeddings: Make) -> None:
    model = _two_bundles(make_embeddings)
    for method in ("pca", "umap"):
        one, other = lay_out(model, method, seed=5), lay_out(model, method, seed=5)
        np.testing.assert_array_equal(one.points, other.points)
        np.testing.assert_array_equal(one.cluster, other.cluster)


@pytest.mark.parametrize("n", [1, 2, 3, 20])
@pytest.mark.parametrize("method", ["pca", "umap"])
def test_few_words_have_a_map_too(make_embeddings: Make, n: int, method: str) -> None:
    rows = np.random.default_rng(1).normal(size=(n, 3)).astype(np.float32)
    found = lay_out(_of(make_embeddings, [f"w{i}" for i in range(n)], rows), method)
    assert np.isfinite(found.points).all()
    assert found.points.shape == (n, 2)


def test_words_without_a_direction_and_one_dimension(make_embeddings: Make) -> None:
    zeros = _of(make_embeddings, [f"w{i}" for i in range(40)], np.zeros((40, 4)))
    for method in ("pca", "umap"):
        assert np.isfinite(lay_out(zeros, method).points).all()
    flat = _of(make_embeddings, ["a", "b", "c"], [[1], [2], [-1]])
    assert lay_out(flat).points.shape == (3, 2)


def test_words_beyond_those_of_umap_lie_where_their_neighbors_do(
    make_embeddings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brasa.word_map.layout.UMAP_WORDS", 60)
    found = lay_out(_two_bundles(make_embeddings), "umap")
    core, rest = found.points[:60], found.points[60:]
    nearest = np.linalg.norm(rest[:, None] - core[None], axis=2).argmin(axis=1)
    assert (nearest % 2 == np.arange(60) % 2).mean() > 0.95


def test_another_method_is_refused(make_embeddings: Make) -> None:
    with pytest.raises(ConfigError, match="pca or umap"):
        lay_out(_two_bundles(make_embeddings), "tsne")


@pytest.fixture
def saved(make_embeddings: Make, tmp_path: Path) -> tuple[Embeddings, str]:
    model = _two_bundles(make_embeddings)
    brasa.WordVectors(model).save(tmp_path / "model")
    loaded = brasa.WordVectors.load(tmp_path / "model").embeddings
    return loaded, str(tmp_path / "model")


def test_a_map_is_computed_once_and_kept(saved: tuple[Embeddings, str], tmp_path: Path) -> None:
    model, path = saved
    kept = MapStore(model, path, "pca", tmp_path / "maps")
    assert kept.points() is None
    states = [one.state for one in _until_it_ends(kept)]
    assert states[0] == "computing"
    assert states[-1] == "ready"
    expected = lay_out(model)
    content = kept.points()
    assert content is not None
    points = np.frombuffer(content, "<f4", 240).reshape(-1, 2)
    np.testing.assert_allclose(points, expected.points, atol=1e-5)
    assert content[960:] == expected.cluster.tobytes()
    again = MapStore(model, path, "pca", tmp_path / "maps")
    assert again.state().state == "ready"


@pytest.mark.parametrize("broken", [b"", b"x" * 100, b"\xff" * 1080])
def test_a_broken_map_is_made_anew(
    saved: tuple[Embeddings, str], tmp_path: Path, broken: bytes
) -> None:
    model, path = saved
    main(path, "pca", str(tmp_path))
    (file,) = tmp_path.glob("*.map")
    file.write_bytes(broken)
    kept = MapStore(model, path, "pca", tmp_path)
    assert kept.points() is None
    main(path, "pca", str(tmp_path))
    assert kept.state().state == "ready"


def test_one_process_computes(saved: tuple[Embeddings, str], tmp_path: Path) -> None:
    model, path = saved
    kept = MapStore(model, path, "pca", tmp_path)
    held = kept.hold()
    assert held is not None
    assert kept.hold() is None
    main(path, "pca", str(tmp_path))  # leaves it to the one that holds it
    assert kept.points() is None
    os.close(held)


def test_a_failure_is_told(
    saved: tuple[Embeddings, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, path = saved

    def fails(*arguments: Any, **options: Any) -> WordMap:
        raise MemoryError

    monkeypatch.setattr("brasa.word_map.worker.lay_out", fails)
    main(path, "pca", str(tmp_path))
    state = MapStore(model, path, "pca", tmp_path).state()
    assert (state.state, state.error) == ("failed", "MemoryError")


def _until_it_ends(kept: MapStore) -> list[store.MapState]:
    found = [kept.state()]
    deadline = time.monotonic() + 60
    while found[-1].state == "computing" and time.monotonic() < deadline:
        time.sleep(0.02)
        found.append(kept.state())
    return found


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The processes that were started."""
    found: list[Any] = []
    start = subprocess.Popen

    def counted(*arguments: Any, **options: Any) -> Any:
        found.append(start(*arguments, **options))
        return found[-1]

    monkeypatch.setattr("brasa.word_map.store.subprocess.Popen", counted)
    return found


def test_whoever_asks_while_it_starts_starts_no_other(
    saved: tuple[Embeddings, str], tmp_path: Path, started: list[Any]
) -> None:
    model, path = saved
    states = _until_it_ends(MapStore(model, path, "pca", tmp_path))
    assert states[-1].state == "ready"
    assert len(states) > 5
    assert len(started) == 1


def test_a_process_that_dies_is_a_failure(
    saved: tuple[Embeddings, str], tmp_path: Path, started: list[Any]
) -> None:
    model, _ = saved
    kept = MapStore(model, str(tmp_path / "gone"), "pca", tmp_path / "maps")
    found = _until_it_ends(kept)[-1]
    assert found.state == "failed"
    assert "ended with 1: was the model moved" in str(found.error)
    assert len(started) == 1


def test_a_failure_is_tried_again_later(saved: tuple[Embeddings, str], tmp_path: Path) -> None:
    model, path = saved
    kept = MapStore(model, path, "pca", tmp_path)
    kept.tell(0.0, "UMAP needs umap-learn")
    assert kept.state().state == "failed"
    (status,) = tmp_path.glob("*.status")
    an_hour_ago = time.time() - 3600
    os.utime(status, (an_hour_ago, an_hour_ago))
    assert _until_it_ends(kept)[-1].state == "ready"


def test_a_folder_that_cannot_be_used_is_told(
    saved: tuple[Embeddings, str], tmp_path: Path
) -> None:
    model, path = saved
    (tmp_path / "file").write_text("")
    found = MapStore(model, path, "pca", tmp_path / "file").state()
    assert found.state == "failed"
    assert f"{tmp_path / 'file'} cannot be used: File exists; XDG_CACHE" in str(found.error)


def test_other_vectors_are_another_map(make_embeddings: Make) -> None:
    words = ["a", "b"]
    one = _of(make_embeddings, words, [[1, 2], [3, 4]])
    other = _of(make_embeddings, words, [[1, 2], [3, 5]])
    assert store.digest(one) == store.digest(one)
    assert store.digest(one) != store.digest(other)


def test_maps_are_kept_in_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert store.cache_folder() == tmp_path / "brasa" / "maps"
