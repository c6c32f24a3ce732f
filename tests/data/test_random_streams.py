import numpy as np

from gradsim.data import generator, stream_key


def test_the_key_of_a_stream_is_the_same_on_every_machine():
    assert stream_key(7, "data", "moons") == 11426283004560524798


def test_seed_purpose_and_name_each_make_another_stream():
    keys = {
        stream_key(seed, purpose, name)
        for seed in (0, 1)
        for purpose in ("data", "initial")
        for name in ("", "a")
    }
    assert len(keys) == 8


def test_words_do_not_run_into_each_other():
    assert stream_key(1, "ab", "c") != stream_key(1, "a", "bc")
    assert stream_key(11, "a") != stream_key(1, "1a")


def test_a_stream_starts_anew_each_time():
    first = generator(3, "data", "split").standard_normal(5)
    assert np.array_equal(first, generator(3, "data", "split").standard_normal(5))
    assert not np.array_equal(first, generator(4, "data", "split").standard_normal(5))
