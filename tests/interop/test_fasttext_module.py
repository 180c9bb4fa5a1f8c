"""The same calls in fastText 0.9.2 and in the module that stands in for it, on the same files."""

from __future__ import annotations

import inspect
import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from brasa import fasttext
from brasa.fasttext import FastText

if TYPE_CHECKING:
    from pathlib import Path

    from interop.conftest import LabeledLines, RunPeer

# Runs in both: what each call gives, types included, or what it raises.
ANSWERS = """
import numpy as np

def described(value):
    if isinstance(value, np.ndarray):
        return ["array", str(value.dtype), value.astype(float).tolist()]
    if isinstance(value, dict):
        return ["dict", {k: described(v) for k, v in value.items()}]
    if isinstance(value, (tuple, list)):
        return [type(value).__name__, [described(v) for v in value]]
    value = value.item() if isinstance(value, np.generic) else value
    return [type(value).__name__, value]

def answers(fasttext, model, data, calls):
    found = []
    for call in calls:
        try:
            scope = {"fasttext": fasttext, "model": model, "data": data, "np": np}
            found.append(described(eval(call, scope)))
        except Exception as error:
            bases = [c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins"]
            found.append(["raised", bases])
    return found
"""
TRAIN = """
import sys, json, fasttext
kind, text, file, options = sys.argv[2:6]
train = getattr(fasttext, "train_" + kind)
model = train(text, thread=1, epoch=3, dim=9, minCount=1, verbose=0, **json.loads(options))
if file.endswith(".ftz"):
    model.quantize(cutoff=300, qnorm=True)
model.save_model(file)
import numpy as np; np.savez(sys.argv[1], json="")
"""
ASK = (
    ANSWERS
    + """
import sys, json, types, fasttext, fasttext.util
def array(values, copy=True):  # NumPy 2 takes copy=False for a promise that fastText cannot keep
    return np.array(values) if copy else np.asarray(values)
fasttext.FastText.np = types.SimpleNamespace(array=array, float32=np.float32)
file, data, calls = sys.argv[2:5]
found = answers(fasttext, fasttext.load_model(file), data, json.loads(calls))
np.savez(sys.argv[1], json=json.dumps(found))
"""
)
NAMES = """
import inspect, json, sys, numpy as np, fasttext, fasttext.util
from fasttext import FastText
def names(thing):
    return sorted(n for n in dir(thing) if not n.startswith("__"))
def parameters(cls):
    functions = inspect.getmembers(cls, inspect.isfunction)
    return {n: list(inspect.signature(f).parameters) for n, f in functions}
modules = {"": fasttext, "FastText": FastText, "util": fasttext.util}
found = {
    "modules": {name: names(module) for name, module in modules.items()},
    "_FastText": parameters(FastText._FastText), "_Meter": parameters(FastText._Meter),
    "util": parameters(fasttext.util), "defaults": FastText.unsupervised_default,
    "losses": list(FastText.loss_name.__members__), "models": list(FastText.model_name.__members__),
}
np.savez(sys.argv[1], json=json.dumps(found))
"""

WORDS = """
model.get_dimension()
model.is_quantized()
model.get_words()
model.get_words(include_freq=True)
model.words
model.labels
model.get_labels(True)
model["word1"]
model.get_word_vector("unseen")
model.get_word_vector("</s>")
"word1" in model
"unseen" in model
model.get_sentence_vector("word1 own3  unseen")
model.get_sentence_vector("")
model.get_sentence_vector("a\\nb")
model.get_word_id("word2")
model.get_word_id("unseen")
model.get_label_id("unseen")
model.get_line("word1 unseen __label__3 __label__none")
model.get_line(["word1 unseen", ""])
model.get_line("a\\n")
fasttext.tokenize("a b\\tc\\n\\nd \\x0be")
model.get_nearest_neighbors("word1", k=3)
model.get_analogies("word1", "word2", "own3", k=4)
model.get_input_vector(3)
model.get_word_vector(3)
model.save_model("/no/such/folder/model.bin")
fasttext.load_model("no such file")
fasttext.load_model(data)
fasttext.util.test([["a"], ["b"]], [["a"], ["a", "c"]])
fasttext.util.find_nearest_neighbor(np.arange(3.), np.eye(3), {2})
fasttext.train_unsupervised("no such file")
fasttext.train_supervised(data, loss="none")
fasttext.train_supervised(data, no_such=1)
fasttext.train_supervised(data, dim="3")
fasttext.train_supervised(data, dim=3, epoch=1.5)
fasttext.cbow(data)
""".strip().splitlines()
MATRICES = """
model.get_subwords("word1")
model.get_subwords("unseen")
model.get_subwords("</s>")
model.get_input_matrix()
model.get_output_matrix()
[getattr(model.f.getArgs(), n) for n in ("dim", "ws", "epoch", "minn", "maxn", "bucket", "t")]
""".strip().splitlines()
BUCKETS = ['model.get_subword_id("wor")']
VECTORS_ONLY = ['model.predict("word1")', "model.test(data)", "model.quantize()"]
LABELS = """
model.predict("word1 own3")
model.predict("word1 own3", k=3)
model.predict("word1 own3 unseen", k=-1)
model.predict("word1 own3", k=5, threshold=0.2)
model.predict("word1", k=5, threshold=2.0)
model.predict("")
model.predict(["word1 own3", "own5", ""], k=2)
model.predict([])
model.predict("a\\nb")
model.predict("word1", k=0)
model.predict("word1", k="1")
model.test(data)
model.test(data, 3)
model.test(data, k=2, threshold=0.2)
model.test("no such file")
model.get_meter("no such file")
model.get_meter(data).score_vs_true("__label__3")
model.get_meter(data, 2).score_vs_true("__label__3é")
model.get_meter(data).precision_recall_curve("__label__3")
model.get_meter(data, 2).precision_recall_curve()
model.get_meter(data).precision_at_recall(0.5)
model.get_meter(data).recall_at_precision(0.1, label="__label__3")
model.get_label_id("__label__3")
[s["precision"] for _, s in sorted(model.test_label(data).items())]
sorted(model.test_label(data, k=2))
""".strip().splitlines()
# Without what depends on the order of scores that differ by 1e-7.
PREDICTED = [call for call in LABELS if "get_meter(data" not in call and "k=-1" not in call]
QUANTIZED = ["model.get_input_matrix()", "model.get_output_matrix()"]

MODELS: dict[str, tuple[str, str, dict[str, Any], list[str]]] = {
    "skipgram": ("unsupervised", "bin", {"bucket": 900}, [*MATRICES, *BUCKETS, *VECTORS_ONLY]),
    "cbow of words": ("unsupervised", "bin", {"model": "cbow", "maxn": 0}, MATRICES),
    "softmax": (
        "supervised", "bin", {"wordNgrams": 2, "bucket": 700, "lr": 1},
        [*MATRICES, *BUCKETS, *LABELS],
    ),
    "hs": ("supervised", "bin", {"loss": "hs", "minn": 2, "maxn": 3, "bucket": 700}, PREDICTED),
    "ova": ("supervised", "bin", {"loss": "ova", "lr": 0.5}, [*MATRICES, *LABELS]),
    "quantized": (
        "supervised", "ftz", {"wordNgrams": 2, "bucket": 700, "lr": 1}, [*QUANTIZED, *PREDICTED],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory, labeled_lines: LabeledLines) -> Path:
    path = tmp_path_factory.mktemp("module") / "text"
    path.write_text("\n".join(labeled_lines(1200, 11, 5)) + "\n", encoding="utf-8")
    return path


def same(ours: Any, theirs: Any) -> bool:
    """Whether two described answers are of the same types and values, numbers to 2e-5."""
    if isinstance(theirs, float) or isinstance(ours, float):
        both_nan = math.isnan(ours) and math.isnan(theirs)
        return both_nan or ours == pytest.approx(theirs, abs=2e-5, rel=2e-5)
    if isinstance(theirs, list):
        if theirs[:1] == ["array"] and theirs[2] == []:  # float64 there, of rows too
            return bool(ours[0] == "array" and ours[2] == [])
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[k], theirs[k]) for k in theirs)
    return bool(ours == theirs)


@pytest.mark.parametrize("name", MODELS)
def test_calls_give_the_same(run_peer: RunPeer, text: Path, tmp_path: Path, name: str) -> None:
    kind, suffix, options, calls = MODELS[name]
    file = tmp_path / f"model.{suffix}"
    run_peer(TRAIN, kind, text, file, json.dumps(options))
    calls = [*WORDS, *calls]
    theirs = json.loads(str(run_peer(ASK, file, text, json.dumps(calls))["json"]))
    scope: dict[str, Any] = {}
    exec(ANSWERS, scope)
    ours = scope["answers"](fasttext, fasttext.load_model(file), str(text), calls)
    ours = json.loads(json.dumps(ours))
    wrong = []
    for call, our, their in zip(calls, ours, theirs, strict=True):
        if their[0] == "raised":
            # Whoever catches what fastText raises catches this, too.
            expected = "TypeError" if their[1][0] == "AttributeError" else their[1][0]
            right = our[0] == "raised" and expected in our[1]
        else:
            right = same(our, their)
        if not right:
            wrong.append(f"{call}: {str(our)[:300]} instead of {str(their)[:300]}")
    assert not wrong, "\n".join(wrong)


def test_every_name_and_parameter_is_there(run_peer: RunPeer) -> None:
    found = json.loads(str(run_peer(NAMES)["json"]))
    modules = {"": fasttext, "FastText": FastText, "util": fasttext.util}
    # What the module imports for itself is no part of it.
    internal = {"absolute_import", "division", "print_function", "unicode_literals", "chain",
                "multiprocessing", "np", "sys", "fasttext", "_build_args", "_parse_loss_string",
                "_parse_model_string", "util"}  # fmt: skip
    for name, module in modules.items():
        assert set(found["modules"][name]) - internal <= set(dir(module)), name
    for cls in ("_FastText", "_Meter"):
        for function, parameters in found[cls].items():
            ours = getattr(getattr(FastText, cls), function)
            if function != "__init__" or cls == "_FastText":
                assert list(inspect.signature(ours).parameters) == parameters, function
    for function, parameters in found["util"].items():
        assert list(inspect.signature(getattr(fasttext.util, function)).parameters) == parameters
    theirs = found["defaults"]
    ours = {**FastText.unsupervised_default, "thread": theirs["thread"]}
    assert ours == theirs
    assert list(FastText.loss_name.__members__) == found["losses"]
    assert list(FastText.model_name.__members__) == found["models"]


def test_fasttext_reads_what_the_module_trains(run_peer: RunPeer, text: Path) -> None:
    for name, (kind, _, options, calls) in MODELS.items():
        train = getattr(fasttext, f"train_{kind}")
        model = train(text, thread=1, epoch=3, dim=9, minCount=1, verbose=0, **options)
        file = text.parent / f"{name}.bin"
        model.save_model(file)
        calls = [*WORDS[:12], *(c for c in calls if c in PREDICTED and "test" not in c)]
        theirs = json.loads(str(run_peer(ASK, file, text, json.dumps(calls))["json"]))
        scope: dict[str, Any] = {}
        exec(ANSWERS, scope)
        ours = json.loads(json.dumps(scope["answers"](fasttext, model, str(text), calls)))
        for call, our, their in zip(calls, ours, theirs, strict=True):
            assert their[0] == "raised" or same(our, their), (name, call)
