"""The channel `model`: what a job goes on from, with which hyperparameters, and what is refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import brasa

WORDS = {"mode": "skipgram", "min_count": "1", "epochs": "2", "threads": "1"}
TEXT = "the tiger and the cat\na computer and a keyboard\n" * 60
LABELED = "__label__good a great film\n__label__bad a poor film\n" * 60
LABELS = {"mode": "supervised", "threads": "1"}


def _files(folder: Path) -> dict[str, bytes]:
    return {f"model/{file.name}": file.read_bytes() for file in folder.iterdir()}


def _packed(folder: Path) -> dict[str, bytes]:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for file in sorted(folder.iterdir()):
            tar.add(file, f"./{file.name}")
    return {"model/model.tar.gz": packed.getvalue()}


def _reason(base: Path) -> str:
    return (base / "output/failure").read_text()


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    folder = tmp_path / "vectors"
    brasa.WordVectors.train(
        ["zebra and horse"] * 40, vector_dim=8, min_count=1, epochs=7, evaluation=False
    ).save(folder)
    return folder


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    folder = tmp_path / "classifier"
    model = brasa.TextClassifier.train(
        iter(LABELED.splitlines()), vector_dim=8, min_count=1, epochs=7, word_ngrams=2,
        learning_rate=0.2,
    )  # fmt: skip
    model.save(folder)
    return folder


@pytest.mark.parametrize("laid_out", [_files, _packed])
def test_word_vectors_go_on(
    job: Any, train: Any, vectors: Path, laid_out: Callable[[Path], dict[str, bytes]]
) -> None:
    base = job(WORDS | {"learning_rate": "0.01"}, {"train/text": TEXT, **laid_out(vectors)})
    code, said = train(base)
    assert code == 0, said
    model = brasa.WordVectors.load(base / "model")
    assert {"zebra", "tiger"} <= set(model.words)
    # What the job does not give is the model's.
    assert (model.config.epochs, model.config.learning_rate, model.vector_dim) == (2, 0.01, 8)


@pytest.mark.parametrize("laid_out", [_files, _packed])
def test_a_classifier_goes_on_with_the_jobs_hyperparameters(
    job: Any, train: Any, classifier: Path, laid_out: Callable[[Path], dict[str, bytes]]
) -> None:
    given = LABELS | {"learning_rate": "0.03", "epochs": "3"}
    base = job(given, {"train/text": LABELED, **laid_out(classifier)})
    code, said = train(base)
    assert code == 0, said
    used = brasa.TextClassifier.load(base / "model").metadata["hyperparameters"]
    assert (used["learning_rate"], used["epochs"]) == (0.03, 3)
    assert (used["vector_dim"], used["word_ngrams"], used["min_count"]) == (8, 2, 1)


def test_a_job_without_hyperparameters_takes_the_models(
    job: Any, train: Any, classifier: Path
) -> None:
    base = job(LABELS, {"train/text": LABELED, **_files(classifier)})
    assert train(base)[0] == 0
    used = brasa.TextClassifier.load(base / "model").metadata["hyperparameters"]
    assert (used["learning_rate"], used["epochs"]) == (0.2, 7)


def test_early_stopping_of_the_job_counts(job: Any, train: Any, classifier: Path) -> None:
    given = LABELS | {"early_stopping": "True", "min_epochs": "1", "patience": "1"}
    data = {"train/text": LABELED, **_files(classifier)}
    base = job(given, data)
    assert train(base)[0] == 1
    assert "early_stopping needs a validation channel" in _reason(base)
    (base / "input/data/validation").mkdir()
    (base / "input/data/validation/text").write_text(LABELED)
    code, said = train(base)
    assert code == 0, said
    assert "-------------- End of epoch: 1" in said


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"vector_dim": "9", "word_ngrams": "1", "epochs": "3"}, ("vector_dim=9", "ngrams=1")),
        ({"buckets": "77", "loss": "ova", "min_count": "3"}, ("buckets=77", "'ova'", "count=3")),
        ({"subwords": "True"}, ("subwords=True",)),
    ],
)
def test_hyperparameters_that_a_classifier_cannot_change_are_named(
    job: Any, train: Any, classifier: Path, given: Any, names: tuple[str, ...]
) -> None:
    base = job(LABELS | given, {"train/text": LABELED, **_files(classifier)})
    code, said = train(base)
    assert code == 1, said
    reason = _reason(base)
    assert reason.startswith("ClientError: the model in channel model cannot be trained on: ")
    assert all(name in reason for name in names), reason
    assert "epochs=3" not in reason
    assert "Number of words" not in said


def test_hyperparameters_that_vectors_cannot_change_are_named(
    job: Any, train: Any, vectors: Path
) -> None:
    given = WORDS | {"vector_dim": "16", "subwords": "True"}
    base = job(given, {"train/text": TEXT, **_packed(vectors)})
    assert train(base)[0] == 1
    assert "vector_dim=16" in _reason(base)
    assert "subwords=True" in _reason(base)


def test_a_model_of_the_other_kind_is_refused(
    job: Any, train: Any, vectors: Path, tmp_path: Path
) -> None:
    base = job(LABELS, {"train/text": LABELED, **_files(vectors)})
    assert train(base)[0] == 1
    assert _reason(base).startswith("ClientError: ")


def test_a_pipe_for_the_model_is_refused(job: Any, train: Any) -> None:
    base = job(WORDS, {"train/text": TEXT}, channels={"model": {"TrainingInputMode": "Pipe"}})
    assert train(base)[0] == 1
    assert "give it the input mode File" in _reason(base)


def _archive(*members: tarfile.TarInfo, content: bytes = b"") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for member in members:
            member.size = len(content) if member.isreg() and not member.size else member.size
            tar.addfile(member, io.BytesIO(content) if member.size == len(content) else None)
    return packed.getvalue()


def _member(name: str, **values: Any) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    for field, value in values.items():
        setattr(member, field, value)
    return member


@pytest.mark.parametrize(
    ("archive", "said"),
    [
        (_archive(_member("../escaped")), "leads out of its folder"),
        (_archive(_member("a/../../escaped")), "leads out of its folder"),
        (_archive(_member("/tmp/escaped")), "leads out of its folder"),
        (
            _archive(_member("model.bin", type=tarfile.SYMTYPE, linkname="/etc/passwd")),
            "is a link or device",
        ),
        (
            _archive(_member("model.bin", type=tarfile.LNKTYPE, linkname="../../config")),
            "is a link or device",
        ),
        (_archive(_member("model.bin", type=tarfile.FIFOTYPE)), "is a link or device"),
        (_archive(_member("model.bin"), _member("model.bin"), content=b"x"), "is in it twice"),
        (_archive(*(_member(str(i)) for i in range(1001))), "more than 1000 files"),
        (_archive(_member("model.bin", size=9 << 30)), "too many for its size"),
        (_archive(_member("model.bin"), content=b"x" * 1000)[:-30], "is no archive"),
        (b"no archive", "is no archive"),
        (b"", "is no archive"),
        (_archive(_member("readme"), content=b"x"), "what is in it has no model"),
    ],
    ids=["above", "further above", "absolute", "link", "hard link", "pipe", "twice", "many",
         "bomb", "cut off", "no archive", "empty", "no model"],
)  # fmt: skip
def test_archives_are_not_trusted(job: Any, train: Any, archive: bytes, said: str) -> None:
    base = job(WORDS, {"train/text": TEXT, "model/model.tar.gz": archive})
    before = {path for path in base.rglob("*") if "output" not in path.parts}
    code, log = train(base, TMPDIR=str(base.parent))
    assert code == 1
    assert _reason(base).startswith("ClientError: channel model: model.tar.gz: "), log
    assert said in _reason(base)
    assert {path for path in base.rglob("*") if "output" not in path.parts} == before
    assert not (base.parent / "escaped").exists()
    assert not Path("/tmp/escaped").exists()
    assert [path.name for path in base.parent.iterdir()] == ["ml"]  # nothing is left behind


def test_two_archives_are_refused(job: Any, train: Any, vectors: Path) -> None:
    packed = _packed(vectors)["model/model.tar.gz"]
    data = {"train/text": TEXT, "model/a.tar.gz": packed, "model/b.tar.gz": packed}
    base = job(WORDS, data)
    assert train(base)[0] == 1
    assert "several archives, a.tar.gz, b.tar.gz" in _reason(base)


def test_an_archive_larger_than_the_disk_says_so(job: Any, train: Any, make_disk: Any) -> None:
    archive = _archive(_member("model.bin"), content=bytes(1 << 20))
    base = job(WORDS, {"train/text": TEXT, "model/model.tar.gz": archive})
    assert train(base, TMPDIR=str(make_disk("256k")))[0] == 1
    assert "there is no room for its files" in _reason(base)
