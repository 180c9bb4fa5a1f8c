"""The module that stands in for `fasttext`: what fastText's own unit tests look at, and more."""

from __future__ import annotations

import math
import pickle
import random
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brasa import fasttext
from brasa.errors import BrasaError
from brasa.fasttext import util
from brasa.fasttext.arguments import Arguments
from brasa.fasttext.training import trained

ALPHABET = [
    chr(code)
    for first, last in (
        (0x21, 0x21), (0x23, 0x26), (0x28, 0x7E), (0xA1, 0xAC), (0xAE, 0x24F), (0x2C60, 0x2C7F),
        (0x16A0, 0x16F0), (0x370, 0x377), (0x384, 0x38A),
    )
    for code in range(first, last + 1)
]  # fmt: skip
NGRAMS: list[dict[str, Any]] = [
    {"minn": 2, "maxn": 4}, {"minn": 0, "maxn": 0, "bucket": 0}, {"dim": 1},
]  # fmt: skip
SUPERVISED = [*NGRAMS, {"dim": 5}, {"dim": 5, "loss": "hs"}]
UNSUPERVISED = [*NGRAMS, {"dim": 5, "model": "cbow"}, {"dim": 5, "model": "skipgram"}]
SMALL = {"thread": 1, "epoch": 1, "minCount": 1, "bucket": 1000, "verbose": 0}

supervised = pytest.mark.parametrize("settings", SUPERVISED, ids=str)
unsupervised = pytest.mark.parametrize("settings", UNSUPERVISED, ids=str)


def words_of(n: int, longest: int = 20) -> list[str]:
    return ["".join(random.choices(ALPHABET, k=random.randint(1, longest))) for _ in range(n)]


def lines_of(n: int = 100, n_words: int = 100, shortest: int = 0) -> list[str]:
    vocabulary = words_of(n_words, 10)
    return [" ".join(random.choices(vocabulary, k=random.randint(shortest, 20))) for _ in range(n)]


@pytest.fixture(autouse=True)
def _same_text_every_time() -> None:
    random.seed(11)


@pytest.fixture
def vectors(tmp_path: Path) -> Any:
    """A function that trains word vectors on lines."""

    def train(lines: list[str], settings: dict[str, Any]) -> Any:
        (tmp_path / "text").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return fasttext.train_unsupervised(tmp_path / "text", **{**SMALL, **settings})

    return train


@pytest.fixture
def classifier(tmp_path: Path) -> Any:
    """A function that trains a classifier on lines, whose first words become labels."""

    def train(lines: list[str], settings: dict[str, Any]) -> Any:
        text = "".join(f"__label__{line}\n" for line in lines)
        (tmp_path / "text").write_text(text, encoding="utf-8")
        return fasttext.train_supervised(str(tmp_path / "text"), **{**SMALL, **settings})

    return train


@unsupervised
def test_vectors_of_seen_and_unseen_words(vectors: Any, settings: dict[str, Any]) -> None:
    model = vectors(lines_of(), settings)
    for word in model.get_words() + words_of(100):
        vector = model.get_word_vector(word)
        assert vector.dtype == np.float32
        assert vector.shape == (settings.get("dim", 100),)
        np.testing.assert_array_equal(model[word], vector)
    assert model.get_dimension() == settings.get("dim", 100)


@pytest.mark.parametrize("settings", NGRAMS, ids=str)
def test_lines_one_by_one_and_together(
    vectors: Any, classifier: Any, settings: dict[str, Any]
) -> None:
    lines = lines_of()
    for model in (classifier(lines, settings), vectors(lines, settings)):
        found = [model.get_line(line) for line in lines]
        assert all(labels == [] for _, labels in found)
        assert [words for words, _ in found] == [[*line.split(), "</s>"] for line in lines]
        assert model.get_line(lines) == ([w for w, _ in found], [labels for _, labels in found])
    with pytest.raises(ValueError, match=r"get_line processes one line at a time \(remove '\\n'\)"):
        model.get_line("two\nlines")


def test_labels_of_a_line_are_those_that_the_model_knows(classifier: Any) -> None:
    model = classifier(["a x y", "b y z"], {})
    line = "__label__a x __label__new w __label__b"
    assert model.get_line(line) == (["x", "w", "</s>"], ["__label__a", "__label__b"])
    assert model.get_label_id("__label__a") in (0, 1)
    assert model.get_label_id("x") == model.get_label_id("__label__new") == -1
    assert model.get_word_id("__label__a") >= len(model.words)


@supervised
def test_scores_are_those_of_predictions(
    classifier: Any, tmp_path: Path, settings: dict[str, Any]
) -> None:
    lines = lines_of(shortest=2)
    model = classifier(lines[:66], settings)
    held_out = [f"__label__{line}" for line in lines[33:]]
    (tmp_path / "held out").write_text("\n".join(held_out) + "\n", encoding="utf-8")
    found = [model.get_line(line) for line in held_out]
    found = [(" ".join(words[:-1]), labels) for words, labels in found if labels]
    predictions, _ = model.predict([text for text, _ in found])
    precision, recall = util.test(predictions, [labels for _, labels in found])
    assert model.test(tmp_path / "held out") == (len(predictions), precision, recall)


@supervised
@pytest.mark.parametrize("shortest", [0, 1])
def test_predictions_one_by_one_and_together(
    classifier: Any, settings: dict[str, Any], shortest: int
) -> None:
    model = classifier(lines_of(shortest=shortest), settings)
    lines = lines_of(10) + words_of(10)
    for k in (1, 2, 5, -1):
        found = [model.predict(line, k) for line in lines]
        all_labels, all_probabilities = model.predict(lines, k)
        for (labels, values), more_labels, more in zip(
            found, all_labels, all_probabilities, strict=True
        ):
            assert isinstance(labels, tuple)
            assert list(labels) == more_labels
            assert (values.dtype, more.dtype) == (np.float64, np.float32)
            # Many lines are scored side by side, by sums in another order.
            np.testing.assert_allclose(values, more, rtol=1e-6)
            assert len(labels) == (len(model.labels) if k == -1 else k)
    with pytest.raises(ValueError, match=r"k needs to be 1 or higher!"):
        model.predict("a", k=0)


@pytest.mark.parametrize("settings", NGRAMS, ids=str)
def test_counts_of_words(vectors: Any, settings: dict[str, Any]) -> None:
    lines = lines_of()
    counts: dict[str, int] = {}
    for word in " ".join(lines).split():
        counts[word] = counts.get(word, 0) + 1
    words, frequencies = vectors(lines, settings).get_words(include_freq=True)
    assert frequencies.dtype == np.int64
    assert dict(zip(words, frequencies.tolist(), strict=True)) == counts | {fasttext.EOS: 100}


def test_a_text_without_words_is_a_value_error(vectors: Any, classifier: Any) -> None:
    with pytest.raises(ValueError, match="text"):
        vectors([], {})
    with pytest.raises(ValueError, match="text"):
        classifier([], {})


def test_tokens() -> None:
    assert fasttext.tokenize("asdf asdb") == ["asdf", "asdb"]
    assert fasttext.tokenize("\n") == ["</s>"]
    assert fasttext.tokenize("asdf\n\nb") == ["asdf", "</s>", "</s>", "b"]
    assert fasttext.tokenize("") == fasttext.tokenize(" \t\0") == []
    words = words_of(100)
    assert fasttext.tokenize(" ".join(words)) == words


@pytest.mark.parametrize("settings", NGRAMS, ids=str)
def test_a_vector_is_the_mean_of_its_rows(
    vectors: Any, classifier: Any, settings: dict[str, Any]
) -> None:
    lines = lines_of()
    for model in (vectors(lines, settings), classifier(lines, settings)):
        matrix = model.get_input_matrix()
        dim = model.get_dimension()
        assert matrix.shape == (len(model.words) + model.f.getArgs().bucket, dim)
        for word in [*model.get_words(), *words_of(50)]:
            parts, rows = model.get_subwords(word)
            assert len(parts) == len(rows)
            known = model.get_word_id(word) >= 0
            ids = [model.get_subword_id(part) for part in parts[1 if known else 0 :]]
            ids = [model.get_word_id(word), *ids] if known else ids
            assert ids == rows.tolist()
            inputs = [model.get_input_vector(row) for row in rows]
            mean = np.sum(inputs, 0) / len(rows) if len(rows) else np.zeros(dim)
            np.testing.assert_allclose(model.get_word_vector(word), mean, atol=1e-5)
            np.testing.assert_array_equal(np.reshape(inputs, (-1, dim)), matrix[rows])


@supervised
def test_words_and_labels_of_classifiers(classifier: Any, settings: dict[str, Any]) -> None:
    model = classifier(lines_of(), settings)
    for names, (same_names, counts) in (
        (model.get_words(), model.get_words(include_freq=True)),
        (model.get_labels(), model.get_labels(include_freq=True)),
    ):
        assert names == same_names
        assert len(names) == len(counts)
        assert (np.diff(counts) <= 0).all()
    assert model.labels == model.get_labels()
    assert all(label.startswith("__label__") for label in model.labels)
    assert model.words[0] in model
    assert "no such word" not in model


@unsupervised
def test_labels_of_word_vectors_are_the_words(vectors: Any, settings: dict[str, Any]) -> None:
    model = vectors(lines_of(), settings)
    assert model.labels == model.words == model.get_labels() == model.get_words()
    with pytest.raises(ValueError, match="only support quantization of supervised models"):
        model.quantize()
    with pytest.raises(ValueError, match="Model needs to be supervised for prediction!"):
        model.predict("a")


@supervised
def test_quantize(classifier: Any, settings: dict[str, Any], tmp_path: Path) -> None:
    lines = lines_of(1000, 1000)
    model = classifier(lines, settings)
    labels = model.labels
    assert not model.is_quantized()
    model.quantize(qnorm=True)
    assert model.is_quantized()
    assert model.labels == labels
    model.save_model(tmp_path / "model.ftz")
    again = fasttext.load_model(tmp_path / "model.ftz")
    assert again.predict(lines[:20], k=3)[0] == model.predict(lines[:20], k=3)[0]
    with pytest.raises(ValueError, match="Can't get quantized Matrix"):
        model.get_input_matrix()
    assert model.get_input_vector(0).shape == (settings.get("dim", 100),)
    word = model.words[0]
    rows = model.get_subwords(word)[1]
    mean = np.mean([again.get_input_vector(row) for row in rows], 0)
    np.testing.assert_allclose(again.get_word_vector(word), mean, atol=1e-6)


def test_small_models_cannot_be_quantized(classifier: Any) -> None:
    with pytest.raises(ValueError, match="256"):
        classifier(["a x", "b y"], {}).quantize()
    with pytest.raises(ValueError, match="Need input file path if retraining"):
        classifier(lines_of(1000, 1000), {}).quantize(cutoff=300, retrain=True)


def test_retrain_the_rows_that_a_cutoff_leaves(classifier: Any, tmp_path: Path) -> None:
    lines = [f"{i % 7} own{i % 7} {line}" for i, line in enumerate(lines_of(700, 1000))]
    scores = []
    for options in ({}, {"retrain": True, "input": tmp_path / "text", "epoch": 20, "lr": 0.5}):
        model = classifier(lines, {"dim": 8, "epoch": 2})
        model.quantize(cutoff=260, **options)
        assert len(model.words) <= 260
        scores.append(model.test(tmp_path / "text")[1])
    assert scores[0] < 0.9 < scores[1]


@pytest.mark.parametrize("method", ["predict", "get_sentence_vector"])
def test_texts_of_several_lines_are_refused(classifier: Any, method: str) -> None:
    model = classifier(lines_of(), {})
    getattr(model, method)("one line")
    with pytest.raises(ValueError, match="predict processes one line at a time"):
        getattr(model, method)("one line\n")


@pytest.mark.parametrize("kind", ["vectors", "classifier"])
def test_save_load_and_pickle(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    lines = lines_of()
    model = request.getfixturevalue(kind)(
        lines, {"minn": 2, "maxn": 3, "dim": 7, "ws": 4, "t": 0.5}
    )
    model.save_model(str(tmp_path / "model.bin"))
    loaded = fasttext.load_model(tmp_path / "model.bin")
    for again in (loaded, pickle.loads(pickle.dumps(model)), pickle.loads(pickle.dumps(loaded))):
        assert again.words == model.words
        np.testing.assert_array_equal(again.get_input_matrix(), model.get_input_matrix())
        np.testing.assert_array_equal(again.get_output_matrix(), model.get_output_matrix())
        np.testing.assert_allclose(again["neu"], model["neu"], atol=1e-6)
        again.save_model(tmp_path / "again.bin")
        assert (tmp_path / "again.bin").read_bytes() == (tmp_path / "model.bin").read_bytes()
        arguments = again.f.getArgs()
        assert (arguments.ws, arguments.t, arguments.minn, arguments.dim) == (4, 0.5, 2, 7)
    assert pickle.loads(pickle.dumps(model)).lr == model.lr
    assert not hasattr(loaded, "lr")


def test_the_same_seed_gives_the_same_model(vectors: Any, classifier: Any) -> None:
    lines = lines_of()
    for train in (vectors, classifier):
        first, same, other = (train(lines, {"seed": seed}).get_input_matrix() for seed in (3, 3, 4))
        np.testing.assert_array_equal(first, same)
        assert not np.array_equal(first, other)


def test_labels_in_a_text_for_word_vectors_are_passed_over(vectors: Any) -> None:
    model = vectors(["__label__a x y __label__b", "x __label__a"], {})
    assert set(model.words) == {"x", "y", "</s>"}
    assert model.get_words(include_freq=True)[1].sum() == 5


def test_neighbors_and_analogies(vectors: Any) -> None:
    model = vectors(lines_of(300), {"dim": 8})
    word = model.words[3]
    found = model.get_nearest_neighbors(word, k=5)
    scores = [score for score, _ in found]
    assert scores == sorted(scores, reverse=True)
    query = model[word] / np.linalg.norm(model[word])
    for score, name in found:
        assert name != word
        assert score == pytest.approx(model[name] @ query / np.linalg.norm(model[name]), abs=1e-5)
    answers = model.get_analogies(*model.words[1:4], 6)
    assert not {name for _, name in answers} & set(model.words[1:4])
    assert len(answers) == 6


def test_neighbors_of_a_word_without_a_vector(vectors: Any) -> None:
    model = vectors(lines_of(), {"maxn": 0})
    assert not model["unseen"].any()
    assert model.get_nearest_neighbors("unseen") == []


def test_reduce_model(vectors: Any, tmp_path: Path) -> None:
    model = vectors(lines_of(300), {"dim": 20, "maxn": 3})
    before = model.get_input_matrix()
    assert util.reduce_model(model, 6) is model
    assert model.get_dimension() == 6
    assert model.get_input_matrix().shape == (len(before), 6)
    centered = before - before.mean(0)
    kept = (model.get_input_matrix() - model.get_input_matrix().mean(0)).var(0).sum()
    best = np.linalg.eigvalsh(centered.T @ centered / len(before))[-6:].sum()
    assert kept == pytest.approx(best, rel=1e-3)
    model.save_model(tmp_path / "small.bin")
    np.testing.assert_array_equal(fasttext.load_model(tmp_path / "small.bin")["x"], model["x"])
    with pytest.raises(ValueError, match="target_dim"):
        util.reduce_model(model, 6)


def test_set_matrices(classifier: Any) -> None:
    model = classifier(lines_of(), {"wordNgrams": 2, "dim": 4})
    rows, output = model.get_input_matrix(), model.get_output_matrix()
    model.set_matrices(2 * rows, output)
    np.testing.assert_array_equal(model.get_input_matrix(), 2 * rows)
    with pytest.raises(ValueError, match="rows"):
        model.set_matrices(rows[1:], output)


def test_find_nearest_neighbor() -> None:
    rows = np.array([[1.0, 0], [0, 1], [3, 3]])
    assert util.find_nearest_neighbor(np.array([1.0, 0.1]), rows, {2}) == 0
    cosines = np.empty(3)
    assert util.find_nearest_neighbor(np.array([0, 1.0]), rows, set(), cosines) == 2
    np.testing.assert_array_equal(cosines, [0, 1, 3])


def test_meter_of_perfect_and_of_useless_predictions(tmp_path: Path) -> None:
    lines = [f"__label__{'ab'[i % 2]} {'xy'[i % 2]}" for i in range(40)]
    (tmp_path / "text").write_text("\n".join(lines) + "\n")
    options = {"dim": 4, "epoch": 30, "lr": 1.0, "verbose": 0, "thread": 1}
    model = fasttext.train_supervised(tmp_path / "text", **options)
    meter = model.get_meter(tmp_path / "text")
    scores, golds = meter.score_vs_true("__label__a")
    assert len(scores) == len(golds) == 40
    assert golds.sum() == 20
    assert meter.precision_at_recall(1.0, "__label__a") == 1
    assert meter.recall_at_precision(1.0) == 1
    assert (meter.precision(), meter.recall()) == (0.5, 1)
    first = model.get_meter(tmp_path / "text", k=1)
    assert (first.f1_score(), first.precision("__label__b"), first.recall("__label__b")) == (
        1,
        1,
        1,
    )
    assert first.precision_at_recall(0.5, "__label__b") == 1
    (tmp_path / "wrong").write_text("__label__a y\n__label__a x\n")
    wrong = model.get_meter(tmp_path / "wrong", k=1)
    scores, golds = wrong.score_vs_true("__label__a")
    assert scores[0] == -1
    assert golds.tolist() == [1, 1]
    assert wrong.recall("__label__a") == 0.5
    assert math.isnan(wrong.recall("__label__b"))
    with pytest.raises(ValueError, match="label"):
        wrong.score_vs_true("a")


def test_scores_of_each_label(classifier: Any, tmp_path: Path) -> None:
    lines = ["a x x", "b y y"] * 20
    model = classifier(lines, {"epoch": 30, "lr": 1.0})
    (tmp_path / "held out").write_text("__label__a x\n__label__a y\n")
    scores = model.test_label(tmp_path / "held out")
    assert scores["__label__a"] == {"precision": 1, "recall": 0.5, "f1score": pytest.approx(2 / 3)}
    assert scores["__label__b"]["precision"] == 0
    assert math.isnan(scores["__label__b"]["recall"])


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"loss": "none"}, ValueError),
        ({"autotuneValidationFile": "valid"}, ValueError),
        ({"autotuneValidationFile": "text", "autotuneMetric": "loss"}, RuntimeError),
        ({"autotuneValidationFile": "text", "autotuneDuration": 0}, RuntimeError),
        ({"autotuneValidationFile": "text", "autotuneModelSize": "0M"}, ValueError),
        ({"autotuneValidationFile": "text", "pretrainedVectors": "vectors"}, ValueError),
        ({"autotuneValidationFile": "text", "autotuneModelSize": "1 ton"}, ValueError),
        ({"wordNgrams": 2, "bucket": 0}, ValueError),
        ({"dim": 0}, ValueError),
        ({"dim": 2.5}, TypeError),
        ({"lr": "0.1"}, TypeError),
        ({"label": 3}, TypeError),
        ({"no_such": 1}, TypeError),
        ({"min_count": 1, "minCount": 1}, TypeError),
        ({"input": "there is no such file"}, ValueError),
        ({"input": "-"}, ValueError),
    ],
)
def test_impossible_arguments(
    tmp_path: Path, arguments: dict[str, Any], kind: type[Exception]
) -> None:
    (tmp_path / "text").write_text("__label__a x\n__label__b y\n")
    with pytest.raises(kind) as caught:
        fasttext.train_supervised(**{"input": tmp_path / "text", **arguments})
    assert isinstance(caught.value, BrasaError)


def test_autotune_keeps_what_is_given(tmp_path: Path) -> None:
    text = "".join(f"__label__{i % 3} own{i % 3} word{i}\n" for i in range(400))
    (tmp_path / "text").write_text(text)
    options = {"autotuneDuration": 2, "dim": 6, "minn": 0, "maxn": 0, "verbose": 0, "thread": 1}
    model = fasttext.train_supervised(
        tmp_path / "text", autotuneValidationFile=tmp_path / "text", bucket=2000, loss="hs",
        **options,
    )  # fmt: skip
    found = model.f.getArgs()
    assert (model.dim, found.dim, found.maxn, found.bucket, found.loss.name) == (
        6,
        6,
        0,
        2000,
        "hs",
    )
    assert model.test(tmp_path / "text")[1] == 1
    small = fasttext.train_supervised(
        tmp_path / "text", autotuneValidationFile=str(tmp_path / "text"), autotuneModelSize="20k",
        **options,
    )  # fmt: skip
    assert small.is_quantized()
    small.save_model(tmp_path / "small.ftz")
    assert (tmp_path / "small.ftz").stat().st_size <= 20_000
    with pytest.raises(ValueError, match="only classifiers are tuned"):
        trained(Arguments(input="text", autotuneValidationFile="text"))


def test_autotune_says_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "text"
    text.write_text("".join(f"__label__{i % 3} own{i % 3} word{i}\n" for i in range(60)))

    def train(**options: Any) -> Any:
        return fasttext.train_supervised(
            text, autotuneValidationFile=text, autotuneDuration=1, thread=1, bucket=500, minn=2,
            **options,
        )  # fmt: skip

    model = train(autotuneMetric="f1:__label__1", dim=4, verbose=1)
    assert (model.minn, model.maxn, model.dim) == (2, 5, 4)
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("Trial 1: ")
    assert re.match(r"Best score: [01]\.\d{6} \(learning_rate=\S+, epochs=\d+, ", said[-1])
    assert "vector_dim" not in said[-1]
    for options, said_of_it in (
        ({"autotuneMetric": "f1:__label__9"}, "Unknown autotune metric or label"),
        ({"autotuneModelSize": "9"}, "increase autotuneDuration or autotuneModelSize"),
    ):
        with pytest.raises(RuntimeError, match=said_of_it) as caught:
            train(verbose=0, **options)
        assert isinstance(caught.value, BrasaError)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"pip install 'brasa\[tune\]'"):
        train()


def test_impossible_values(classifier: Any, tmp_path: Path) -> None:
    model = classifier(["a x", "b y"], {"dim": 3})
    for call in (
        lambda: model.get_input_vector(-1),
        lambda: model.get_input_vector(10**9),
        lambda: model.get_subword_id("x"),
        lambda: model.test(tmp_path / "no such file"),
        lambda: model.save_model(tmp_path / "no such folder" / "model.bin"),
        lambda: fasttext.load_model(tmp_path / "no such file"),
        lambda: fasttext.load_model(tmp_path / "text"),
        lambda: model.predict("\ud800"),
        lambda: model.predict("x", threshold=math.nan),
        lambda: util.download_model("xx"),
        lambda: fasttext.FastText._FastText().get_words(),
        lambda: fasttext.train_unsupervised(tmp_path / "text", loss="softmax"),
        lambda: fasttext.train_unsupervised(tmp_path / "text", model="glove"),
    ):
        with pytest.raises(ValueError, match=r".") as caught:
            call()
        assert isinstance(caught.value, BrasaError)
    for call in (
        lambda: model.predict(3),
        lambda: model.predict("x", k="1"),
        lambda: model.test(tmp_path / "text", threshold="0.5"),
        lambda: model.get_word_vector(None),
        lambda: fasttext.load_model(3),
        lambda: fasttext.tokenize(3),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            call()
    for gone in (fasttext.cbow, fasttext.skipgram, fasttext.supervised):
        with pytest.raises(Exception, match="train_"):
            gone("input")


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"caf\xe9 x\n" * 5)
    model = fasttext.train_unsupervised(tmp_path / "text", dim=2, minCount=1, verbose=0)
    with pytest.raises(UnicodeDecodeError):
        model.get_words()
    assert "caf\ufffd" in model.get_words(on_unicode_error="replace")
    assert "caf" in model.get_words(on_unicode_error="ignore")


def test_what_training_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text("a b c d\n" * 50)
    fasttext.train_unsupervised(tmp_path / "text", dim=2, minCount=1, thread=1)
    told = capsys.readouterr().err
    assert "Read 0M words\nNumber of words:  5\n" in told
    assert "Progress: 100.0% words/sec/thread: " in told
    fasttext.train_unsupervised(tmp_path / "text", dim=2, minCount=1, thread=1, verbose=0)
    assert capsys.readouterr().err == ""
