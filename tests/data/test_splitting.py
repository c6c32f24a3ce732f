import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsim.data.splitting import last_rows, validation_rows
from gradsim.spec import SpecError


def rows(samples, share, classes=None, seed=0):
    return validation_rows(samples, share, classes, np.random.default_rng(seed))


def test_share_0_holds_nothing_back():
    assert rows(10, 0.0).tolist() == []


@given(st.lists(st.integers(0, 4), min_size=2, max_size=60), st.floats(0.001, 0.9), st.integers(0, 5))
def test_every_class_of_two_samples_or_more_is_present_in_both_parts(labels, share, seed):
    classes = np.array(labels)
    sizes = np.bincount(classes)
    if sizes.max() < 2:
        return
    held = rows(len(classes), share, classes, seed)
    counts = np.bincount(classes[held], minlength=len(sizes))
    assert len(set(held.tolist())) == len(held)
    assert held.tolist() == sorted(held.tolist())
    assert (counts[sizes >= 2] >= 1).all()
    assert (counts[sizes > 0] < sizes[sizes > 0]).all()


@given(st.lists(st.integers(10, 200), min_size=1, max_size=10), st.floats(0.1, 0.9))
def test_large_classes_are_held_back_in_proportion_and_the_whole_in_the_asked_share(sizes, share):
    classes = np.repeat(np.arange(len(sizes)), sizes)
    held = rows(len(classes), share, classes)
    assert len(held) == round(len(classes) * share)
    assert (np.abs(np.bincount(classes[held], minlength=len(sizes)) - np.array(sizes) * share) < 1).all()


def test_numbers_are_split_with_at_least_one_on_each_side():
    assert len(rows(2, 0.001)) == 1
    assert len(rows(2, 0.9)) == 1
    assert len(rows(100, 0.25)) == 25


def test_another_seed_holds_back_other_rows():
    assert rows(100, 0.2, seed=0).tolist() != rows(100, 0.2, seed=1).tolist()


@pytest.mark.parametrize(
    ("samples", "classes", "words"), [(1, None, "1 sample"), (3, [0, 1, 2], "one of each")]
)
def test_too_few_samples_to_split_are_refused_in_words(samples, classes, words):
    with pytest.raises(SpecError, match=rf"^\$\.data\.validation: expected 0, because .*{words}.*got 0\.2"):
        rows(samples, 0.2, None if classes is None else np.array(classes))


@pytest.mark.parametrize(
    ("samples", "share", "first"), [(10, 0.0, 10), (10, 0.3, 7), (10, 0.001, 9), (2, 0.9, 1), (100, 0.9, 10)]
)
def test_of_what_follows_in_time_the_last_is_held_back(samples, share, first):
    assert last_rows(samples, share).tolist() == list(range(first, samples))
