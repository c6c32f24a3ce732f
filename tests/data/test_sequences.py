import numpy as np
import pytest

from gradsim.data.sequences import adding, copy_memory, delayed_parity
from gradsim.spec import SpecError
from gradsim.spec.data import Adding, CopyMemory, DelayedParity


def random(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("steps", [2, 3, 10, 101])
def test_two_numbers_are_marked_one_in_each_half_and_the_target_is_their_sum(steps):
    raw = adding(Adding(samples=300, steps=steps), random())
    value, mark = raw.inputs[..., 0], raw.inputs[..., 1]
    half = steps // 2
    assert set(np.unique(mark)) <= {0.0, 1.0}
    assert (mark[:, :half].sum(axis=1) == 1).all()
    assert (mark[:, half:].sum(axis=1) == 1).all()
    np.testing.assert_allclose(raw.numbers[:, 0], (value * mark).sum(axis=1), rtol=1e-15)
    assert 0 <= value.min() < value.max() < 1
    if steps <= 10:
        assert mark.any(axis=0).all()  # every place is marked at some time


def test_always_answering_1_has_the_known_error_of_a_sixth():
    raw = adding(Adding(samples=100_000, steps=4), random())
    # The squared deviation has standard deviation 0.2: four standard errors.
    assert np.mean((raw.numbers - 1.0) ** 2) == pytest.approx(1 / 6, abs=4 * 0.2 / np.sqrt(100_000))


def test_symbols_are_shown_then_blanks_and_a_delimiter_and_answered_in_their_order():
    spec = CopyMemory(samples=200, symbols=4, length=3, delay=5)
    raw = copy_memory(spec, random())
    shown = raw.inputs.argmax(axis=-1)
    assert raw.inputs.shape == (200, 11, 6)
    assert np.array_equal(np.sort(raw.inputs, axis=-1)[..., -2:], np.broadcast_to([0.0, 1.0], (200, 11, 2)))
    names = np.array(raw.feature_names)
    assert (names[shown[:, 3:7]] == "blank").all()
    assert (names[shown[:, 7]] == "delimiter").all()
    assert (names[shown[:, 8:]] == "blank").all()
    answers = np.array(raw.output_names)[raw.classes]
    assert (answers[:, :8] == "blank").all()
    assert np.array_equal(answers[:, 8:], names[shown[:, :3]])
    assert np.unique(shown[:, :3]).tolist() == [0, 1, 2, 3]


def test_the_shortest_delay_shows_the_delimiter_at_once():
    raw = copy_memory(CopyMemory(samples=5, symbols=2, length=1, delay=1), random())
    assert raw.inputs[..., 3].tolist() == [[0.0, 1.0, 0.0]] * 5
    assert raw.classes[:, :2].tolist() == [[0, 0]] * 5


@pytest.mark.parametrize(("bits", "delay"), [(1, 1), (3, 20), (10, 2)])
def test_the_parity_of_the_bits_is_asked_at_the_last_step(bits, delay):
    raw = delayed_parity(DelayedParity(samples=400, bits=bits, delay=delay), random())
    bit, question = raw.inputs[..., 0], raw.inputs[..., 1]
    assert bit.shape == (400, bits + delay)
    assert set(np.unique(bit[:, :bits])) == {-1.0, 1.0}
    assert not bit[:, bits:].any()
    assert question[:, -1].all()
    assert not question[:, :-1].any()
    assert np.array_equal((bit == 1).sum(axis=1) % 2, raw.classes)
    assert raw.output_names == ("even", "odd")


def test_no_bit_alone_tells_the_parity():
    raw = delayed_parity(DelayedParity(samples=20_000, bits=4), random())
    sign = 2.0 * raw.classes - 1.0
    told = raw.inputs[:, :4, 0].T @ sign / len(sign)
    assert np.abs(told).max() < 4 / np.sqrt(len(sign))
    assert np.abs(raw.inputs[:, :4, 0].mean(axis=0)).max() < 4 / np.sqrt(len(sign))


@pytest.mark.parametrize("samples", [2, 7, 100])
def test_both_parities_are_equally_frequent(samples):
    raw = delayed_parity(DelayedParity(samples=samples), random())
    assert np.bincount(raw.classes).tolist() == [(samples + 1) // 2, samples // 2]


@pytest.mark.parametrize(
    ("source", "spec"),
    [
        (adding, Adding(samples=1_000_000, steps=10_000)),
        (copy_memory, CopyMemory(samples=1_000_000, symbols=100, length=1000)),
        (delayed_parity, DelayedParity(samples=1_000_000, delay=10_000)),
    ],
)
def test_sequences_that_would_fill_the_memory_are_refused_before_they_are_drawn(source, spec):
    with pytest.raises(
        SpecError, match=r"^\$\.data\.samples: expected samples that take at most 1,073,741,824"
    ):
        source(spec, random())
