"""`brasa train --pretrained`, `--continue` and `--resume`."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import brasa

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.conftest import Run

NEW = "the quokka is a small marsupial and the quokkas eat grass\n" * 30


def metadata(output: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(output)["metadata"]
    return found


@pytest.mark.parametrize("kind", ["model", "fasttext"])
def test_continue(run: Run, model: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / "new.txt").write_text(NEW)
    source = model
    if kind == "fasttext":
        small = brasa.WordVectors.train(iter([NEW]), subwords=True, buckets=999, vector_dim=8)
        source = tmp_path / "old.bin"
        small.export(source)
    done = run(
        "train", "skipgram", "new.txt", "-o", "m", "--continue", source, "--epochs=3", "--json",
        "--quiet", "--no-evaluation",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    old, new = brasa.load(source), brasa.load(tmp_path / "m")
    assert new.words[: len(old)] == old.words
    assert "quokkas" in new
    assert new.vector_dim == old.vector_dim
    assert new.config.epochs == 3
    told = metadata(done.stdout)
    assert told == new.metadata
    assert new.metadata["started_from"]["model"] == str(source)
    if kind == "model":
        assert new.metadata["previous_runs"][0]["loss_history"] == old.metadata["loss_history"]
        assert old.similarity("river", "rivers") == pytest.approx(
            new.similarity("river", "rivers"), abs=0.2
        )


def test_continue_into_the_same_folder(run: Run, model: Path, tmp_path: Path) -> None:
    brasa.load(model).save(tmp_path / "m")
    (tmp_path / "new.txt").write_text(NEW)
    for n_runs in (1, 2):
        done = run("train", "cbow", "new.txt", "-o", "m", "--continue", "m", "--quiet")
        assert done.returncode == 0, done.stderr
        assert len(brasa.load(tmp_path / "m").metadata["previous_runs"]) == n_runs
    assert brasa.load(tmp_path / "m").config.mode == "cbow"


def test_pretrained(run: Run, words_only: Path, tmp_path: Path) -> None:
    brasa.load(words_only).export(tmp_path / "vectors.bin", "word2vec-binary")
    (tmp_path / "new.txt").write_text(NEW)
    command = ["train", "skipgram", "new.txt", "-o", "m", "--pretrained=vectors.bin", "--quiet"]
    command += ["--vector-dim=8", "--learning-rate=1e-9"]
    assert run(*command, "--no-evaluation").returncode == 0
    old, new = brasa.load(words_only), brasa.load(tmp_path / "m")
    assert "river" not in new
    np.testing.assert_allclose(new["grass"], old["grass"], atol=1e-6)
    assert run(*command, "--no-evaluation", "--keep-pretrained-words").returncode == 0
    new = brasa.load(tmp_path / "m")
    assert new.words[: len(old)] == old.words
    np.testing.assert_array_equal(new["river"], old["river"])
    assert new.metadata["started_from"]["how"] == "pretrained"


WRONG = {
    "dimension": (
        ["--pretrained={model}", "--vector-dim=100"],
        "vector_dim=100 is not possible: vector_dim must be 24, the length of the pretrained",
    ),
    "absent": (["--continue=absent"], "absent: there is no such file or folder"),
    "absent vectors": (["--pretrained=absent"], "absent: there is no such file or folder"),
    "not a model": (["--continue=new.txt"], "new.txt"),
    "other n-grams": (["--continue={model}", "--max-char=5"], "max_char must be 6, as in the"),
    "negative epochs": (["--continue={model}", "--epochs=-1"], "epochs must be between 1"),
    "zero epochs": (["--pretrained={model}", "--epochs=0"], "epochs must be between 1"),
    "both": (["--continue={model}", "--pretrained={model}"], "leave --pretrained out"),
    "nothing to keep": (["--keep-pretrained-words"], "keep_pretrained_words"),
    "nothing to resume": (["--resume"], "--resume needs --continue MODEL"),
    "complete": (["--continue={model}", "--resume"], "not of a training that was interrupted"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments(run: Run, model: Path, tmp_path: Path, case: str) -> None:
    arguments, message = WRONG[case]
    (tmp_path / "new.txt").write_text(NEW)
    given = [argument.format(model=model) for argument in arguments]
    done = run("train", "skipgram", "new.txt", "-o", "m", *given)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "m").exists()


def test_new_words_without_training(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_text(NEW)
    done = run("train", "skipgram", "new.txt", "-o", "m", "--continue", model, "--epochs=0",
               "--no-evaluation", "--log-format=json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["event"] for event in events] == ["corpus_read", "started_from", "saved"]
    old, new = brasa.load(model), brasa.load(tmp_path / "m")
    assert (events[1]["how"], events[1]["n_words"]) == ("grown", len(old))
    np.testing.assert_array_equal(new.vectors(old.words), old.vectors(old.words))
    assert "quokkas" in new


def test_what_starts_anew_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_text(NEW)
    train = ["train", "cbow", "new.txt", "-o", "m", "--no-evaluation"]
    assert run(*train, "--loss=hs", "--quiet").returncode == 0
    done = run(*train, "--continue", "m", "--log-format=plain")
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    started = lines.index("Started from m: 11 words have its rows, 0 are new")
    assert lines[started + 1].startswith('Warning: loss="hs": other counts make another Huffman')


def test_an_empty_text_leaves_the_model_that_was_there(
    run: Run, model: Path, tmp_path: Path
) -> None:
    brasa.load(model).save(tmp_path / "m")
    before = {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()}
    (tmp_path / "empty").write_text("\n\n")
    done = run("train", "skipgram", "empty", "-o", "m", "--continue", "m", "--quiet")
    assert done.returncode == 2
    assert "empty: there is no word in the text" in done.stderr
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()}


@pytest.mark.parametrize("first", [[], ["--continue=base"]], ids=["new", "continued"])
def test_resume(
    corpus: Path, run: Run, words_only: Path, tmp_path: Path, first: list[str],
    stop_while_training: Callable[..., int],
) -> None:  # fmt: skip
    """Interrupted by Ctrl-C and finished, a training gives the vectors of one that was not."""
    brasa.load(words_only).save(tmp_path / "base")
    settings = ["--threads=1", "--epochs=40", "--vector-dim=8", "--no-evaluation", *first]
    command = ["train", "skipgram", corpus, *settings]
    assert stop_while_training(*command, "-o", "part", "--keep-partial") == 130
    assert brasa.load(tmp_path / "part").metadata["interrupted"] is True
    finish = ["train", "skipgram", corpus, "-o", "part", "--continue=part", "--resume",
              "--threads=1", "--quiet", "--no-evaluation"]  # fmt: skip
    done = run(*finish, "--epochs=41")
    assert done.returncode == 2
    assert "epochs must be 40, as before the interruption, to resume" in done.stderr
    done = run(*finish)
    assert done.returncode == 0, done.stderr
    assert run(*command, "-o", "whole", "--quiet").returncode == 0
    part, whole = (brasa.load(tmp_path / name).embeddings for name in ("part", "whole"))
    np.testing.assert_array_equal(part.input, whole.input)
    np.testing.assert_array_equal(part.output, whole.output)


@pytest.fixture
def stop_while_training(program: Path, tmp_path: Path) -> Callable[..., int]:
    """Run `brasa`, press Ctrl-C while it trains; gives the exit code."""

    def stop(*arguments: object) -> int:
        with subprocess.Popen(
            [program, *map(str, arguments), "--log-format=json"],
            cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stderr is not None
            for line in process.stderr:
                if json.loads(line)["event"] == "corpus_read":
                    break
            time.sleep(0.4)  # into a span, which native code does not break off
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
            return process.returncode

    return stop
