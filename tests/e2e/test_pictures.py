from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import brasa


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = ["the tiger and the cat", "a computer and a keyboard", "the king and the queen"] * 30
    path = tmp_path_factory.mktemp("pictures") / "model"
    brasa.WordVectors.train(text, vector_dim=8, min_count=1, sampling_threshold=0.5).save(path)
    return path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tiger", "king", "-k", "3"], "<!-- tiger -->"),
        (["--loss"], "<!-- Training of model -->"),
        (["--similarity"], "wordsim353: Spearman's rho"),
    ],
)
def test_pictures_are_drawn(
    program: Path, model: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    target = tmp_path / "picture.svg"
    command = [str(part) for part in (program, "plot", model, *arguments, "-o", target)]
    subprocess.run(command, check=True, capture_output=True)
    assert said in target.read_text()


def test_a_notebooks_backend_is_not_asked_for(
    program: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://of_a_notebook.backend")
    command = [str(program), "plot", str(model), "tiger", "-o", str(tmp_path / "picture.png")]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "one of the three"),
        (["tiger", "--loss"], "one of the three"),
        (["zebra"], "'zebra' is not in the vocabulary"),
        (["tiger", "-o", "x.gif"], "a file named .png, .svg, .pdf"),
        (["--similarity", "absent.tsv"], "absent.tsv"),
    ],
)
def test_wrong_pictures_are_refused(
    program: Path, model: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    command = [str(part) for part in (program, "plot", model, *arguments)]
    found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert found.returncode == 2
    assert said in found.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_page_is_exported_or_refused(program: Path, model: Path, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    command = [str(program), "explore", str(model), "--export", str(target)]
    found = subprocess.run([*command, "--words", "5"], capture_output=True, text=True, check=True)
    assert f"{target} has 0.3 MB" in found.stderr
    assert '"words":["' in target.read_text()
    labeled = [("good", "a"), ("bad", "b")] * 5
    brasa.TextClassifier.train(labeled, vector_dim=2, min_count=1).save(tmp_path / "labels")
    other = str(tmp_path / "other.html")
    command = [str(program), "explore", str(tmp_path / "labels"), "--export", other]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "word vectors, for --export" in found.stderr
    assert not (tmp_path / "other.html").exists()


def test_exported_vectors_are_near_the_models(model: Path, tmp_path: Path) -> None:
    import base64
    import json

    from brasa.serving.export import export_page

    vectors = brasa.WordVectors.load(model)
    export_page(vectors, tmp_path / "page.html", words=4)
    page = (tmp_path / "page.html").read_text().partition('id="brasa-data">')[2]
    data = json.loads(page.partition("</script>")[0])
    codes = np.frombuffer(base64.b64decode(data["vectors"]["bytes"]), np.int8).reshape(4, 8)
    scales = np.frombuffer(base64.b64decode(data["vectors"]["scales"]), "<f4")
    expected = vectors.vectors(vectors.words[:4])
    np.testing.assert_allclose(codes * scales[:, None], expected, atol=float(scales.max()) / 2)
