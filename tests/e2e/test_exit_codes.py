"""What the program says and returns when something is wrong; never a traceback."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from brasa.cli.app import _COMMANDS

if TYPE_CHECKING:
    from e2e.conftest import Run


@pytest.mark.parametrize("arguments", [[], *([command] for command in _COMMANDS)])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(run: Run, arguments: list[str], flag: str) -> None:
    done = run(*arguments, flag)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: brasa")


def test_version(run: Run) -> None:
    done = run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("brasa 0.")


WRONG = {
    "no such command": (["trian"], "No such command 'trian'"),
    "no such option": (["train", "skipgram", "x", "-o", "m", "--dim=3"], "No such option"),
    "no such mode": (["train", "glove", "x", "-o", "m"], "'glove' is not one of 'skipgram'"),
    "no corpus": (["train", "skipgram", "-o", "m"], "Missing argument 'CORPUS...'"),
    "no output": (["train", "skipgram", "x"], "Missing option '-o' / '--output'"),
    "not a number": (["train", "skipgram", "x", "-o", "m", "--epochs=two"], "not a valid int"),
    "missing corpus": (["train", "skipgram", "absent.txt", "-o", "m"], "absent.txt"),
    "window": (
        ["train", "skipgram", "text", "-o", "m", "--window-size=0"],
        "window_size=0 is not possible: window_size must be between 1 and 1000",
    ),
    "nan": (["train", "cbow", "text", "-o", "m", "--learning-rate=nan"], "learning_rate=nan"),
    "n-grams": (
        ["train", "cbow", "text", "-o", "m", "--subwords", "--min-char=7"],
        "min_char=7 is not possible: min_char must be at most max_char, 6",
    ),
    "output is a file": (["train", "cbow", "text", "-o", "text"], "is a file"),
    "export suffix": (
        ["train", "cbow", "text", "-o", "m", "--export=v.npy"],
        "named with a suffix that tells its format",
    ),
    "rare words": (["train", "cbow", "text", "-o", "m"], "min_count"),
    "missing config": (["train", "cbow", "text", "-o", "m", "--config=no.toml"], "no.toml: cannot"),
    "not toml": (["train", "cbow", "text", "-o", "m", "--config=text"], "text: not a TOML file"),
    "unknown key": (["train", "cbow", "text", "-o", "m", "--config=unknown.toml"], "vektor_dim"),
    "bad type": (["train", "cbow", "text", "-o", "m", "--config=type.toml"], "vector_dim"),
    "missing model": (["vectors", "absent", "word"], "absent: there is no such file or folder"),
    "not a model": (["info", "text"], "text"),
    "no words": (["vectors", "absent"], "Missing argument 'WORD...'"),
    "unknown format": (["export", "absent", "x.bin", "--format=onnx"], "'onnx' is not one of"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_arguments(run: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "text").write_text("one two three\n")
    (tmp_path / "unknown.toml").write_text("vektor_dim = 100\n")
    (tmp_path / "type.toml").write_text("vector_dim = [100]\n")
    before = sorted(tmp_path.iterdir())
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert sorted(tmp_path.iterdir()) == before


def test_unseen_words_without_subwords(run: Run, words_only: Path) -> None:
    for command in (["vectors"], ["vectors", "--json"], ["neighbors"]):
        done = run(command[0], words_only, "river", "rivverside", *command[1:])
        assert (done.returncode, done.stdout) == (2, "")
        assert "'rivverside' is not in the vocabulary" in done.stderr
    done = run("neighbors", words_only, "river", "-k", 0)
    assert done.returncode == 2
    assert "k=0 is not possible" in done.stderr


def test_a_broken_evaluation_file_does_not_cost_the_model(
    run: Run, corpus: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "evaluation"
    folder.mkdir()
    (folder / "WS-353-SIM.tsv").write_text("not a table\n")
    done = run(
        "train", "skipgram", corpus, "-o", "m", "--epochs=1", "--vector-dim=8",
        env={**os.environ, "BRASA_EVALUATION_DIR": str(folder)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "WS-353-SIM.tsv" in done.stderr
    assert run("info", "m").returncode == 0
    assert not (tmp_path / "m/eval.json").exists()


def test_reader_that_goes_away(bash: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "words").write_text("river\n" * 20_000)
    command = f"brasa vectors {model} - < words | head -1 | wc -l; echo ${{PIPESTATUS[0]}}"
    done = bash(command)
    assert done.stdout.split() == ["1", "141"]
    assert done.stderr == ""


def test_full_and_closed_standard_output(bash: Run, model: Path) -> None:
    full = bash(f"brasa vectors {model} river > /dev/full")
    assert (full.returncode, full.stdout) == (2, "")
    assert full.stderr == "brasa: standard output cannot be written: No space left on device\n"
    closed = bash(f"brasa vectors {model} river >&-")
    assert (closed.returncode, closed.stderr) == (0, "")


def test_closed_standard_error_does_not_end_a_training(
    bash: Run, corpus: Path, tmp_path: Path
) -> None:
    train = f"brasa train skipgram {corpus} --epochs 1 --vector-dim 8"
    assert bash(f"{train} -o a 2>&-").returncode == 0
    assert bash(f"{train} -o b 2>/dev/full").returncode == 0
    piped = bash(f"set -o pipefail; {train} -o c --log-format json 2>&1 | true")
    assert piped.returncode == 0
    assert all((tmp_path / name / "model.safetensors").is_file() for name in "abc")
