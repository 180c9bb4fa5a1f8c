"""Folders of the Hub, pushed to and pulled from a server that speaks the Hub's protocol."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pytest

import brasa
from brasa import formats
from brasa.errors import ConfigError, MissingExtraError, StorageError
from brasa.formats import hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import MakeEmbeddings

COMMIT = "a" * 40


class Repository(BaseHTTPRequestHandler):
    """One repository of the Hub in memory, of small files."""

    files: dict[str, bytes]

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, value: object) -> None:
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        name = path.rsplit("/", 1)[-1]
        if "/resolve/" in path and name in self.files:
            body = self.files[name]
            etag = f'"{hashlib.sha1(body).hexdigest()}"'
            self.answer(200, body, {"ETag": etag, "X-Repo-Commit": COMMIT})
        elif "/resolve/" in path:
            self.answer(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        else:
            self.answer_json({"id": "me/vectors", "sha": COMMIT, "siblings": []})

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        if path.endswith("/repos/create"):
            self.answer_json({"url": f"http://{self.headers['Host']}/me/vectors"})
        elif "/preupload/" in path:
            wanted = json.loads(body)["files"]
            self.answer_json({"files": [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in wanted
            ]})  # fmt: skip
        elif "/commit/" in path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            address = f"http://{self.headers['Host']}/me/vectors/commit/{COMMIT}"
            self.answer_json({"commitUrl": address, "commitOid": COMMIT})
        else:
            self.answer_json({"valid": True})


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    handler = type("Handler", (Repository,), {"files": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_folder_opens_as_a_model(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    embeddings = make_embeddings()
    formats.export(embeddings, tmp_path / "folder", "hub")
    formats.export(embeddings, tmp_path / "model.bin", "fasttext")
    written = tmp_path / "folder" / "model.bin"
    assert written.read_bytes() == (tmp_path / "model.bin").read_bytes()
    card = (tmp_path / "folder" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: fasttext\ntags:\n- feature-extraction\n---\n")
    assert "11 words, 20 dimensions, character n-grams from 3 to 6" in card
    words = [*embeddings.vocabulary.words, "embersome"]
    model = brasa.load(tmp_path / "folder")
    np.testing.assert_allclose(
        model.vectors(words), brasa.WordVectors(embeddings).vectors(words), atol=1e-6
    )
    (tmp_path / "folder" / "README.md").write_text("mine")
    formats.export(make_embeddings(["other"]), tmp_path / "folder", "hub")
    assert (tmp_path / "folder" / "README.md").read_text() == "mine"
    assert brasa.load(tmp_path / "folder").words == ["other"]


def test_what_cannot_be_written(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        formats.export(make_embeddings(), tmp_path / "file", "hub")


def test_what_is_pushed_is_pulled(
    make_embeddings: MakeEmbeddings, tmp_path: Path, endpoint: str
) -> None:
    model = brasa.WordVectors(make_embeddings(buckets=200))
    options: dict[str, Any] = {"endpoint": endpoint, "token": "t"}
    address = model.push_to_hub("me/vectors", private=True, **options)
    assert address == f"{endpoint}/me/vectors/commit/{COMMIT}"
    found = brasa.WordVectors.from_hub("me/vectors", cache_dir=tmp_path / "cache", **options)
    assert found.words == model.words
    np.testing.assert_allclose(found["embersome"], model["embersome"], atol=1e-6)
    card = hub.pull("me/vectors", filename="README.md", cache_dir=tmp_path / "cache", **options)
    assert 'hf_hub_download("me/vectors", "model.bin")' in card.read_text()


def test_what_the_hub_does_not_have(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(StorageError, match=r"me/vectors/model\.bin: not found on the Hub"):
        brasa.WordVectors.from_hub("me/vectors", endpoint=endpoint, cache_dir=tmp_path)


@pytest.mark.parametrize("name", ["vectors", "a/b/c", "/x", "", None])
def test_names_that_are_no_repository(make_embeddings: MakeEmbeddings, name: Any) -> None:
    with pytest.raises(ConfigError, match="owner/name"):
        brasa.WordVectors(make_embeddings()).push_to_hub(name)
    with pytest.raises(ConfigError, match="owner/name"):
        brasa.WordVectors.from_hub(name)


@pytest.mark.parametrize(
    ("package", "call", "extra"),
    [
        ("huggingface_hub", "from_hub('me/vectors')", "hub"),
        ("gensim", "from_gensim(model).to_gensim()", "gensim"),
        ("spacy", "from_gensim(model).to_spacy()", "spacy"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(package: str, call: str, extra: str) -> None:
    script = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "import brasa, numpy\n"
        "class model: index_to_key = ['a']; vectors = numpy.ones((1, 2), 'f4')\n"
        f"try: brasa.WordVectors.{call}\n"
        "except brasa.BrasaError as error: print(type(error).__name__, error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("MissingExtraError ")
    assert f"pip install 'brasa[{extra}]'" in done.stdout
    assert MissingExtraError(package, extra, "x").extra == extra
