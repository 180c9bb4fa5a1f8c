"""Text classification with the installed program."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import brasa

if TYPE_CHECKING:
    from e2e.conftest import Run

OPTIONS = ["--min-count=1", "--vector-dim=8", "--epochs=20", "--learning-rate=0.5", "--threads=1"]


@pytest.fixture
def classifier(run: Run, texts: Path) -> Path:
    done = run("train", "supervised", texts, "-o", "model", *OPTIONS, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return texts.parent / "model"


@pytest.mark.parametrize("loss", ["softmax", "hs", "ns", "ova"])
def test_train_and_save(run: Run, texts: Path, loss: str) -> None:
    done = run(
        "train", "supervised", texts, "-o", "model", "--validation", "valid.txt", "--loss", loss,
        "--export", "model.bin", "--json", *OPTIONS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Epoch 20: accuracy 1.0000 on the validation texts" in done.stderr
    assert "Accuracy 1.0000 on 300 training texts, 1.0000 on 31 validation texts" in done.stderr
    result = json.loads(done.stdout)
    assert (result["n_labels"], result["model"]) == (3, "model")
    assert result["evaluation"]["validation_accuracy"] == 1
    for name in ("model", "model.bin"):
        assert brasa.load(texts.parent / name).predict("snow")[0][0] == "__label__ice"


def test_lines_of_blazingtext(run: Run, texts: Path) -> None:
    options = ["--early-stopping", "--min-epochs=3", "--patience=2", "--log-format=blazingtext"]
    done = run(
        "train", "supervised", texts, "-o", "m", "--validation=valid.txt", *OPTIONS, *options
    )
    lines = done.stderr.splitlines()
    assert "training using supervised mode." in lines[0]
    after = lines[lines.index("-------------- End of epoch: 3") :]
    assert after[1] == "Validation accuracy: 1"
    assert after[2] == "Validation accuracy improved! Storing best weights..."
    assert "Validation accuracy has not improved for last 1 epochs." in after
    assert "-------------- End of epoch: 6" not in after
    assert after[-7] == "Training finished."
    assert after[-4:] == [
        "#train_accuracy: 1.0000",
        "Number of train examples: 300",
        "#validation_accuracy: 1.0000",
        "Number of validation examples: 31",
    ]


def test_predict(run: Run, classifier: Path) -> None:
    expected = brasa.load(classifier).predict(["oven word1", "", "snow"], k=2)
    done = run("predict", classifier, "oven word1", "", "snow", "-k", 2)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[::2] for row in rows] == [[label for label, _ in row] for row in expected]
    assert float(rows[0][1]) == pytest.approx(expected[0][0][1], rel=1e-5)
    piped = run("predict", classifier, "-", "-k", 2, stdin="oven word1\n\nsnow")
    assert piped.stdout == done.stdout
    answers = json.loads(run("predict", classifier, "oven word1", "--json").stdout)
    assert answers == [{"label": ["__label__hot"], "prob": [expected[0][0][1]]}]
    sure = run("predict", classifier, "oven word1", "-k", 3, "--threshold", 0.5)
    assert sure.stdout.count("__label__") == 1


def test_test(run: Run, classifier: Path, texts: Path) -> None:
    done = run("test", classifier, texts, "--per-label")
    assert re.search(r"^precision at 1 +1.0000$", done.stdout, re.MULTILINE)
    assert re.search(r"^__label__mild( +1.0000){3} +100$", done.stdout, re.MULTILINE)
    report = json.loads(run("test", classifier, "-", "--json", stdin=texts.read_text()).stdout)
    assert (report["n"], report["accuracy"], len(report["labels"])) == (300, 1, 3)


def test_explain(run: Run, classifier: Path) -> None:
    expected = brasa.load(classifier).explain("oven word1 snow", "hot", k=3)
    done = run("explain", classifier, "oven word1 snow", "--label=hot", "-k", 3, "--json")
    found = json.loads(done.stdout)
    assert found["score"] == expected.score
    assert [part["text"] for part in found["contributions"]] == [
        part.text for part in expected.contributions
    ]
    lines = run("explain", classifier, "oven word1 snow").stdout.splitlines()
    assert lines[0].startswith("__label__")
    assert lines[-1].startswith("all others")
    numbers = [float(re.findall(r"[+-]\d+\.\d{4}", line)[-1]) for line in lines]
    assert sum(numbers[1:]) == pytest.approx(numbers[0], abs=1e-3)
    done = run("explain", classifier, "oven", "--label=cold")
    assert (done.returncode, "label='cold' is not possible" in done.stderr) == (2, True)


@pytest.mark.parametrize("loss", ["softmax", "ova"])
def test_calibrate(run: Run, texts: Path, loss: str) -> None:
    train = ["train", "supervised", texts, "-o", "model", "--loss", loss, *OPTIONS, "--quiet"]
    assert run(*train).returncode == 0
    done = run("calibrate", "model", "valid.txt", "-o", "fitted")
    assert done.returncode == 0, done.stderr
    method, measure = {
        "softmax": ("temperature", "negative log likelihood"), "ova": ("platt", "brier score"),
    }[loss]  # fmt: skip
    assert re.search(rf"^method +{method}$", done.stdout, re.MULTILINE)
    numbers = re.findall(
        rf"^{measure}, (?:before|after) +(\d\.\d{{4}})$", done.stdout, re.MULTILINE
    )
    expected = brasa.load(texts.parent / "model").calibrated(texts.parent / "valid.txt")
    losses = expected.metadata["calibration"][measure.replace(" ", "_")]
    assert [float(number) for number in numbers] == pytest.approx(losses, abs=1e-4)
    answers = json.loads(run("predict", "fitted", "oven word1", "-k", 3, "--json").stdout)
    assert answers[0]["prob"] == [p for _, p in expected.predict("oven word1", k=3)]
    found = json.loads(run("calibrate", "model", "valid.txt", "-o", "again", "--json").stdout)
    assert (found["model"], found["method"]) == ("again", method)
    (texts.parent / "none.txt").write_text("no label\n")
    done = run("calibrate", "model", "none.txt", "-o", "none")
    assert (done.returncode, "no text has both a label" in done.stderr) == (2, True)
    assert not (texts.parent / "none").exists()


def test_a_picture(run: Run, classifier: Path, texts: Path) -> None:
    done = run("test", classifier, texts, "--plot", "curve.png", "--json")
    assert json.loads(done.stdout)["accuracy"] == 1
    assert (texts.parent / "curve.png").read_bytes().startswith(b"\x89PNG")
    for arguments, message in (
        ([texts, "--plot=curve.jpg"], "plot='curve.jpg' is not possible"),
        (["-", "--plot=curve.svg"], "standard input will not do"),
        ([texts, "--plot=nowhere/curve.svg"], "nowhere"),
    ):
        done = run("test", classifier, *arguments)
        assert (done.returncode, message in done.stderr) == (2, True)


def test_labels_without_their_prefix(run: Run, classifier: Path) -> None:
    done = run("predict", classifier, "snow", "--without-prefix")
    assert done.stdout.split("\t")[0] == "ice"


def test_tables(run: Run, texts: Path, tmp_path: Path) -> None:
    rows = [line.split(" ", 1) for line in texts.read_text().splitlines()]
    table = "label,text,w\n" + "".join(f"{a.removeprefix('__label__')},{b},1\n" for a, b in rows)
    (tmp_path / "t.csv").write_text(table)
    columns = ["--text-column=text", "--label-column=label"]
    done = run(
        "train", "supervised", "t.csv", "-o", "m", "--validation=t.csv", "--weight-column=w",
        "--json", *columns, *OPTIONS,
    )  # fmt: skip
    assert json.loads(done.stdout)["evaluation"]["validation_accuracy"] == 1, done.stderr
    assert json.loads(run("test", "m", "t.csv", "--json", *columns).stdout)["n"] == 300
    done = run("test", "m", "t.csv", "--label-column=topic", "--text-column=text")
    assert done.returncode == 2
    assert "t.csv:2: no column topic; there are: label, text, w" in done.stderr
    (tmp_path / "t.manifest").write_text('{"source": "oven", "label": "hot"}\n' * 3 + "{\n")
    done = run("test", "m", "t.manifest", "--label-column=label")
    assert "t.manifest:4: not JSON" in done.stderr
    assert "standard input" in run("test", "m", "-", "--label-column=label").stderr


def test_info_and_export(run: Run, classifier: Path) -> None:
    facts = json.loads(run("info", classifier, "--json").stdout)
    assert (facts["n_labels"], facts["loss"], facts["train_accuracy"]) == (3, "softmax", 1)
    assert run("info", classifier).returncode == 0
    assert run("export", classifier, "out.bin").returncode == 0
    assert brasa.load(classifier.parent / "out.bin").labels == brasa.load(classifier).labels
    done = run("export", classifier, "out.vec")
    assert (done.returncode, "fasttext for a text classifier" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--early-stopping"], "early_stopping=True is not possible"),
        (["--window-size=3"], "window_size=3 is not possible"),
        (["--export=m.vec"], "named .bin"),
        (["--validation=nowhere"], "nowhere: no such file"),
        (["--continue=m"], "supervised goes without --continue"),
        (["--label-prefix=#"], "no label in the text"),
        (["--word-ngrams=0"], "word_ngrams=0 is not possible"),
    ],
)
def test_what_is_refused(run: Run, texts: Path, arguments: list[str], message: str) -> None:
    done = run("train", "supervised", texts, "-o", "m", *arguments, "--quiet")
    assert done.returncode == 2
    assert message in done.stderr
    assert not (texts.parent / "m").exists()


def test_options_of_classifiers_are_refused_elsewhere(run: Run, corpus: Path) -> None:
    done = run("train", "skipgram", corpus, "-o", "m", "--word-ngrams", 3)
    assert (done.returncode, "word_ngrams=3" in done.stderr) == (2, True)
    done = run("train", "skipgram", corpus, "-o", "m", "--validation", corpus)
    assert "--validation, --class-weights and the options of columns are for" in done.stderr


@pytest.mark.parametrize("k", ["0", "-1"])
def test_impossible_numbers_of_labels(run: Run, classifier: Path, texts: Path, k: str) -> None:
    for command, argument in (("predict", "oven"), ("test", str(texts))):
        done = run(command, classifier, argument, "-k", k)
        assert (done.returncode, f"k={k} is not possible" in done.stderr) == (2, True)


def test_word_vectors_are_no_classifier(run: Run, model: Path) -> None:
    done = run("predict", model, "a text")
    assert (done.returncode, "word vectors" in done.stderr) == (2, True)
