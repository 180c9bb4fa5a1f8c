from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from brasa import WordVectors
from brasa.errors import BrasaError, ConfigError, ModelFormatError, StorageError
from brasa.evaluation import similarity, wordsim, wordsim353
from brasa.evaluation.download import fetch
from brasa.evaluation.wordsim import Member

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import MakeEmbeddings

SIM, REL = b"tiger\tcat\t7.35\nplane\tcar\t5.77\ncat\tcar\t1.5\n", b"tiger\tcar\t2.5\ncat\tcar\t3\n"
MEMBERS = {
    "WS-353-REL.tsv": Member("set/rel.txt", hashlib.sha256(REL).hexdigest()),
    "WS-353-SIM.tsv": Member("set/sim.txt", hashlib.sha256(SIM).hexdigest()),
}
ANIMALS = ["tiger", "cat", "plane", "car", "love", "sex"]


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"set/{name}.txt")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class Answers(BaseHTTPRequestHandler):
    """One path for each way in which a server may answer."""

    def do_GET(self) -> None:
        whole = archive(rel=REL, sim=SIM)
        contents = {
            "/good": whole,
            "/cut": whole,
            "/changed": archive(rel=REL, sim=SIM + b"king\tcabbage\t9.9\n"),
            "/incomplete": archive(rel=REL),
            "/half": whole[: len(whole) // 2],
            "/page": b"<html>This domain is for sale</html>",
            "/large": bytes(11_000_000),
        }
        content = contents.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # who asked hangs up on what is too long
            self.wfile.write(content[:100] if self.path == "/cut" else content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_the_bundled_table_is_the_whole_of_wordsim353() -> None:
    path = wordsim.tables()["EN-WS-353-ALL.txt"]
    assert path is not None
    pairs = similarity.read_pairs(path)
    assert len(pairs) == 353
    assert pairs[0] == ("love", "sex", 6.77)
    assert ("tiger", "tiger", 10.0) in pairs
    assert max(pair.score for pair in pairs) == 10.0
    assert "Attribution 4.0" in (path.parent / "NOTICE").read_text()


def test_halves_are_fetched(server: str, tmp_path: Path) -> None:
    place = tmp_path / "cache" / "evaluation"
    written = fetch(f"{server}/good", place=place, members=MEMBERS)
    assert written == [place / "WS-353-REL.tsv", place / "WS-353-SIM.tsv"]
    assert [path.read_bytes() for path in written] == [REL, SIM]
    assert wordsim.tables(place)["EN-WS-353-SIM.txt"] == place / "WS-353-SIM.tsv"


@pytest.mark.parametrize(
    ("answer", "error", "problem"),
    [
        ("changed", ModelFormatError, "sim.txt has the SHA-256"),
        ("incomplete", ModelFormatError, r"set/sim\.txt"),
        ("half", ModelFormatError, "not a whole tar"),
        ("page", ModelFormatError, "not a whole tar"),
        ("large", ModelFormatError, "more than"),
        ("cut", StorageError, "100"),
        ("absent", StorageError, "404"),
    ],
)
def test_what_is_not_the_archive_is_refused(
    server: str, tmp_path: Path, answer: str, error: type[BrasaError], problem: str
) -> None:
    with pytest.raises(error, match=problem) as caught:
        fetch(f"{server}/{answer}", place=tmp_path / "place", members=MEMBERS)
    assert f"{server}/{answer}" in str(caught.value)
    assert not (tmp_path / "place").exists()


def test_addresses_that_lead_nowhere(tmp_path: Path) -> None:
    for url in ("file:///etc/passwd", "ftp://127.0.0.1/x", "nonsense", ""):
        with pytest.raises(ConfigError, match="url"):
            fetch(url, place=tmp_path)
    for url in ("http://127.0.0.1:1/x", "http://", "http://[bad/", "http://a b/", "http://\0/"):
        with pytest.raises(StorageError):
            fetch(url, place=tmp_path, timeout_s=5)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be made"):
        fetch(f"{server}/good", place=tmp_path / "file" / "place", members=MEMBERS)


def test_where_the_evaluation_folder_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BRASA_EVALUATION_DIR", str(tmp_path))
    assert wordsim.folder() == tmp_path
    monkeypatch.delenv("BRASA_EVALUATION_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert wordsim.folder() == tmp_path / "cache" / "brasa" / "evaluation"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert wordsim.folder() == tmp_path / "home" / ".cache" / "brasa" / "evaluation"


def test_eval_json_has_the_shape_of_blazingtext(
    make_embeddings: MakeEmbeddings, tmp_path: Path
) -> None:
    (tmp_path / "WS-353-SIM.tsv").write_bytes(SIM)
    (tmp_path / "WS-353-REL.tsv").write_bytes(REL)
    report = wordsim353(make_embeddings(ANIMALS, subwords=False), place=tmp_path)
    assert list(report) == [
        "EN-WS-353-ALL.txt",
        "EN-WS-353-REL.txt",
        "EN-WS-353-SIM.txt",
        "mean_rho",
    ]
    for table, total, missing in (("ALL", 353, 349), ("REL", 2, 0), ("SIM", 3, 0)):
        entry = report[f"EN-WS-353-{table}.txt"]
        assert list(entry) == ["not_found", "spearmans_rho", "total_pairs"]
        assert (entry["total_pairs"], entry["not_found"]) == (total, missing)
    rhos = [report[name]["spearmans_rho"] for name in list(report)[:3]]
    assert report["mean_rho"] == pytest.approx(sum(rhos) / 3)


def test_eval_json_says_which_halves_are_absent(
    make_embeddings: MakeEmbeddings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRASA_EVALUATION_DIR", str(tmp_path))
    vectors = WordVectors(make_embeddings(ANIMALS))
    report = vectors.evaluate()
    assert report["missing"] == ["EN-WS-353-REL.txt", "EN-WS-353-SIM.txt"]
    assert report["mean_rho"] == report["EN-WS-353-ALL.txt"]["spearmans_rho"]
    vectors.save(tmp_path / "model", evaluation=report)
    assert json.loads((tmp_path / "model" / "eval.json").read_text()) == report
