"""The estimator contract of scikit-learn, whose `check_estimator` passes over text estimators."""

from __future__ import annotations

import copy
import importlib
import io
import itertools
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer
from sklearn.utils.estimator_checks import check_estimator

from brasa import TextClassifier, WordVectors
from brasa.config import TextClassifierConfig
from brasa.errors import BrasaError, ConfigError, CorpusError
from brasa.sklearn import BrasaClassifier, BrasaVectorizer

if TYPE_CHECKING:
    from pathlib import Path

pd: Any = importlib.import_module("pandas")

WORDS = {
    "hot": ["oven", "ember", "fire"],
    "ice": ["snow", "frost", "hail"],
    "mild": ["rain", "fog"],
}
Y = [("hot", "ice", "mild")[i % 3] for i in range(90)]
X = [f"{WORDS[y][i % len(WORDS[y])]} word{i % 7} and {WORDS[y][0]}" for i, y in enumerate(Y)]
SMALL: dict[str, Any] = {
    "min_count": 1, "vector_dim": 8, "epochs": 20, "threads": 1, "random_state": 0, "buckets": 1000,
}  # fmt: skip


def classifier(**changes: Any) -> Any:
    return BrasaClassifier(**{**SMALL, "learning_rate": 0.5, **changes})


def vectorizer(**changes: Any) -> Any:
    return BrasaVectorizer(**{**SMALL, "epochs": 5, **changes})


ESTIMATORS = [classifier, vectorizer]
both = pytest.mark.parametrize("make", ESTIMATORS)


def output(estimator: Any, texts: Any = X) -> Any:
    if is_classifier(estimator):
        return estimator.predict_proba(texts)
    return estimator.transform(texts)


@both
@pytest.mark.filterwarnings("ignore:Can't test estimator")
def test_its_own_checks_pass_as_far_as_they_go(make: Any) -> None:
    results = check_estimator(make(), on_skip=None)
    assert {result["status"] for result in results} == {"passed"}


def test_without_scikit_learn() -> None:
    code = "import sys; sys.modules['sklearn.base'] = None; import brasa.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingExtraError: brasa.sklearn needs scikit-learn: pip install 'brasa[sklearn]'" in (
        done.stderr
    )


@both
def test_clone_and_parameters(make: Any) -> None:
    estimator = make()
    parameters = estimator.get_params()
    assert parameters["vector_dim"] == 8
    copied = clone(estimator)
    assert copied is not estimator
    assert copied.get_params() == parameters
    assert copied.set_params(epochs=3).epochs == 3
    assert estimator.get_params() == parameters
    assert type(estimator)(**parameters).get_params() == parameters
    assert "vector_dim=8" in repr(estimator)
    with pytest.raises(ValueError, match="Invalid parameter"):
        estimator.set_params(window=3)
    with pytest.raises(TypeError, match="no parameter dim, only"):
        type(estimator)(dim=3)


@both
def test_making_one_does_no_work(make: Any) -> None:
    """Values are neither changed nor looked at: `fit` does that."""
    strange = {"epochs": "many", "vector_dim": -1, "random_state": object()}
    estimator = make(**strange)
    assert vars(estimator) == estimator.get_params(deep=False)
    assert all(getattr(estimator, name) is value for name, value in strange.items())
    with pytest.raises(ConfigError, match="vector_dim=-1"):
        make(vector_dim=-1).fit(X, Y)


def test_defaults_are_those_of_the_config() -> None:
    config = TextClassifierConfig().to_dict()
    own = {"class_weight", "random_state"}
    parameters = BrasaClassifier().get_params()
    assert own <= parameters.keys()
    assert {k: v for k, v in parameters.items() if k not in own}.items() <= config.items()
    assert {"loss", "word_ngrams", "learning_rate", "threads"} <= parameters.keys()


@both
def test_fit_changes_no_parameter_and_gives_itself(make: Any) -> None:
    estimator = make(random_state=np.random.RandomState(0))
    before = estimator.get_params()
    assert estimator.fit(X, Y) is estimator
    assert estimator.get_params() == before
    fitted = vars(estimator).keys() - before.keys()
    assert fitted
    assert all(name.endswith("_") or name.startswith("_") for name in fitted)


@both
def test_an_estimator_that_is_not_fitted(make: Any) -> None:
    methods = ("predict", "predict_proba") if make is classifier else ("transform",)
    for name in methods:
        with pytest.raises(NotFittedError):
            getattr(make(), name)(X)


@both
def test_fitting_again_forgets(make: Any) -> None:
    again = make().fit(["sea sand"] * 6 + ["wood sap"] * 6, ["a"] * 6 + ["b"] * 6).fit(X, Y)
    np.testing.assert_array_equal(output(again), output(make().fit(X, Y)))
    assert "sea" not in again.model_.words


@both
def test_texts_have_no_columns(make: Any) -> None:
    estimator = make().fit(X, Y)
    assert not hasattr(estimator, "n_features_in_")
    assert len(output(estimator, ["one text of a length that fit never saw " * 9, ""])) == 2


@both
def test_pickles_and_copies(make: Any) -> None:
    estimator = make().fit(X, Y)
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    copies = (
        pickle.loads(pickle.dumps(estimator)),
        joblib.load(file),
        copy.deepcopy(estimator),
    )
    for copied in copies:
        np.testing.assert_array_equal(output(copied), output(estimator))
    assert len(pickle.dumps(make())) < 2000
    assert not hasattr(clone(estimator), "model_")


@both
def test_input_is_not_changed(make: Any) -> None:
    texts, targets = np.array(X, object), np.array(Y)
    before = texts.copy(), targets.copy()
    output(make().fit(texts, targets), texts)
    assert (texts == before[0]).all()
    assert (targets == before[1]).all()


@both
def test_containers_of_texts(make: Any) -> None:
    expected = output(make().fit(X, Y))
    series = pd.Series(X, index=range(100, 190))
    for texts in (tuple(X), np.array(X), np.array(X, object), series, iter(X)):
        estimator = make().fit(texts, pd.Series(Y, index=range(90)))
        np.testing.assert_array_equal(output(estimator), expected)
    np.testing.assert_array_equal(output(make().fit(X, Y), series), expected)
    assert len(output(make().fit(X, Y), [])) == 0


@both
@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one text", "X='one str' is not possible"),
        (b"bytes", "one bytes"),
        (7, "X=7"),
        ({"a": "text"}, "one dict"),
        ([X], "at place 0"),
        ([*X[:3], None], "None at place 3"),
        ([*X[:3], float("nan")], "nan at place 3"),
        (np.array(X).reshape(-1, 1), r"a ndarray of shape \(90, 1\)"),
        (pd.DataFrame({"text": X}), r"a DataFrame of shape \(90, 1\)"),
        (sparse.csr_matrix((90, 4)), r"of shape \(90, 4\)"),
        (["lone \ud800 surrogate"] * 90, "surrogate|UTF-8|text"),
    ],
)
def test_what_is_no_list_of_texts(make: Any, texts: Any, message: str) -> None:
    with pytest.raises(BrasaError, match=message) as caught:
        make().fit(texts, Y)
    assert isinstance(caught.value, ValueError)
    estimator = make().fit(X, Y)
    with pytest.raises(BrasaError):
        output(estimator, texts)


@both
def test_the_random_state_decides(make: Any) -> None:
    def trained(seed: Any) -> Any:
        return output(make(random_state=seed).fit(X, Y))

    np.testing.assert_array_equal(trained(3), trained(3))
    np.testing.assert_array_equal(trained(3), trained(np.random.RandomState(3)))
    assert not np.array_equal(trained(3), trained(4))
    state = np.random.RandomState(3)
    assert not np.array_equal(trained(state), trained(state))


@pytest.mark.parametrize(
    "targets",
    [
        Y,
        [{"hot": 7, "ice": -1, "mild": 3}[y] for y in Y],
        [y == "ice" for y in Y],
        [f"{y} weather" for y in Y],  # with a space: no token
        [{"hot": "a", "ice": "__label__a", "mild": "ñ"}[y] for y in Y],
    ],
)
@pytest.mark.parametrize("loss", ["softmax", "hs", "ns", "ova"])
def test_classes_of_any_kind(targets: list[Any], loss: str) -> None:
    model = classifier(loss=loss).fit(X, targets)
    np.testing.assert_array_equal(model.classes_, np.unique(targets))
    found, probabilities = model.predict(X), model.predict_proba(X)
    assert found.dtype == np.asarray(targets).dtype
    np.testing.assert_array_equal(found, targets)
    assert probabilities.shape == (90, len(model.classes_))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], found)
    assert model.score(X, targets) == 1
    assert is_classifier(model)


def test_it_is_the_text_classifier() -> None:
    model = classifier(random_state=5).fit(X, Y)
    seed = int(np.random.RandomState(5).randint(np.iinfo(np.int32).max))
    values = {k: v for k, v in SMALL.items() if k != "random_state"}
    same = TextClassifier.train(X, Y, learning_rate=0.5, seed=seed, evaluation=False, **values)
    assert model.model_.labels == same.labels
    assert model.model_.predict(X, k=3) == same.predict(X, k=3)
    columns = [f"__label__{name}" for name in model.classes_]
    expected = [[dict(found)[name] for name in columns] for found in same.predict(X, k=3)]
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-5)


def test_what_looks_like_a_label_is_not_learned() -> None:
    leaking = [f"{x} __label__{y}" for x, y in zip(X, Y, strict=True)]
    model = classifier().fit(leaking, Y)
    np.testing.assert_array_equal(model.predict_proba(X), classifier().fit(X, Y).predict_proba(X))
    np.testing.assert_array_equal(model.predict_proba(leaking), model.predict_proba(X))


def test_white_space_of_any_kind_divides_words() -> None:
    model = classifier().fit([x.replace(" ", "\u3000\n") for x in X], Y)
    np.testing.assert_array_equal(model.predict_proba(X), classifier().fit(X, Y).predict_proba(X))
    assert model.predict(["word0\nsnow\n\nfrost"])[0] == "ice"


def test_texts_of_which_nothing_is_known_get_the_shares_of_the_classes() -> None:
    """No line's end among the words: it occurs as often as there are texts."""
    texts, targets = ["a a a a a a a"] * 4 + ["b b b b b b b"] * 2, [0] * 4 + [1] * 2
    model = classifier(min_count=7, word_ngrams=1).fit(texts, targets)
    np.testing.assert_allclose(model.predict_proba(["unknown"]), [[4 / 6, 2 / 6]])
    np.testing.assert_allclose(model.class_prior_, [4 / 6, 2 / 6])
    assert model.predict(["unknown", "b"]).tolist() == [0, 1]


def labels_of(i: int) -> list[str]:
    return [y for y, word in (("hot", "oven"), ("ice", "snow")) if word in X[i] or i % 5 == 0]


def test_several_labels() -> None:
    binarizer = MultiLabelBinarizer()
    targets = binarizer.fit_transform([labels_of(i) for i in range(90)])
    texts = [
        " ".join([x, *(["both"] * 3 if row.all() else [])])
        for x, row in zip(X, targets, strict=True)
    ]
    model = classifier(loss="ova", epochs=60).fit(texts, targets)
    found = model.predict(texts)
    assert found.shape == targets.shape
    labeled = targets.any(axis=1)
    assert f1_score(targets[labeled], found[labeled], average="micro") > 0.95
    assert model.score(texts, targets) == accuracy_score(targets, found)
    np.testing.assert_array_equal(model.predict_proba(texts) >= 0.5, found)
    scattered = classifier(loss="ova", epochs=60).fit(texts, sparse.csr_matrix(targets))
    np.testing.assert_array_equal(scattered.predict(texts), found)
    np.testing.assert_array_equal(model.classes_, [0, 1])
    wider = np.column_stack([targets, np.zeros(90, int)])
    assert not classifier(loss="ova").fit(texts, wider).predict_proba(texts)[:, 2].any()
    with pytest.raises(ConfigError, match="loss='softmax'"):
        classifier().fit(texts, targets)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (["hot"] * 90, "no two classes"),
        (np.column_stack([np.ones(90, int), np.zeros(90, int)]), "no two classes|loss="),
        (np.zeros((90, 2), int), "no two classes|loss="),
        (Y[:-1], "y='an array of 89'"),
        (None, "y=None"),
        (np.linspace(0, 1, 90), "continuous"),
        (np.arange(180).reshape(90, 2) % 3, "multiclass-multioutput"),
        ([*([1.0, 2.0] * 44), 1.0, float("nan")], "NaN"),
    ],
)
def test_targets_that_are_refused(targets: Any, message: str) -> None:
    for loss in ("softmax", "ova"):
        with pytest.raises(ValueError, match=message):
            classifier(loss=loss).fit(X, targets)


def test_columns_are_flattened_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="column-vector"):
        model = classifier().fit(X, np.array(Y).reshape(-1, 1))
    assert model.predict(X).tolist() == Y


def test_weights() -> None:
    """Ones are none, zeros are as if the texts were not there, the scale counts a little."""
    plain = classifier().fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(classifier().fit(X, Y, np.ones(90)).predict_proba(X), plain)
    kept = np.arange(90) % 4 > 0
    half = classifier().fit(list(itertools.compress(X, kept)), np.array(Y)[kept])
    np.testing.assert_array_equal(
        classifier().fit(X, Y, sample_weight=kept).predict_proba(X), half.predict_proba(X)
    )
    # One text under two classes: the weights decide which is more probable, as repetitions do.
    texts, targets = ["snow"] * 40, ["a", "b"] * 20
    weights = [9 if y == "a" else 1 for y in targets]
    weighted = classifier(epochs=100).fit(texts, targets, weights).predict_proba(["snow"])
    repeated = classifier(epochs=100).fit(["snow"] * 40, ["a"] * 36 + ["b"] * 4)
    np.testing.assert_allclose(weighted, [[0.9, 0.1]], atol=0.05)
    np.testing.assert_allclose(repeated.predict_proba(["snow"]), weighted, atol=0.05)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(89), r"shape \(89,\)"),
        (np.ones((90, 1)), r"shape \(90, 1\)"),
        ([-1, *[1] * 89], "-1.0 at place 0"),
        ([*[1] * 89, float("nan")], "nan at place 89"),
        ([float("inf")] * 90, "inf at place 0"),
        (np.zeros(90), "zeros"),
        (["a"] * 90, "numbers"),
        ([y == "hot" for y in Y], "no two classes"),
    ],
)
def test_weights_that_are_refused(weights: Any, message: str) -> None:
    with pytest.raises(BrasaError, match=message):
        classifier().fit(X, Y, sample_weight=weights)


def test_class_weights() -> None:
    texts, targets = ["snow"] * 40, [1, 2] * 20
    model = classifier(epochs=100, class_weight={1: 9, 2: 1}).fit(texts, targets)
    np.testing.assert_allclose(model.predict_proba(["snow"]), [[0.9, 0.1]], atol=0.05)
    model = classifier(epochs=100, class_weight="balanced").fit(texts, [1] * 30 + [2] * 10)
    np.testing.assert_allclose(model.predict_proba(["snow"]), [[0.5, 0.5]], atol=0.05)
    for weights in ({3: 1.0}, [1, 2], {1: -1}, "equal"):
        with pytest.raises(ConfigError, match="class_weight"):
            classifier(class_weight=weights).fit(texts, targets)


def test_pipelines_and_searches() -> None:
    search = GridSearchCV(
        make_pipeline(classifier(epochs=1, learning_rate=1e-3)),
        {"brasaclassifier__learning_rate": [1e-3, 0.5], "brasaclassifier__epochs": [20]},
        cv=3,
        scoring="f1_macro",
        error_score="raise",
    ).fit(X, Y)
    assert search.best_params_["brasaclassifier__learning_rate"] == 0.5
    assert search.best_score_ == 1
    assert search.predict(["frost"]).tolist() == ["ice"]
    pipeline = make_pipeline(vectorizer(epochs=30), LogisticRegression(C=1000, max_iter=1000))
    scores = cross_val_score(pipeline, X, Y, cv=3, error_score="raise")
    assert scores.mean() > 0.9
    parallel = cross_val_score(classifier(), X, Y, cv=3, n_jobs=2, error_score="raise")
    np.testing.assert_array_equal(parallel, cross_val_score(classifier(), X, Y, cv=3))
    one_vs_rest = OneVsRestClassifier(classifier()).fit(np.array(X), Y)
    assert one_vs_rest.score(np.array(X), Y) == 1


def test_vectors_are_those_of_the_model(tmp_path: Path) -> None:
    model = vectorizer().fit(X)
    expected = model.model_.sentence_vectors(X)
    np.testing.assert_array_equal(model.transform(X), expected)
    np.testing.assert_array_equal(vectorizer().fit_transform(X), expected)
    assert expected.shape == (90, 8)
    assert expected.dtype == np.float32
    assert not model.transform(["unknown"]).any()
    model.model_.save(tmp_path / "model")
    opened = WordVectors.load(tmp_path / "model")
    for given in (tmp_path / "model", str(tmp_path / "model"), opened):
        ready = BrasaVectorizer(model=given)
        np.testing.assert_array_equal(clone(ready).fit([]).transform(X), expected)
        np.testing.assert_array_equal(
            pickle.loads(pickle.dumps(ready)).fit(X).transform(X), expected
        )
    with pytest.raises(ConfigError, match="model=7"):
        BrasaVectorizer(model=7).fit(X)
    with pytest.raises(BrasaError, match="nowhere"):
        BrasaVectorizer(model="nowhere").fit(X)
    with pytest.raises(CorpusError):
        vectorizer().fit([])


def test_names_of_vectors_columns() -> None:
    model = vectorizer().fit(X)
    assert model.get_feature_names_out().tolist() == [f"brasavectorizer{i}" for i in range(8)]
    with pytest.raises(NotFittedError):
        vectorizer().get_feature_names_out()
    frame = vectorizer().set_output(transform="pandas").fit(X).transform(pd.Series(X))
    assert frame.shape == (90, 8)
    assert list(frame.columns) == list(model.get_feature_names_out())
    union = FeatureUnion([("a", vectorizer()), ("b", vectorizer(vector_dim=3))]).fit(X)
    assert union.transform(X).shape == (90, 11)
    assert union.get_feature_names_out()[-1] == "b__brasavectorizer2"
