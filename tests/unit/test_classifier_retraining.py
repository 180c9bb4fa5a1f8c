from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import TextClassifier
from brasa.classifier_retraining import known_examples, retrain
from brasa.config import TextClassifierConfig
from brasa.corpus import Corpus
from brasa.errors import ConfigError, CorpusError
from brasa.examples import encode_examples
from brasa.quantization import keep_largest_rows, quantize_classifier

if TYPE_CHECKING:
    from brasa.examples import Examples
    from brasa.parameters import Classifier

LINES = [
    f"__label__{i % 4} w{i % 4} of{i % 97} {'x' if i % 2 else 'y'}{i % 50} end" for i in range(1200)
]
OPTIONS: dict[str, Any] = {"min_count": 1, "epochs": 3, "vector_dim": 8, "threads": 1}


def trained(**options: Any) -> Classifier:
    return TextClassifier.train(LINES, **{**OPTIONS, **options}).model


def names_of(examples: Examples, text: int) -> Counter[str | int]:
    """Words and buckets that are features of a text, however they are numbered."""
    words, buckets = examples.vocabulary.words, examples.bucket_ids
    return Counter(
        words[row] if row < len(words) else int(buckets[row - len(words)])
        for row in examples.rows_of(text)
    )


@pytest.mark.parametrize("subwords", [True, False])
def test_texts_keep_what_has_a_row(subwords: bool) -> None:
    model = trained(subwords=subwords, min_char=2, max_char=3)
    smaller = keep_largest_rows(model, 300)
    labels = model.labels.take(np.array([2, 0, 1]))
    output: Any = model.output
    smaller = dataclasses.replace(smaller, labels=labels, output=output[[2, 0, 1]])
    config = TextClassifierConfig(**OPTIONS, subwords=subwords, min_char=2, max_char=3)
    every = encode_examples(Corpus(LINES), config)
    known = known_examples(smaller, every)
    kept = [*smaller.vocabulary.words, *smaller.bucket_ids.tolist()]
    texts = []
    for text in range(len(every)):
        names = Counter({k: n for k, n in names_of(every, text).items() if k in set(kept)})
        found = [every.labels.words[label] for label in every.labels_of(text)]
        found = [label for label in found if label in labels.words]
        if names and found:
            texts.append((names, found))
    assert len(known) == len(texts) < len(every)
    assert known.n_skipped == len(every) - len(texts)
    for text, (names, found) in enumerate(texts):
        assert names_of(known, text) == names
        assert [labels.words[label] for label in known.labels_of(text)] == found


def accuracy(model: Classifier) -> float:
    return TextClassifier(model).test(LINES).accuracy


@pytest.mark.parametrize("loss", ["softmax", "hs", "ova", "ns"])
def test_what_a_cutoff_took_is_learned_again(loss: str) -> None:
    """Rows that are noise know nothing; training on makes them right, and all others stay."""
    model = trained(loss=loss, word_ngrams=1, buckets=1)
    noise = np.random.default_rng(1).normal(size=model.input.shape).astype(np.float32)
    spoiled = dataclasses.replace(model, input=noise, output=np.zeros_like(model.output))
    assert accuracy(spoiled) < 0.5
    again = retrain(spoiled, Corpus(LINES), epochs=20, learning_rate=0.5)
    assert accuracy(again) > 0.95
    assert again.vocabulary is spoiled.vocabulary
    assert again.metadata["retrained"]["hyperparameters"]["epochs"] == 20
    np.testing.assert_array_equal(spoiled.input, noise)


def test_quantize_trains_on_before_it_codes() -> None:
    classifier = TextClassifier.train(LINES, **OPTIONS)
    plain = classifier.quantize(cutoff=256)
    again = classifier.quantize(cutoff=256, retrain=LINES, epochs=10, learning_rate=0.5)
    assert again.quantized
    assert again.model.bucket_ids.tolist() == plain.model.bucket_ids.tolist()
    assert again.test(LINES).accuracy >= plain.test(LINES).accuracy - 0.02
    assert again.metadata["retrained"]["hyperparameters"]["learning_rate"] == 0.5
    with pytest.raises(ConfigError, match=r"epochs=3 .* must be given with retrain"):
        classifier.quantize(cutoff=256, epochs=3)


def test_what_cannot_be_trained_on() -> None:
    model = trained()
    fixed: list[dict[str, Any]] = [{"vector_dim": 9}, {"loss": "hs"}, {"word_ngrams": 3}]
    for change in fixed:
        with pytest.raises(ConfigError, match=r"left out: it is .*, as in the model"):
            retrain(model, Corpus(LINES), **change)
    with pytest.raises(ConfigError, match="epochs"):
        retrain(model, Corpus(LINES), epochs=0)
    with pytest.raises(ConfigError, match="not quantized yet"):
        retrain(quantize_classifier(model), Corpus(LINES))
    with pytest.raises(CorpusError, match="no line has both a label and a feature that the class"):
        retrain(model, Corpus(["__label__a b c", "__label__d e f"] * 5))
    with pytest.raises(CorpusError):
        retrain(model, Corpus(["no labels here"] * 5))
