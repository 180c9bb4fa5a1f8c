"""Training that starts from a model: what is kept, what is added, what is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import formats, lookup, warm_start
from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.errors import BrasaError, ConfigError, CorpusError, ModelFormatError
from brasa.parameters import Embeddings, Parameters, ProductQuantizer, QuantizedMatrix
from brasa.plan import TrainingPlan, make_plan
from brasa.training import Event, Progress, TrainingFinished
from brasa.vocabulary import Vocabulary
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from conftest import AsFloret, MakeEmbeddings

SMALL: dict[str, Any] = {
    "vector_dim": 16, "min_count": 1, "threads": 1, "sampling_threshold": 0.5, "buckets": 1000,
}  # fmt: skip


def groups(n_lines: int, *first: str, seed: int = 0) -> list[list[str]]:
    """Lines of six words of one group each: its first word's name and a number from 0 to 9."""
    random = np.random.default_rng(seed)
    return [
        [f"{first[line % len(first)]}{i}" for i in random.integers(0, 10, 6)]
        for line in range(n_lines)
    ]


def train(lines: list[list[str]], **hyperparameters: Any) -> WordVectors:
    return WordVectors.train(lines, **{**SMALL, **hyperparameters})


def digest(vectors: WordVectors) -> tuple[bytes, bytes]:
    return vectors.embeddings.input.tobytes(), vectors.embeddings.output.tobytes()


def started(
    start: warm_start.WarmStart, config: WordVectorsConfig, lines: list[list[str]]
) -> tuple[Parameters, Vocabulary, TrainingPlan]:
    """What training begins with."""
    vocabulary, encoded = encode(Corpus(lines), config, first_words=start.first_words)
    vocabulary = start.vocabulary(vocabulary)
    plan = make_plan(vocabulary, encoded, config, bucket_ids=start.bucket_ids)
    parameters = Parameters.initial(plan.n_input_rows, plan.n_words, config, 1)
    start.fill(parameters, vocabulary, plan)
    return parameters, vocabulary, plan


@pytest.fixture(scope="module", params=[False, True], ids=["words", "subwords"])
def old(request: pytest.FixtureRequest) -> WordVectors:
    return train(groups(1000, "red", "blue"), subwords=request.param, epochs=5)


NEW_TEXT = [*groups(600, "green", "blue", seed=1), ["rare", "blue1"]]


def test_old_words_come_first_then_new_ones_by_count(old: WordVectors) -> None:
    model = old.continue_training(NEW_TEXT, min_count=2)
    n_old = len(old)
    assert model.words[:n_old] == old.words
    new = model.words[n_old:]
    assert sorted(new) == [f"green{i}" for i in range(10)]  # "rare" is too rare
    counts = model.vocabulary.counts[n_old:].tolist()
    assert sorted(zip(counts, new, strict=True), key=lambda pair: (-pair[0], pair[1])) == list(
        zip(counts, new, strict=True)
    )
    words = [word for line in NEW_TEXT for word in [*line, "</s>"]]
    before = dict(zip(old.words, old.vocabulary.counts.tolist(), strict=True))
    for word, count in zip(model.words, model.vocabulary.counts.tolist(), strict=True):
        assert count == before.get(word, 0) + words.count(word)
    assert model.vocabulary.n_tokens == old.vocabulary.n_tokens + len(words)


def test_old_words_are_trained_however_rare_they_are_in_the_new_text(old: WordVectors) -> None:
    text = [["red1", "red2"]]
    model = old.continue_training(text, min_count=100)
    assert model.words == old.words
    assert not np.array_equal(model["red1"], old["red1"])


def test_max_vocab_leaves_room_for_new_words(old: WordVectors) -> None:
    model = old.continue_training(NEW_TEXT, max_vocab=len(old) + 3)
    assert len(model) == len(old) + 3
    with pytest.raises(ConfigError, match=f"max_vocab must be {len(old)} or more"):
        old.continue_training(NEW_TEXT, max_vocab=len(old) - 1)


def test_the_rows_it_starts_with_are_the_models_bit_for_bit(old: WordVectors) -> None:
    start, config = warm_start.continued(old.embeddings, {})
    parameters, vocabulary, plan = started(start, config, NEW_TEXT)
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


def test_words_that_are_not_in_the_new_text_keep_their_rows(old: WordVectors) -> None:
    """The rows of their own; those of n-grams move with other words."""
    model = old.continue_training(groups(300, "green", seed=1))
    same = [np.array_equal(model.embeddings.input[i], old.embeddings.input[i]) for i in range(21)]
    assert [word for word, kept in zip(old.words, same, strict=True) if not kept] == ["</s>"]


def test_the_model_itself_stays_as_it_is(old: WordVectors, tmp_path: Path) -> None:
    before, words = digest(old), list(old.words)
    old.save(tmp_path / "model")
    file = tmp_path / "model" / "model.safetensors"
    stored = file.read_bytes()
    WordVectors.load(tmp_path / "model").continue_training(NEW_TEXT)
    old.continue_training(NEW_TEXT)
    assert (digest(old), old.words) == (before, words)
    assert file.read_bytes() == stored


def test_new_words_are_learned_and_old_ones_stay_what_they_were(old: WordVectors) -> None:
    model = old.continue_training(groups(1000, "green", "blue", seed=1), epochs=5)
    for group in ("red", "blue", "green"):
        nearest = [word for word, _ in model.neighbors(f"{group}3", k=9)]
        assert sum(word.startswith(group) for word in nearest) >= 8, (group, nearest)
    moved = [model.similarity(f"red{i}", "red0") - old.similarity(f"red{i}", "red0")
             for i in range(10)]  # fmt: skip
    assert np.abs(moved).max() < 0.2
    # Without old rows, the same training does not know red at all.
    assert "red1" not in train(groups(1000, "green", "blue", seed=1))


def test_defaults_are_the_models(old: WordVectors) -> None:
    model = old.continue_training(NEW_TEXT, epochs=2, learning_rate=0.01, mode="cbow")
    changed: dict[str, Any] = {"epochs": 2, "learning_rate": 0.01, "mode": "cbow", "threads": None}
    assert model.config == dataclasses.replace(old.config, **changed)


@pytest.mark.parametrize("mode", ["skipgram", "cbow", "batch_skipgram"])
def test_the_same_seed_gives_the_same_bytes(old: WordVectors, mode: str) -> None:
    runs = [old.continue_training(NEW_TEXT, mode=mode, threads=1) for _ in range(2)]
    assert digest(runs[0]) == digest(runs[1])


FIXED: dict[str, tuple[Any, str]] = {
    "vector_dim": (20, "vector_dim=20 is not possible: vector_dim must be 16, as in the model"),
    "min_char": (2, "min_char must be 3, as in the model"),
    "max_char": (4, "max_char must be 6, as in the model"),
    "buckets": (999, "buckets must be 1000, as in the model"),
    "loss": ("hs", "loss must be 'ns', as in the model: output rows belong to it"),
}


@pytest.mark.parametrize("name", [*FIXED, "subwords"])
def test_what_decides_the_meaning_of_rows_cannot_change(old: WordVectors, name: str) -> None:
    value, message = FIXED.get(name, (not old.config.subwords, "subwords must be"))
    if name in ("min_char", "max_char", "buckets") and not old.config.subwords:
        assert old.continue_training(NEW_TEXT, **{name: value}).words[: len(old)] == old.words
        return
    with pytest.raises(ConfigError, match=message) as caught:
        old.continue_training("/absent", **{name: value})  # before the text is looked for
    assert caught.value.field == name


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"epochs": 0}, "epochs"), ({"learning_rate": 0}, "learning_rate"), ({"dim": 3}, "dim")],
)
def test_impossible_hyperparameters(old: WordVectors, changes: Any, field: str) -> None:
    with pytest.raises(ConfigError, match=field):
        old.continue_training(NEW_TEXT, **changes)


@pytest.mark.parametrize(
    ("text", "min_count", "message"),
    [
        ([""], 1, "there is no word in the text"),
        (["\n \n"], 1, "there is no word in the text"),
        (["new words only"], 2, r"no word of the model, .* occurs 1 times, min_count is 2"),
    ],
)
def test_a_text_with_nothing_for_the_model(
    old: WordVectors, text: list[str], min_count: int, message: str
) -> None:
    before = digest(old)
    with pytest.raises(CorpusError, match=message):
        old.continue_training(iter(text), min_count=min_count)
    assert digest(old) == before


def test_a_model_without_output_rows_gets_new_ones(old: WordVectors, tmp_path: Path) -> None:
    old.export(tmp_path / "old.vec", "word2vec")
    loaded = WordVectors.load(tmp_path / "old.vec")
    model = loaded.continue_training(NEW_TEXT, min_count=1, sampling_threshold=0.5, epochs=3)
    assert model.words[: len(old)] == old.words
    assert model.metadata["started_from"]["output_rows"] == "new"
    assert model.embeddings.output.any()
    assert model.similarity("green1", "green2") > model.similarity("green1", "red2")
    assert model.vocabulary.counts[model.vocabulary.index("red1") or 0] == 0


def test_hierarchical_softmax_starts_its_tree_anew() -> None:
    before = train(groups(500, "red", "blue"), loss="hs")
    model = before.continue_training(NEW_TEXT)
    assert model.metadata["started_from"]["output_rows"] == "new"
    assert model.similarity("green1", "green2") > model.similarity("green1", "red2")


def test_models_that_cannot_be_trained(
    make_embeddings: MakeEmbeddings, as_floret: AsFloret
) -> None:
    model = make_embeddings()
    floret = WordVectors(as_floret(model))
    with pytest.raises(ConfigError, match="a model of floret's"):
        floret.continue_training(NEW_TEXT)
    codes = np.zeros((len(model.input), 10), np.uint8)
    quantizer = ProductQuantizer(20, 2, np.zeros(256 * 20, np.float32))
    rows: Any = QuantizedMatrix(codes, quantizer)
    quantized = WordVectors(dataclasses.replace(model, input=rows))
    with pytest.raises(ConfigError, match="a quantized model"):
        quantized.continue_training(NEW_TEXT)
    with pytest.raises(ConfigError, match="a quantized model"):
        WordVectors.train(NEW_TEXT, pretrained=quantized, vector_dim=20)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_numbers_that_cannot_be_trained(make_embeddings: MakeEmbeddings, value: float) -> None:
    model = make_embeddings()
    model.input[3, 2] = value
    with pytest.raises(ModelFormatError, match="its numbers go up to"):
        WordVectors(model).continue_training(NEW_TEXT)
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


def test_a_chain_of_runs_is_a_list(old: WordVectors, tmp_path: Path) -> None:
    second = old.continue_training(NEW_TEXT, epochs=2)
    second.save(tmp_path / "second")
    third = WordVectors.load(tmp_path / "second").continue_training(NEW_TEXT, epochs=1)
    runs = third.metadata["previous_runs"]
    assert [run["config"]["epochs"] for run in runs] == [5, 2]
    assert [run["loss_history"] for run in runs] == [
        old.metadata["loss_history"], second.metadata["loss_history"],
    ]  # fmt: skip
    assert "started_from" not in runs[0]
    assert runs[1]["started_from"] == {
        "how": "continued", "model": None, "n_words": 21, "output_rows": "kept",
    }  # fmt: skip
    assert third.metadata["started_from"]["model"] == str(tmp_path / "second")
    assert json.loads(json.dumps(third.metadata)) == third.metadata


# Pretrained vectors.


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("kind", ["native", "fasttext", "word2vec", "word2vec-binary", "glove"])
def test_words_start_from_vectors_of_any_format(
    old: WordVectors, tmp_path: Path, kind: str, keep: bool
) -> None:
    formats.export(old.embeddings, tmp_path / "old", kind)
    source = formats.load(tmp_path / "old")
    config = WordVectorsConfig(**SMALL)
    start = warm_start.pretrained(source, config, keep_words=keep)
    parameters, vocabulary, _ = started(start, config, NEW_TEXT)
    words = vocabulary.words
    assert (words[: len(old)] == old.words) == keep
    known = [i for i, word in enumerate(words) if word in old]
    assert {words[i] for i in known} >= {f"blue{i}" for i in range(10)}
    expected = lookup.compose(source, [words[i] for i in known])
    np.testing.assert_array_equal(parameters.input[known], expected)
    np.testing.assert_allclose(expected, old.vectors([words[i] for i in known]), atol=1e-4)
    unknown = np.setdiff1d(np.arange(len(words)), known)
    assert (np.abs(parameters.input[unknown]) <= 1 / 16).all()
    assert not parameters.output.any()


def test_words_that_the_text_does_not_have_are_kept_if_asked(old: WordVectors) -> None:
    without = train(NEW_TEXT, pretrained=old)
    assert without.words == train(NEW_TEXT).words
    model = train(NEW_TEXT, pretrained=old, keep_pretrained_words=True, min_count=2)
    assert model.words[: len(old)] == old.words
    assert set(model.words) - set(old.words) == {f"green{i}" for i in range(10)}
    red = model.vocabulary.index("red1")
    assert red is not None
    assert model.vocabulary.counts[red] == 0
    if not old.config.subwords:
        np.testing.assert_array_equal(model["red1"], old["red1"])


@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
@pytest.mark.parametrize("exponent", [-1, 0, 0.5])
def test_words_of_count_0_harm_nothing(
    old: WordVectors, mode: str, loss: str, exponent: float
) -> None:
    model = train(
        NEW_TEXT, pretrained=old, keep_pretrained_words=True, mode=mode, loss=loss,
        negative_exponent=exponent,
    )  # fmt: skip
    rows = model.embeddings
    assert np.isfinite(rows.input).all()
    if loss == "ns":
        never = np.flatnonzero(rows.vocabulary.counts == 0)
        assert len(never) == 10
        assert not rows.output[never].any()  # neither context nor negative


def test_rows_of_n_grams_come_too_where_they_mean_the_same(old: WordVectors) -> None:
    for changes in ({}, {"min_char": 2}, {"buckets": 900}):
        config = WordVectorsConfig(**{**SMALL, "subwords": True, **changes})
        start = warm_start.pretrained(old.embeddings, config)
        parameters, vocabulary, plan = started(start, config, NEW_TEXT)
        model = Embeddings(
            vocabulary, config, parameters.input, parameters.output, plan.subwords.bucket_ids
        )
        same = np.array_equal(
            lookup.compose(model, ["blue1", "blue2"]), old.vectors(["blue1", "blue2"])
        )
        assert same == (old.config.subwords and not changes)
        if not same:
            row = vocabulary.index("blue1")
            np.testing.assert_array_equal(parameters.input[row], old["blue1"])


def test_a_table_of_florets_gives_its_vectors(
    make_embeddings: MakeEmbeddings, as_floret: AsFloret
) -> None:
    floret = as_floret(make_embeddings())
    config = WordVectorsConfig(**{**SMALL, "vector_dim": 20})
    start = warm_start.pretrained(floret, config)
    parameters, vocabulary, _ = started(start, config, [["fire", "ember", "new"]] * 3)
    row = vocabulary.index("ember")
    np.testing.assert_array_equal(parameters.input[row], lookup.compose(floret, ["ember"])[0])


def test_pretrained_vectors_help_a_short_text(old: WordVectors) -> None:
    text = groups(20, "red", "blue", seed=5)

    def margin(model: WordVectors) -> float:
        pairs = [(f"red{i}", f"red{i + 1}", f"blue{i}") for i in range(9)]
        return float(np.mean([model.similarity(a, b) - model.similarity(a, c)
                              for a, b, c in pairs]))  # fmt: skip

    assert margin(train(text, pretrained=old)) > margin(train(text)) + 0.3


def test_what_pretrained_vectors_must_fit(old: WordVectors, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="vector_dim=100 is not possible: vector_dim must be 16, the length"
    ):
        WordVectors.train("/absent", pretrained=old)
    with pytest.raises(ConfigError, match="keep_pretrained_words"):
        train(NEW_TEXT, keep_pretrained_words=True)
    with pytest.raises(ConfigError, match="max_vocab must be 21 or more"):
        train(NEW_TEXT, pretrained=old, keep_pretrained_words=True, max_vocab=20)
    (tmp_path / "text").write_text("neither a model\nnor vectors\n")
    for path in (tmp_path / "text", tmp_path / "absent"):
        with pytest.raises(BrasaError, match=path.name):
            train(NEW_TEXT, pretrained=path)
    old.save(tmp_path / "model")
    file = tmp_path / "model" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelFormatError, match=r"model\.safetensors"):
        train(NEW_TEXT, pretrained=tmp_path / "model")
    with pytest.raises(ModelFormatError, match=r"model\.safetensors"):
        WordVectors.load(tmp_path / "model").continue_training(NEW_TEXT)


# Resuming.


def interrupt_at_a_third(event: Event) -> None:
    if isinstance(event, Progress) and 3 * event.words >= event.total_words:
        raise KeyboardInterrupt


@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_a_resumed_training_gives_the_bytes_of_one_that_was_not_interrupted(
    mode: str, loss: str, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"epochs": 60, "subwords": True, "mode": mode, "loss": loss}
    text = groups(500, "red", "blue")
    whole = train(text, **settings)
    part = train(text, **settings, callback=interrupt_at_a_third, keep_partial=True)
    assert part.metadata["interrupted"]
    assert part.metadata["blocks_done"] < part.metadata["total_blocks"]
    assert digest(part) != digest(whole)
    part.save(tmp_path / "part")
    events: list[Event] = []
    model = WordVectors.load(tmp_path / "part").continue_training(
        text, resume=True, threads=1, callback=events.append
    )
    assert digest(model) == digest(whole)
    assert model.metadata["interrupted"] is False
    assert model.metadata["started_from"]["how"] == "resumed"
    done = part.metadata["blocks_done"] / part.metadata["total_blocks"]
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[0].words > done * progress[0].total_words
    assert progress[0].learning_rate < 0.05 * (1 - done)
    assert progress[-1].seconds_left == 0
    assert model.metadata["loss_history"][0][0] > done
    finished = events[-1]
    assert isinstance(finished, TrainingFinished)
    share = (1 - done) * finished.words
    assert finished.words_per_second == pytest.approx(share / finished.seconds)


def test_what_cannot_be_resumed(old: WordVectors) -> None:
    text = groups(500, "red", "blue")
    with pytest.raises(ConfigError, match="not of a training that was interrupted and kept"):
        old.continue_training(text, resume=True)
    part = train(text, epochs=60, callback=interrupt_at_a_third, keep_partial=True)
    for changes in ({"epochs": 61}, {"learning_rate": 0.1}, {"seed": 3}, {"mode": "cbow"}):
        with pytest.raises(ConfigError, match="as before the interruption"):
            part.continue_training(text, resume=True, **changes)
    for other in (text[:-1], [*text[:-1], text[-1][:-1]], [*text[:-1], ["new"] * 6]):
        with pytest.raises(ConfigError, match="Give the same text, or continue without resume"):
            part.continue_training(other, resume=True)
    for lie in ({"total_blocks": 3}, {"blocks_done": -1}, {"blocks_done": 10**9},
                {"blocks_done": True}, {"interrupted": "yes"}, {"blocks_done": None}):  # fmt: skip
        metadata = {**part.metadata, **lie}
        lying = WordVectors(dataclasses.replace(part.embeddings, metadata=metadata))
        with pytest.raises(ConfigError, match="resume"):
            lying.continue_training(text, resume=True)
