import hashlib
import importlib.util

import numpy as np
import pytest

from gradsim.data.bundled import _read, bundled
from gradsim.spec.data import BreastCancer, Digits, Iris, Wine

SIZES = {
    "iris": (150, 4, [50, 50, 50]),
    "wine": (178, 13, [59, 71, 48]),
    "breast_cancer": (569, 30, [212, 357]),
    "digits": (1797, 64, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
}
CHECKSUMS = {
    "iris": "aa06b8008ceba42e",
    "wine": "3a28849ef2366c4b",
    "breast_cancer": "25e2eb7b7a8745b1",
    "digits": "f6d9e39f37dc45d3",
}


@pytest.mark.parametrize("name", SIZES)
def test_sets_have_their_known_sizes_and_class_counts(name):
    raw = _read(name)
    samples, features, counts = SIZES[name]
    assert raw.inputs.shape == (samples, features)
    assert np.bincount(raw.classes).tolist() == counts
    assert len(raw.feature_names) == features
    assert len(set(raw.feature_names)) == features
    assert len(raw.output_names) == len(counts)
    assert "CC BY 4.0" in raw.origin


@pytest.mark.parametrize("name", SIZES)
def test_not_one_number_has_changed(name):
    raw = _read(name)
    content = raw.inputs.astype("<f8").tobytes() + raw.classes.astype("<i8").tobytes()
    assert hashlib.sha256(content).hexdigest()[:16] == CHECKSUMS[name]


def test_rows_hold_the_published_values():
    iris = _read("iris")
    assert iris.inputs[0].tolist() == [5.1, 3.5, 1.4, 0.2]
    # The two rows that are wrong in UCI's file, as Fisher printed them.
    assert iris.inputs[34].tolist() == [4.9, 3.1, 1.5, 0.2]
    assert iris.inputs[37].tolist() == [4.9, 3.6, 1.4, 0.1]
    assert iris.feature_names[0] == "sepal length (cm)"
    assert _read("wine").inputs[0, [0, 12]].tolist() == [14.23, 1065.0]
    assert _read("breast_cancer").inputs[0, [0, 29]].tolist() == [17.99, 0.1189]
    digits = _read("digits").inputs
    assert digits[0, :8].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert (digits.min(), digits.max()) == (0, 16)


@pytest.mark.skipif(importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed")
@pytest.mark.parametrize("name", SIZES)
@pytest.mark.filterwarnings("default")
def test_sets_are_those_of_scikit_learn(name):
    from sklearn import datasets

    theirs = getattr(datasets, f"load_{name}")()
    assert np.array_equal(_read(name).inputs, theirs.data)
    assert np.array_equal(_read(name).classes, theirs.target)


@pytest.mark.parametrize("spec", [Iris(), Wine(), BreastCancer(), Digits()])
def test_rows_are_mixed_with_their_classes(spec):
    raw = bundled(spec, np.random.default_rng(0))
    whole = _read(type(spec).__struct_config__.tag)
    assert len(set(raw.classes[:30].tolist())) > 1
    mixed, source = (np.column_stack([r.inputs, r.classes]) for r in (raw, whole))
    assert np.array_equal(mixed[np.lexsort(mixed.T)], source[np.lexsort(source.T)])
