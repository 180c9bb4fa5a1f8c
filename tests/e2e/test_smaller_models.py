"""`brasa quantize`, `reduce`, `prune`, `merge`, `align`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import brasa

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.conftest import Run


def test_quantized_word_vectors(run: Run, model: Path, tmp_path: Path) -> None:
    plain = brasa.load(model)
    words = plain.words[:9]
    wanted = plain.quantize(dsub=4).vectors(words)
    for name in ("small", "small.ftz"):
        assert run("quantize", model, "-o", name, "--dsub=4").returncode == 0
        small = brasa.load(tmp_path / name)
        assert small.embeddings.quantized is not None
        np.testing.assert_array_equal(small.vectors(words), wanted)
    done = run("quantize", model, "-o", "other", "--cutoff=300")
    assert done.returncode == 2
    assert (
        "cutoff=300 is not possible: cutoff must be left out: it is for classifiers" in done.stderr
    )
    assert not (tmp_path / "other").exists()


def test_quantized_classifiers(run: Run, tmp_path: Path) -> None:
    lines = [f"__label__{i % 3} word{i % 400} w{i % 7}\n" for i in range(2000)]
    (tmp_path / "texts").write_text("".join(lines))
    options = ("--min-count=1", "--epochs=2", "--vector-dim=8", "--quiet")
    assert run("train", "supervised", "texts", "-o", "model", *options).returncode == 0
    assert (
        run("quantize", "model", "-o", "small.ftz", "--max-bytes=20000", "--qnorm").returncode == 0
    )
    assert 15000 < (tmp_path / "small.ftz").stat().st_size <= 20000
    assert brasa.load(tmp_path / "small.ftz").quantized
    retraining = ("--cutoff=300", "--retrain=texts", "--epochs=2", "--learning-rate=0.1")
    assert run("quantize", "model", "-o", "again.ftz", *retraining).returncode == 0
    assert len(brasa.load(tmp_path / "again.ftz").model.input.codes) == 300
    done = run("quantize", "model", "-o", "smaller.ftz", "--max-bytes=2000")
    assert done.returncode == 2
    assert "max_bytes=2000 is not possible: max_bytes must be at least" in done.stderr
    assert not (tmp_path / "smaller.ftz").exists()


def test_retraining(run: Run, tmp_path: Path) -> None:
    lines = [f"__label__{i % 30} word{i % 600} w{i % 30}\n" for i in range(3000)]
    (tmp_path / "texts").write_text("".join(lines))
    (tmp_path / "none").write_text("")
    options = ("--min-count=1", "--epochs=8", "--vector-dim=8", "--learning-rate=0.5", "--quiet")
    assert run("train", "supervised", "texts", "-o", "model", *options).returncode == 0
    command = ("quantize", "model", "-o", "small.ftz", "--cutoff=256")
    done = run(*command, "--retrain=texts", "--epochs=3", "--learning-rate=0.5", "--seed=1")
    assert done.returncode == 0
    assert "words/s" in done.stderr
    retrained = (tmp_path / "small.ftz").read_bytes()
    assert brasa.TextClassifier.load(tmp_path / "small.ftz").test(tmp_path / "texts").accuracy > 0.9
    assert run(*command, "--retrain=texts", "--quiet", "--threads=1").stderr == ""
    assert run(*command).returncode == 0
    assert (tmp_path / "small.ftz").read_bytes() != retrained
    refused = [
        ((*command, "--retrain=absent"), "absent"),
        ((*command, "--retrain=none"), "no label in the text"),
        ((*command, "--epochs=3"), "epochs must be given with retrain"),
        ((*command, "--retrain=texts", "--epochs=0"), "epochs must be between 1"),
        ((*command[:-1], "--retrain=texts"), "left out without --cutoff or --max-bytes"),
    ]
    before = (tmp_path / "small.ftz").read_bytes()
    for arguments, message in refused:
        done = run(*arguments)
        assert done.returncode not in (0, 1)
        assert message in done.stderr
        assert (tmp_path / "small.ftz").read_bytes() == before


def test_models_of_models(run: Run, model: Path, tmp_path: Path) -> None:
    plain = brasa.load(model)
    words = plain.words[5:800]
    assert run("reduce", model, "-o", "short", "--dim=7").returncode == 0
    assert brasa.load(tmp_path / "short").vector_dim == 7
    assert run("prune", model, "-o", "few", "-n", 300).returncode == 0
    assert brasa.load(tmp_path / "few").words == plain.prune(300).words
    (tmp_path / "words").write_text("\n".join(words) + "\n", encoding="utf-8")
    assert run("prune", model, "-o", "named", "--words=words").returncode == 0
    assert brasa.load(tmp_path / "named").words == words
    assert run("merge", "few", "named", "-o", "both", "--conflict=mean").returncode == 0
    assert len(brasa.load(tmp_path / "both")) == len({*plain.prune(300).words, *words})
    (tmp_path / "pairs").write_text("".join(f"{word} {word}\n" for word in [*words, "qqqq"]))
    done = run("align", model, "named", "pairs", "-o", "aligned")
    assert done.stdout == f"{len(words)} pairs, 1 with an unknown word\n"
    aligned = brasa.load(tmp_path / "aligned")
    np.testing.assert_allclose(aligned.vectors(words), plain.vectors(words), atol=1e-3)


def test_arguments_that_are_impossible(run: Run, model: Path) -> None:
    for arguments, problem in (
        (("reduce", model, "-o", "x", "--dim=0"), "dim=0 is not possible"),
        (("prune", model, "-o", "x"), "words must be given, or else -n"),
        (("prune", model, "-o", "x", "-n", 0), "words must be at least 1"),
        (("merge", model, "nothing", "-o", "x"), "nothing"),
        (("align", model, model, "nothing", "-o", "x"), "nothing: cannot be read"),
    ):
        done = run(*arguments)
        assert done.returncode == 2
        assert problem in done.stderr
