"""Every command of the installed program, on a model that it trained."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import brasa
from brasa import formats

if TYPE_CHECKING:
    from e2e.conftest import Run


def test_vectors_of_seen_and_unseen_words(run: Run, model: Path) -> None:
    done = run("vectors", model, "river", "rivverside", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    answers = json.loads(done.stdout)
    vectors = brasa.load(model)
    assert "rivverside" not in vectors
    assert [answer["word"] for answer in answers] == ["river", "rivverside"]
    for answer in answers:
        expected = vectors[answer["word"]]
        assert expected.any()
        np.testing.assert_array_equal(np.float32(answer["vector"]), expected)


def test_vectors_as_text_have_five_digits(run: Run, model: Path) -> None:
    done = run("vectors", model, "-", stdin="river\n  music\n")
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == ["river", "music"]
    vectors = brasa.load(model).vectors(["river", "music"])
    np.testing.assert_allclose(
        [[float(x) for x in line[1:]] for line in lines], vectors, rtol=5.1e-5
    )


def test_vectors_of_words_that_are_not_utf8(run: Run, model: Path) -> None:
    word = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert run("vectors", model, word).stdout.startswith(word + " ")
    assert run("vectors", model, "-", stdin=f" {word}\n").stdout.startswith(word + " ")


def test_neighbors(run: Run, model: Path) -> None:
    expected = brasa.load(model).neighbors("river", 3)
    done = run("neighbors", model, "river", "-k", 3)
    assert done.stdout == "".join(f"{word}\t{cosine:.4f}\n" for word, cosine in expected)
    two = run("neighbors", model, "river", "music", "-k", 1)
    assert [line.split("\t")[0] for line in two.stdout.splitlines()] == ["river", "music"]
    answers = json.loads(run("neighbors", model, "river", "-k", 3, "--json").stdout)
    assert [answer["word"] for answer in answers] == ["river"]
    assert [(n["word"], n["cosine"]) for n in answers[0]["neighbors"]] == expected


def test_only_the_most_frequent_words_are_found(run: Run, model: Path) -> None:
    frequent = brasa.load(model).words[:9]
    done = run("neighbors", model, "river", "--restrict-vocab", 9)
    assert {line.split("\t")[0] for line in done.stdout.splitlines()} == {*frequent} - {"river"}
    done = run("analogy", model, "man", "woman", "king", "--restrict-vocab", 9)
    found = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert set(found) == {*frequent} - {"man", "woman", "king"}
    done = run("neighbors", model, "river", "--restrict-vocab", 0)
    assert done.returncode == 2
    assert "--restrict-vocab" in done.stderr


def test_analogy(run: Run, model: Path) -> None:
    expected = brasa.load(model).analogy("man", "woman", "king", 2)
    done = run("analogy", model, "man", "woman", "king", "-k", 2)
    assert done.stdout == "".join(f"{word}\t{cosine:.4f}\n" for word, cosine in expected)
    answer = json.loads(run("analogy", model, "man", "woman", "king", "-k", 2, "--json").stdout)
    assert [(n["word"], n["cosine"]) for n in answer["answers"]] == expected


def test_evaluate_on_wordsim_and_on_files(run: Run, model: Path, tmp_path: Path) -> None:
    no_halves = os.environ | {"BRASA_EVALUATION_DIR": str(tmp_path / "none")}
    report = json.loads(run("evaluate", model, "--json", env=no_halves).stdout)
    assert set(report) == {"EN-WS-353-ALL.txt", "missing", "mean_rho"}
    assert report["EN-WS-353-ALL.txt"] == brasa.load(model).evaluate()["EN-WS-353-ALL.txt"]
    text = run("evaluate", model, env=no_halves)
    assert f"mean_rho  {report['mean_rho']:.4f}" in text.stdout
    assert "EN-WS-353-REL.txt is not here" in text.stderr

    pairs, questions = tmp_path / "pairs.tsv", tmp_path / "questions.txt"
    pairs.write_text("river\twater\t9\nmusic\tstone\t1\nriver\triverrs\t8\ndog\tcat\t7\n")
    questions.write_text(": family\nman woman king queen\n")
    both = json.loads(run("evaluate", model, pairs, questions, "--oov=subwords", "--json").stdout)
    assert [item["kind"] for item in both] == ["similarity", "analogy"]
    assert (both[0]["found"], both[0]["unseen_pairs"]) == (4, 1)
    table = run("evaluate", model, pairs, questions).stdout.splitlines()
    assert table[0].split() == ["file", "items", "found", "unseen", "score"]
    assert table[1].split()[:3] == ["pairs.tsv", "4", "3"]
    assert table[2].split()[:2] == ["questions.txt", "1"]


def test_info_of_a_model(run: Run, model: Path) -> None:
    facts = json.loads(run("info", model, "--json").stdout)
    vectors = brasa.load(model)
    assert facts["n_words"] == len(vectors)
    assert facts["vector_dim"] == 24
    assert facts["instruction_set"] == vectors.metadata["instruction_set"]
    assert "loss_history" not in facts
    text = run("info", model).stdout
    assert f"{len(vectors):,}" in text
    assert "vector dim" in text


def test_info_of_the_installation(run: Run) -> None:
    facts = json.loads(run("info", "--json").stdout)
    assert facts["kernels"] in facts["kernels_available"]
    assert facts["version"] == brasa.__version__
    assert facts["kernels"] in run("info").stdout


def test_export_by_suffix_and_by_format(run: Run, model: Path, tmp_path: Path) -> None:
    n_words, dim = len(brasa.load(model)), 24
    assert run("export", model, "vectors.vec").returncode == 0
    assert run("export", model, "by-format", "--format=word2vec").returncode == 0
    text = (tmp_path / "vectors.vec").read_text(encoding="utf-8")
    assert text == (tmp_path / "by-format").read_text(encoding="utf-8")
    assert text.splitlines()[0] == f"{n_words} {dim}"
    assert len(text.splitlines()) == n_words + 1
    assert run("export", model, "vectors.bin").returncode == 0
    assert (tmp_path / "vectors.bin").read_bytes()[:4] == formats.fasttext.MAGIC.to_bytes(
        4, "little"
    )


def test_train_reports_and_saves(run: Run, corpus: Path, tmp_path: Path) -> None:
    done = run(
        "train", "skipgram", corpus, "-o", "model", "--epochs=1", "--vector-dim=16", "--threads=1",
        "--export=model/vectors.txt", "--export=v.bin", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    saved = brasa.load(tmp_path / "model")
    assert result["n_words"] == len(saved)
    assert result["n_tokens"] == saved.vocabulary.n_tokens
    assert result["metadata"] == saved.metadata
    assert result["metadata"]["interrupted"] is False
    assert result["evaluation"] == json.loads((tmp_path / "model/eval.json").read_text())
    assert result["evaluation"] == saved.evaluate()
    assert (tmp_path / "model/vectors.txt").is_file()
    assert (tmp_path / "v.bin").is_file()
    lines = done.stderr.splitlines()
    assert lines[0].startswith("Read 0.2") or lines[0].startswith("Read 0.3")
    assert lines[1].startswith("Trained on ")
    assert lines[2].startswith("WordSim-353 ")
    assert lines[3:] == ["Saved model", "Saved model/vectors.txt", "Saved v.bin"]


def test_quiet_says_nothing(run: Run, corpus: Path) -> None:
    done = run("train", "cbow", corpus, "-o", "m", "--epochs=1", "--vector-dim=8", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_text_from_standard_input_from_several_files_and_with_lowercase(
    run: Run, tmp_path: Path
) -> None:
    options = ["--epochs=1", "--min-count=1", "--vector-dim=4", "--no-evaluation", "--quiet"]
    done = run("train", "skipgram", "-", "-o", "a", *options, stdin="One two one TWO\n" * 9)
    assert done.returncode == 0, done.stderr
    assert {"One", "TWO"} <= set(brasa.load(tmp_path / "a").words)
    (tmp_path / "x.txt").write_text("One two\n")
    (tmp_path / "y.txt").write_text("three TWO\n")
    done = run("train", "skipgram", "x.txt", "y.txt", "-o", "b", "--lowercase", *options)
    assert done.returncode == 0, done.stderr
    assert set(brasa.load(tmp_path / "b").words) - {"</s>"} == {"one", "two", "three"}


def test_config_file_stands_below_options(run: Run, corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(
        "vector_dim = 12\nsubwords = true\nepochs = 1\nevaluation = false\nlowercase = true\n"
    )
    options = ["--config=settings.toml", "--vector-dim=6", "--quiet"]
    done = run("train", "skipgram", corpus, "-o", "m", *options)
    assert done.returncode == 0, done.stderr
    config = brasa.load(tmp_path / "m").config
    assert (config.vector_dim, config.subwords, config.epochs) == (6, True, 1)
    assert not (tmp_path / "m/eval.json").exists()


@pytest.mark.parametrize("threads", [1, 2])
def test_demo_tells_all(run: Run, threads: int, tmp_path: Path) -> None:
    done = run("demo", "--epochs=1", f"--threads={threads}", "-o", "here/demo")
    assert done.returncode == 0, done.stderr
    assert "WordSim-353 0." in done.stderr
    assert "guitar" in done.stdout
    assert "here/demo" in done.stdout
    vectors = brasa.load(tmp_path / "here/demo")
    for word in ("awesome", "awweeesome"):
        start = " ".join(f"{x:8.4f}" for x in vectors[word][:4])
        assert f"{word:<10}  {start} ..." in done.stdout
    assert f"{vectors.similarity('awesome', 'awweeesome'):.3f}" in done.stdout


def test_demo_as_json(run: Run, tmp_path: Path) -> None:
    result = json.loads(run("demo", "--epochs=1", "--quiet", "--json").stdout)
    assert result["model"] == "brasa-demo"
    vectors = brasa.load(tmp_path / "brasa-demo")
    assert result["cosine"] == vectors.similarity("awesome", "awweeesome")
    assert result["vectors"]["awweeesome"] == vectors["awweeesome"].tolist()
