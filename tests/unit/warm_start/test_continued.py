"""Models that are trained on: what is kept, what is added, what is refused."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import lookup, warm_start
from brasa.errors import ConfigError, CorpusError, ModelFormatError
from brasa.parameters import Embeddings, ProductQuantizer, QuantizedMatrix
from brasa.training import Event, Progress, TrainingFinished
from brasa.warm_start import StartedFrom
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from conftest import AsFloret, MakeEmbeddings, MakeFloretTable
    from unit.warm_start.conftest import Begin, Digest, Groups, Lines, Train


def test_old_words_come_first_then_new_ones_by_count(old: WordVectors, new_text: Lines) -> None:
    model = old.continue_training(new_text, min_count=2)
    n_old = len(old)
    assert model.words[:n_old] == old.words
    new = model.words[n_old:]
    assert sorted(new) == [f"green{i}" for i in range(10)]  # "rare" is too rare
    counts = model.vocabulary.counts[n_old:].tolist()
    assert sorted(zip(counts, new, strict=True), key=lambda pair: (-pair[0], pair[1])) == list(
        zip(counts, new, strict=True)
    )
    words = [word for line in new_text for word in [*line, "</s>"]]
    before = dict(zip(old.words, old.vocabulary.counts.tolist(), strict=True))
    for word, count in zip(model.words, model.vocabulary.counts.tolist(), strict=True):
        assert count == before.get(word, 0) + words.count(word)
    assert model.vocabulary.n_tokens == old.vocabulary.n_tokens + len(words)


def test_old_words_are_trained_however_rare_they_are_in_the_new_text(old: WordVectors) -> None:
    text = [["red1", "red2"]]
    model = old.continue_training(text, min_count=100)
    assert model.words == old.words
    assert not np.array_equal(model["red1"], old["red1"])


def test_max_vocab_leaves_room_for_new_words(old: WordVectors, new_text: Lines) -> None:
    model = old.continue_training(new_text, max_vocab=len(old) + 3)
    assert len(model) == len(old) + 3
    with pytest.raises(ConfigError, match=f"max_vocab must be {len(old)} or more"):
        old.continue_training(new_text, max_vocab=len(old) - 1)


def test_the_rows_it_starts_with_are_the_models_bit_for_bit(
    old: WordVectors, begin: Begin, new_text: Lines
) -> None:
    start, config = warm_start.continued(old.embeddings, {})
    parameters, vocabulary, plan, _ = begin(start, config, new_text)
    before, n_old, n_new = old.embeddings, len(old), len(vocabulary)
    np.testing.assert_array_equal(parameters.input[:n_old], before.input[:n_old])
    np.testing.assert_array_equal(parameters.output[:n_old], before.output)
    assert not parameters.output[n_old:].any()
    added = parameters.input[n_old:n_new]
    assert (np.abs(added) <= 1 / 16).all()
    assert (added != 0).all()
    ids = plan.subwords.bucket_ids
    assert np.isin(before.bucket_ids, ids).all()
    assert (np.diff(ids.astype(np.int64)) > 0).all()
    for bucket, row in zip(before.bucket_ids, before.input[n_old:], strict=True):
        np.testing.assert_array_equal(parameters.input[n_new + np.searchsorted(ids, bucket)], row)
    assert (len(ids) > len(before.bucket_ids)) == config.subwords
    model = Embeddings(vocabulary, config, parameters.input, parameters.output, ids)
    np.testing.assert_array_equal(
        lookup.compose(model, old.words), lookup.compose(before, old.words)
    )


def test_words_that_are_not_in_the_new_text_keep_their_rows(
    old: WordVectors, groups: Groups
) -> None:
    """The rows of their own; those of n-grams move with other words."""
    model = old.continue_training(groups(300, "green", seed=1))
    same = [np.array_equal(model.embeddings.input[i], old.embeddings.input[i]) for i in range(21)]
    assert [word for word, kept in zip(old.words, same, strict=True) if not kept] == ["</s>"]


def test_the_model_itself_stays_as_it_is(
    old: WordVectors, tmp_path: Path, digest: Digest, new_text: Lines
) -> None:
    before, words = digest(old), list(old.words)
    old.save(tmp_path / "model")
    file = tmp_path / "model" / "model.safetensors"
    stored = file.read_bytes()
    WordVectors.load(tmp_path / "model").continue_training(new_text)
    old.continue_training(new_text)
    assert (digest(old), old.words) == (before, words)
    assert file.read_bytes() == stored


def test_new_words_are_learned_and_old_ones_stay_what_they_were(
    old: WordVectors, train: Train, groups: Groups
) -> None:
    model = old.continue_training(groups(1000, "green", "blue", seed=1), epochs=5)
    for group in ("red", "blue", "green"):
        nearest = [word for word, _ in model.neighbors(f"{group}3", k=9)]
        assert sum(word.startswith(group) for word in nearest) >= 8, (group, nearest)
    moved = [model.similarity(f"red{i}", "red0") - old.similarity(f"red{i}", "red0")
             for i in range(10)]  # fmt: skip
    assert np.abs(moved).max() < 0.2
    # Without old rows, the same training does not know red at all.
    assert "red1" not in train(groups(1000, "green", "blue", seed=1))


def test_defaults_are_the_models(old: WordVectors, new_text: Lines) -> None:
    model = old.continue_training(new_text, epochs=2, learning_rate=0.01, mode="cbow")
    changed: dict[str, Any] = {"epochs": 2, "learning_rate": 0.01, "mode": "cbow", "threads": None}
    assert model.config == dataclasses.replace(old.config, **changed)


@pytest.mark.parametrize("mode", ["skipgram", "cbow", "batch_skipgram"])
def test_the_same_seed_gives_the_same_bytes(
    old: WordVectors, mode: str, digest: Digest, new_text: Lines
) -> None:
    runs = [old.continue_training(new_text, mode=mode, threads=1) for _ in range(2)]
    assert digest(runs[0]) == digest(runs[1])


FIXED: dict[str, tuple[Any, str]] = {
    "vector_dim": (20, "vector_dim=20 is not possible: vector_dim must be 16, as in the model"),
    "min_char": (2, "min_char must be 3, as in the model"),
    "max_char": (4, "max_char must be 6, as in the model"),
    "buckets": (999, "buckets must be 1000, as in the model"),
    "loss": ("hs", "loss must be 'ns', as in the model: output rows belong to it"),
}


@pytest.mark.parametrize("name", [*FIXED, "subwords"])
def test_what_decides_the_meaning_of_rows_cannot_change(
    old: WordVectors, name: str, new_text: Lines
) -> None:
    value, message = FIXED.get(name, (not old.config.subwords, "subwords must be"))
    if name in ("min_char", "max_char", "buckets") and not old.config.subwords:
        assert old.continue_training(new_text, **{name: value}).words[: len(old)] == old.words
        return
    with pytest.raises(ConfigError, match=message) as caught:
        old.continue_training("/absent", **{name: value})  # before the text is looked for
    assert caught.value.field == name


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"epochs": -1}, "epochs"), ({"epochs": False}, "epochs"), ({"dim": 3}, "dim")],
)
def test_impossible_hyperparameters(
    old: WordVectors, changes: Any, field: str, new_text: Lines
) -> None:
    with pytest.raises(ConfigError, match=field):
        old.continue_training(new_text, **changes)


@pytest.mark.parametrize(
    ("text", "min_count", "message"),
    [
        ([""], 1, "there is no word in the text"),
        (["\n \n"], 1, "there is no word in the text"),
        (["new words only"], 2, r"no word of the model, .* occurs 1 times, min_count is 2"),
    ],
)
def test_a_text_with_nothing_for_the_model(
    old: WordVectors, text: list[str], min_count: int, message: str, digest: Digest
) -> None:
    before = digest(old)
    with pytest.raises(CorpusError, match=message):
        old.continue_training(iter(text), min_count=min_count)
    assert digest(old) == before


def test_a_model_without_output_rows_gets_new_ones(
    old: WordVectors, tmp_path: Path, new_text: Lines
) -> None:
    old.export(tmp_path / "old.vec", "word2vec")
    loaded = WordVectors.load(tmp_path / "old.vec")
    model = loaded.continue_training(new_text, min_count=1, sampling_threshold=0.5, epochs=3)
    assert model.words[: len(old)] == old.words
    assert model.metadata["started_from"]["output_rows"] == "new"
    assert model.embeddings.output.any()
    assert model.similarity("green1", "green2") > model.similarity("green1", "red2")
    assert model.vocabulary.counts[model.vocabulary.index("red1") or 0] == 0


def test_hierarchical_softmax_starts_its_tree_anew(
    train: Train, groups: Groups, new_text: Lines
) -> None:
    before = train(groups(500, "red", "blue"), loss="hs")
    events: list[Event] = []
    model = before.continue_training(new_text, callback=events.append)
    (begun,) = (event for event in events if isinstance(event, StartedFrom))
    assert (begun.output_rows, begun.n_words, begun.n_new_words) == ("new", 21, 11)
    assert begun.warning is not None
    assert "another Huffman tree" in begun.warning
    assert model.metadata["started_from"] == dataclasses.asdict(begun)
    assert model.similarity("green1", "green2") > model.similarity("green1", "red2")


def test_without_epochs_a_model_only_grows(
    old: WordVectors, new_text: Lines, tmp_path: Path
) -> None:
    """No row of it moves; new words get rows, and counts add up."""
    events: list[Event] = []
    model = old.continue_training(new_text, epochs=0, callback=events.append)
    trained = old.continue_training(new_text, epochs=1)
    assert model.words == trained.words
    np.testing.assert_array_equal(model.vocabulary.counts, trained.vocabulary.counts)
    np.testing.assert_array_equal(model.vectors(old.words), old.vectors(old.words))
    np.testing.assert_array_equal(model.embeddings.output[: len(old)], old.embeddings.output)
    assert not any(isinstance(event, (Progress, TrainingFinished)) for event in events)
    assert model.config == dataclasses.replace(old.config, threads=None)  # its 5 epochs, too
    assert model.metadata["started_from"]["how"] == "grown"
    assert "loss_history" not in model.metadata
    model.save(tmp_path / "model")
    again = WordVectors.load(tmp_path / "model").continue_training(new_text, epochs=1)
    assert not np.array_equal(again["green1"], model["green1"])
    with pytest.raises(ConfigError, match="epochs"):
        WordVectors.train(new_text, epochs=0)


@pytest.fixture
def of_floret(make_embeddings: MakeEmbeddings, as_floret: AsFloret) -> WordVectors:
    """A model whose words find their rows in a table, the line end among its words."""
    words = ["the", "fire", "</s>", "ember", "embers"]
    return WordVectors(as_floret(make_embeddings(words, buckets=300)))


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
@pytest.mark.parametrize("kind", ["native", "floret-binary"])
def test_a_model_of_florets(of_floret: WordVectors, kind: str, mode: str, tmp_path: Path) -> None:
    old, lines = of_floret, [["fire", "ember", "brasa"], ["the", "fire"]] * 50
    old.export(tmp_path / "old", kind)
    loaded = WordVectors.load(tmp_path / "old")
    grown = loaded.continue_training(lines, epochs=0, min_count=1)
    asked = [*old.words, "brasa", "unseen", "emberes"]
    np.testing.assert_array_equal(grown.vectors(asked), old.vectors(asked))
    assert not np.array_equal(old["brasa"], old["unseen"])
    model = loaded.continue_training(
        lines, min_count=1, mode=mode, sampling_threshold=0.9, learning_rate=0.01
    )
    assert model.words == [*old.words, "brasa"]
    moved = np.abs(model.vectors(asked) - old.vectors(asked)).max(axis=1) > 0
    assert moved[[1, 3, 5]].all()
    assert model.embeddings.floret == old.embeddings.floret
    model.export(tmp_path / "new", kind)
    again = WordVectors.load(tmp_path / "new")
    assert again.words == model.words
    np.testing.assert_array_equal(again.vectors(asked), model.vectors(asked))
    with pytest.raises(ConfigError, match="buckets must be 300, as in the model"):
        loaded.continue_training(lines, buckets=301)


def test_rows_of_florets_words_are_those_of_their_vectors(
    of_floret: WordVectors, begin: Begin
) -> None:
    start, config = warm_start.continued(of_floret.embeddings, {"min_count": 1})
    parameters, vocabulary, plan, _ = begin(start, config, [["fire", "brasa"], ["the", "fire"]])
    table = plan.subwords
    rows = [table.rows[a:b] for a, b in itertools.pairwise(table.offsets)]
    assert rows[0][0] == 0
    line_end = vocabulary.words.index("</s>")
    assert rows[line_end].tolist() == [line_end]  # no part of its vector, as floret has it
    means = np.array([parameters.input[r].mean(axis=0, dtype=np.float64) for r in rows])
    means[line_end] = 0
    np.testing.assert_allclose(means, of_floret.vectors(vocabulary.words), atol=1e-6)


def test_models_that_cannot_be_trained(
    make_embeddings: MakeEmbeddings, make_floret_table: MakeFloretTable, tmp_path: Path
) -> None:
    model, lines = make_embeddings(), [["fire", "ember"]] * 9
    make_floret_table(tmp_path)
    table = WordVectors.load(tmp_path / "table")
    with pytest.raises(ConfigError, match=r"nor output rows.* pretrained= starts the words"):
        table.continue_training(lines)
    codes = np.zeros((len(model.input), 10), np.uint8)
    quantizer = ProductQuantizer(20, 2, np.zeros(256 * 20, np.float32))
    rows: Any = QuantizedMatrix(codes, quantizer)
    quantized = WordVectors(dataclasses.replace(model, input=rows))
    with pytest.raises(ConfigError, match="a quantized model"):
        quantized.continue_training(lines)
    with pytest.raises(ConfigError, match="a quantized model"):
        WordVectors.train(lines, pretrained=quantized)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_numbers_that_cannot_be_trained(
    make_embeddings: MakeEmbeddings, value: float, new_text: Lines
) -> None:
    model = make_embeddings()
    model.input[3, 2] = value
    with pytest.raises(ModelFormatError, match="its numbers go up to"):
        WordVectors(model).continue_training(new_text)
    with pytest.raises(ModelFormatError, match="its numbers go up to"):
        WordVectors.train([["fire", "the", "ember", "embers", "brasa"]] * 9, pretrained=(
            WordVectors(model)), vector_dim=20, min_count=1)  # fmt: skip


def test_broken_models(make_embeddings: MakeEmbeddings) -> None:
    model, lines = make_embeddings(), [["fire", "ember"]] * 9
    words = model.vocabulary
    falling = words.offsets.copy()
    falling[3] = falling[2] - 1
    broken = [
        dataclasses.replace(model, bucket_ids=model.bucket_ids[::-1].copy()),
        dataclasses.replace(model, bucket_ids=model.bucket_ids + np.uint32(5000)),
        dataclasses.replace(model, vocabulary=dataclasses.replace(words, offsets=falling)),
        dataclasses.replace(model, vocabulary=dataclasses.replace(words, counts=-words.counts)),
        dataclasses.replace(
            model, vocabulary=dataclasses.replace(words, counts=np.full(11, 2**63 - 2))
        ),
        dataclasses.replace(model, vocabulary=dataclasses.replace(words, n_tokens=2**63 - 1)),
    ]
    for case in broken:
        with pytest.raises(ModelFormatError):
            WordVectors(case).continue_training(lines)


def test_counts_that_lie(make_embeddings: MakeEmbeddings) -> None:
    for loss in ("ns", "hs"):
        model = make_embeddings(loss=loss)
        huge = dataclasses.replace(model.vocabulary, counts=np.full(11, 2**62), n_tokens=1)
        for exponent in (-2, 0.5, 2):
            trained = WordVectors(dataclasses.replace(model, vocabulary=huge)).continue_training(
                [["fire", "ember", "spark"]] * 9, negative_exponent=exponent, learning_rate=0.01
            )
            assert trained.words == [*model.vocabulary.words, "spark"]


def test_a_chain_of_runs_is_a_list(old: WordVectors, tmp_path: Path, new_text: Lines) -> None:
    second = old.continue_training(new_text, epochs=2)
    second.save(tmp_path / "second")
    third = WordVectors.load(tmp_path / "second").continue_training(new_text, epochs=1)
    runs = third.metadata["previous_runs"]
    assert [run["config"]["epochs"] for run in runs] == [5, 2]
    assert [run["loss_history"] for run in runs] == [
        old.metadata["loss_history"], second.metadata["loss_history"],
    ]  # fmt: skip
    assert "started_from" not in runs[0]
    assert runs[1]["started_from"] == {
        "how": "continued", "model": None, "n_words": 21, "n_new_words": 11,
        "output_rows": "kept", "warning": None,
    }  # fmt: skip
    assert third.metadata["started_from"]["model"] == str(tmp_path / "second")
    assert json.loads(json.dumps(third.metadata)) == third.metadata
    many = {**third.metadata, "previous_runs": [{"number": i} for i in range(80)]}
    longer = WordVectors(dataclasses.replace(third.embeddings, metadata=many))
    runs = longer.continue_training(new_text, epochs=1).metadata["previous_runs"]
    assert [run["number"] for run in runs[:-1]] == list(range(31, 80))  # 50 with the last one
