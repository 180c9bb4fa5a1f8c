"""`brasa fasttext` as a program: its output, its files, its exit codes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from brasa import fasttext

if TYPE_CHECKING:
    from e2e.conftest import Run

LINES = "__label__hot oven fire word{}\n__label__ice snow cold word{}\n"
OPTIONS = "-dim 8 -epoch 30 -lr 1 -thread 1 -verbose 0"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "text").write_text("".join(LINES.format(i % 300, i) for i in range(300)))
    return tmp_path


@pytest.fixture
def classifier(run: Run, texts: Path) -> Path:
    done = run("fasttext", "supervised", "-input", "text", "-output", "m", *OPTIONS.split())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return texts


@pytest.mark.usefixtures("classifier")
def test_a_classifier_from_text_to_labels(run: Run, tmp_path: Path) -> None:
    said = "oven\n\nsnow unseen\n"
    done = run("fasttext", "predict", "m.bin", "-", stdin=said)
    assert done.stdout.split("\n")[::2] == ["__label__hot", "__label__ice"]
    done = run("fasttext", "predict-prob", "m.bin", "-", "-1", stdin=said)
    assert re.match(r"__label__hot (1|0\.99)\S* __label__ice \S+\n", done.stdout)
    model = fasttext.load_model(tmp_path / "m.bin")
    labels, probabilities = model.predict("oven", k=2)
    expected = " ".join(f"{n} {p:.6g}" for n, p in zip(labels, probabilities, strict=True))
    assert done.stdout.split("\n")[0] == expected
    (tmp_path / "held out").write_text("__label__hot oven\n__label__hot snow\n")
    done = run("fasttext", "test", "m.bin", "held out")
    assert done.stdout == "N\t2\nP@1\t0.5\nR@1\t0.5\n"
    done = run("fasttext", "test-label", "m.bin", "-", stdin=(tmp_path / "held out").read_text())
    lines = done.stdout.splitlines()
    shown = "F1-Score : 0.666667  Precision : 1.000000  Recall : 0.500000   __label__hot"
    assert shown in lines
    assert "F1-Score : 0.000000  Precision : 0.000000  Recall : --------   __label__ice" in lines
    assert lines[2:] == ["N\t2", "P@1\t0.500", "R@1\t0.500"]


@pytest.mark.usefixtures("classifier")
def test_quantize_and_retrain(run: Run, tmp_path: Path) -> None:
    options = "-input text -output m -cutoff 260 -qnorm -retrain -epoch 5 -lr 0.5 -verbose 0"
    done = run("fasttext", "quantize", *options.split())
    assert (done.returncode, done.stderr) == (0, "")
    small = fasttext.load_model(tmp_path / "m.ftz")
    assert small.is_quantized()
    assert len(small.words) == 260
    done = run("fasttext", "test", "m.ftz", "text")
    assert done.stdout == "N\t600\nP@1\t1\nR@1\t1\n"
    done = run("fasttext", "dump", "m.ftz", "input")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Not supported for quantized models.\n"


@pytest.mark.usefixtures("texts")
def test_search_for_arguments(run: Run, tmp_path: Path) -> None:
    options = "-input text -output m -dim 6 -bucket 900 -thread 1 -minCount 2 -autotune-duration 2"
    search = "-autotune-validation text -autotune-metric f1:__label__ice -autotune-predictions 1"
    done = run("fasttext", "supervised", *f"{options} {search}".split())
    assert (done.returncode, done.stdout) == (0, "")
    assert "\nBest score: 1.000000 (" in done.stderr
    args = run("fasttext", "dump", "m.bin", "args").stdout
    assert {"dim 6", "minCount 2", "loss softmax"} <= set(args.splitlines())
    done = run("fasttext", "supervised", *f"{options} {search} -autotune-modelsize 15K".split())
    assert done.returncode == 0
    assert (tmp_path / "m.ftz").stat().st_size <= 15_000
    assert run("fasttext", "test", "m.ftz", "text").stdout.startswith("N\t600\nP@1\t")


def test_vectors_and_what_they_are_asked(run: Run, texts: Path) -> None:
    done = run(
        "fasttext", "skipgram", "-input", "text", "-output", "v", "-minCount", "1", "-bucket", "99",
        "-saveOutput", *OPTIONS.split()[:4],
    )  # fmt: skip
    assert done.returncode == 0
    assert "Number of words:  305" in done.stderr
    vec = (texts / "v.vec").read_text()
    assert vec.startswith("305 8\n")
    words = " ".join(line.split(" ")[0] for line in vec.splitlines()[1:])
    assert run("fasttext", "print-word-vectors", "v.bin", stdin=words).stdout == vec[6:]
    done = run("fasttext", "print-sentence-vectors", "v.bin", stdin="oven fire\n\n")
    assert done.stdout.endswith("\n0 0 0 0 0 0 0 0 \n")
    done = run("fasttext", "print-ngrams", "v.bin", "fire")
    assert [line.split(" ")[0] for line in done.stdout.splitlines()][:3] == ["fire", "<fi", "<fir"]
    done = run("fasttext", "nn", "v.bin", "2", stdin="fire\n")
    assert re.fullmatch(r"Query word\? (\S+ 0?\.?\d+\n){2}Query word\? ", done.stdout)
    done = run("fasttext", "analogies", "v.bin", "1", stdin="fire oven\nsnow")
    prompt = r"Query triplet \(A - B \+ C\)\? "
    assert re.fullmatch(rf"Loading model v.bin\n{prompt}\S+ \S+\n{prompt}", done.stdout)
    done = run("fasttext", "dump", "v.bin", "args")
    assert done.stdout == (
        "dim 8\nws 5\nepoch 30\nminCount 1\nneg 5\nwordNgrams 1\nloss ns\nmodel sg\nbucket 99\n"
        "minn 3\nmaxn 6\nlrUpdateRate 100\nt 0.0001\n"
    )
    assert run("fasttext", "dump", "v.bin", "dict").stdout.startswith("305\n</s> 600 word\n")
    assert run("fasttext", "dump", "v.bin", "input").stdout.startswith("404 8\n")
    assert (texts / "v.output").read_text().startswith("305 8\n</s> ")


@pytest.mark.usefixtures("classifier")
def test_answers_come_line_by_line(program: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [program, "fasttext", "predict", "m.bin", "-"], cwd=tmp_path, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        for word, label in (("oven", "__label__hot"), ("snow", "__label__ice")):
            process.stdin.write(f"{word}\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"{label}\n"
        process.stdin.close()
        assert process.wait() == 0


def test_install_a_program(run: Run, classifier: Path) -> None:
    done = run("fasttext", "--install-command", ".")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Wrote fasttext\n")
    command = [str(classifier / "fasttext"), "predict", "m.bin", "-"]
    done = subprocess.run(
        command, input="oven\n", capture_output=True, text=True, cwd=classifier, check=True
    )
    assert done.stdout == "__label__hot\n"
    assert run("fasttext", "--install-command", ".").returncode == 0
    (classifier / "fasttext").write_text("#!/bin/sh\n")
    done = run("fasttext", "--install-command", ".")
    assert done.returncode == 1
    assert "is another program" in done.stderr
    assert (classifier / "fasttext").read_text() == "#!/bin/sh\n"


WRONG = {
    "": "usage: fasttext <command> <args>",
    "learn": "usage: fasttext <command> <args>",
    "test m.bin": "usage: fasttext test <model> <test-data> [<k>] [<th>]",
    "supervised -input text": "Empty input or output path.",
    "supervised -input text -output x -minCounts 1": "Unknown argument: -minCounts",
    "supervised -input text -output x -dim": "-dim is missing an argument",
    "supervised -input text -output x -dim 1e3": "-dim '1e3': a whole number of 32 bits is needed",
    "supervised -input text -output x -lr fast": "-lr 'fast': a number is needed",
    "supervised -input text -output x -loss l2": "Unknown loss: l2",
    "supervised input text": "Provided argument without a dash! Usage:",
    "cbow -h": "Here is the help! Usage:",
    "supervised -input none -output x": "fasttext: none",
    "supervised -input text -output no/x": "fasttext: no/x.bin: cannot be opened for saving.",
    "cbow -input text -output x -autotune-validation text": "fasttext: autotuneValidationFile=",
    "supervised -input text -output x -autotune-validation none": "fasttext: none: ",
    "supervised -input text -output x -autotune-validation text -autotune-modelsize 2T": (
        "fasttext: autotuneModelSize='2T' is not possible"
    ),
    "supervised -input text -output x -autotune-validation text -autotune-metric loss": (
        "fasttext: Unknown autotune metric"
    ),
    "predict none text": "fasttext: none: cannot be opened for loading!",
    "predict text text": "fasttext: text: has wrong file format!",
    "predict m.bin none": "fasttext: none: Input file cannot be opened!",
    "test m.bin none": "fasttext: none: Test file cannot be opened!",
    "predict m.bin text 0": "fasttext: k=0 is not possible",
    "nn m.bin 0": "fasttext: k=0 is not possible",
    "dump m.bin all": "usage: fasttext dump <model> <option>",
}


def test_wrong_calls(run: Run, classifier: Path) -> None:
    for command, said in WRONG.items():
        done = run("fasttext", *command.split())
        assert (done.returncode, done.stdout) == (1, ""), command
        assert done.stderr.startswith(said), (command, done.stderr)
        assert "Traceback" not in done.stderr
    assert not list(classifier.glob("x*"))
    assert run("fasttext", "learn").stderr.endswith("\nUnknown command: learn\n")


def test_flags_are_shown_with_their_defaults(run: Run) -> None:
    for command, learning_rate in (("supervised", 0.1), ("quantize", 0.05), ("cbow", 0.05)):
        shown = run("fasttext", command).stderr
        lines = {line.split()[0]: line.split("[")[-1] for line in shown.splitlines() if "[" in line}
        assert (lines["-lr"], lines["-bucket"]) == (f"{learning_rate}]", "2000000]")


@pytest.mark.usefixtures("classifier")
def test_a_reader_that_goes_away(bash: Run, tmp_path: Path) -> None:
    (tmp_path / "many").write_text("oven\n" * 200_000)
    done = bash("brasa fasttext predict m.bin many | head -1; exit ${PIPESTATUS[0]}")
    assert (done.returncode, done.stdout, done.stderr) == (141, "__label__hot\n", "")
