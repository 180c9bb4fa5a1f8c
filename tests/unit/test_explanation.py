from __future__ import annotations

import dataclasses
import random
from typing import Any

import numpy as np
import pytest

from brasa import TextClassifier
from brasa.errors import ConfigError
from brasa.explanation import contributions, direction
from brasa.parameters import QuantizedMatrix
from brasa.quantization import quantize_classifier
from brasa.subwords import Subwords

WORDS = [f"w{i}" for i in range(60)]
TEXTS = [
    "w1 w2 w3",
    "w1 w1 w1 unseen",
    "",
    "w5\tw6 __label__a \x0bw7 ação w5 w6",
    "w3 </s> w4",
    "x y",
]
LOSSES = ["softmax", "hs", "ns", "ova"]


def train(loss: str, **changes: Any) -> TextClassifier:
    draw = random.Random(1)
    labels = [draw.choice("aaaabbbccdde") for _ in range(400)]
    texts = [" ".join([*draw.choices(WORDS, k=5), "ação", f"is{label}"]) for label in labels]
    options: dict[str, Any] = {
        "vector_dim": 7, "epochs": 12, "learning_rate": 0.5, "threads": 1, "loss": loss,
        "buckets": 3000, "subwords": True, "min_char": 2, "max_char": 3, "word_ngrams": 3,
    }  # fmt: skip
    return TextClassifier.train(texts, labels, **{**options, **changes})


def plain(matrix: Any) -> Any:
    rows = matrix.decode() if isinstance(matrix, QuantizedMatrix) else matrix
    return rows.astype(np.float64)


def check(classifier: TextClassifier) -> None:
    """Contributions sum to the score, and scores are what the native core's probabilities say."""
    model = classifier.model
    output = plain(model.output)
    for text in TEXTS:
        hidden = classifier.sentence_vector(text).astype(np.float64)
        scores = np.empty(len(classifier.labels))
        for row, label in enumerate(classifier.labels):
            found = classifier.explain(text, label, k=3)
            listed = sum(part.value for part in found.contributions)
            assert listed + found.others == pytest.approx(found.score, abs=1e-12)
            every = classifier.explain(text, label, k=10_000)
            assert sum(p.value for p in every.contributions) == pytest.approx(every.score)
            assert every.others == 0
            assert found.score == pytest.approx(hidden @ direction(model, row), abs=1e-5)
            sizes = [abs(part.value) for part in every.contributions]
            assert sizes == sorted(sizes, reverse=True)
            scores[row] = found.score
        expected = classifier.probabilities([text])[0]
        if model.loss == "softmax":
            logits = output @ hidden
            np.testing.assert_allclose(scores, logits - logits.mean(), atol=1e-5)
            found_probabilities = np.exp(scores) / np.exp(scores).sum()
            np.testing.assert_allclose(found_probabilities, expected, atol=1e-5)
        elif model.loss in ("ns", "ova"):
            np.testing.assert_allclose(scores, output @ hidden, atol=1e-5)
            # fastText's sigmoid is a table of steps of 1/32.
            np.testing.assert_allclose(1 / (1 + np.exp(-scores)), expected, atol=1 / 128)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "changes",
    [{}, {"subwords": False}, {"word_ngrams": 1}, {"subwords": False, "word_ngrams": 1},
     {"buckets": 7}],
)  # fmt: skip
def test_contributions_sum_to_the_score(loss: str, changes: dict[str, Any]) -> None:
    check(train(loss, **changes))


@pytest.mark.parametrize("loss", LOSSES)
def test_of_quantized_and_pruned_classifiers(loss: str) -> None:
    model = train(loss).model
    check(TextClassifier(quantize_classifier(model, qnorm=True)))
    check(TextClassifier(quantize_classifier(model, cutoff=300)))


def test_the_path_of_a_tree() -> None:
    """The scores along it, each through a sigmoid, multiply to the label's probability."""
    from brasa import _native

    classifier = train("hs", word_ngrams=1)
    model = classifier.model
    offsets, nodes, turns = _native.build_huffman_code(model.labels.counts)
    hidden = classifier.sentence_vector("w1 w2")
    expected = classifier.probabilities(["w1 w2"])[0]
    for row in range(5):
        path = slice(offsets[row], offsets[row + 1])
        signed = np.where(turns[path], 1, -1) * (plain(model.output)[nodes[path]] @ hidden)
        assert np.prod(1 / (1 + np.exp(-signed))) == pytest.approx(expected[row], abs=0.02)
        found = classifier.explain("w1 w2", classifier.labels[row])
        assert signed.sum() == pytest.approx(found.score, abs=1e-5)


def test_what_is_listed() -> None:
    classifier = train("softmax")
    found = classifier.explain("w1 isb w1", k=1000)
    assert found.label == "__label__b" == classifier.predict("w1 isb w1")[0][0]
    assert found.probability == pytest.approx(classifier.predict("w1 isb w1")[0][1])
    parts = {(part.kind, part.text): part for part in found.contributions}
    assert parts["word", "w1"].count == 2
    assert parts["word", "isb"].count == 1
    assert ("word", "</s>") in parts
    assert parts["word", "isb"].value > 0
    assert "sb" in found.contributions[0].text
    names = set(Subwords(2, 3, 3000).ngrams("isb"))
    assert names & {text for kind, text in parts if kind == "character_ngram"}
    assert all(text.count(" ") in (1, 2) for kind, text in parts if kind == "word_ngram")
    assert found.score > max(0, classifier.explain("w1 isb w1", "c").score)
    assert classifier.explain("w1", "b").label == "__label__b"
    assert len(classifier.explain("w1 w2", k=2).contributions) == 2


def test_a_text_of_which_nothing_is_known() -> None:
    model = train("softmax", word_ngrams=1, subwords=False).model
    end = model.vocabulary.index("</s>")
    assert end is not None
    kept = np.delete(np.arange(len(model.vocabulary)), end)
    smaller = dataclasses.replace(
        model, vocabulary=model.vocabulary.take(kept), input=plain(model.input)[kept].astype("f4")
    )
    classifier = TextClassifier(smaller)
    assert contributions(smaller, "x y", 0) == []
    assert classifier.explain("x y", "a").contributions == []
    assert classifier.explain("x y", "a").score == 0
    with pytest.raises(ConfigError, match="knows nothing of this text"):
        classifier.explain("x y")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [(("w1", "f"), "label"), (("w1", 7), "label"), (("w1", None, 0), "k"), (("a\nb",), "texts"),
     ((7,), "text"), ((["w1"],), "text"), (("\ud800",), "texts")],
)  # fmt: skip
def test_what_is_refused(arguments: tuple[Any, ...], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        train("softmax", epochs=1).explain(*arguments)
    assert caught.value.field == field
