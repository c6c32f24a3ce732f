"""Random numbers without a state: each is a function of a key and a counter.

So any iteration can be computed again by itself, and adding a layer does not reshuffle the others. One key
per purpose and layer, from ``stream_key``. What is drawn once, from many distributions, comes from NumPy's
generator with the same key: ``gradsim.data.random_streams``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradsim.data import random_streams
from gradsim.engine.compilation import elementary, exact_kernel

_LOW_WORD = np.uint64(0xFFFFFFFF)
_WORD = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_KEY_STEP_0 = np.uint64(0x9E3779B9)
_KEY_STEP_1 = np.uint64(0xBB67AE85)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_UNUSED_BITS = np.uint64(11)
_ROUNDS = 10


def stream_key(seed: int, purpose: str, name: str) -> np.uint64:
    """Return the key of a stream of random numbers.

    Parameters
    ----------
    seed : int
        Seed of the experiment.
    purpose : str
        What the numbers are for, as ``"dropout"``.
    name : str
        The layer or parameter they are for, ``""`` where there is none.

    Returns
    -------
    numpy.uint64
        Always this type, so that kernels are compiled for one type of key only.
    """
    return np.uint64(random_streams.stream_key(seed, purpose, name))


@elementary
def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Return a block of Philox4x32-10.

    Parameters
    ----------
    c0, c1, c2, c3 : uint64
        The counter, 32 bits in each.
    k0, k1 : uint64
        The key, 32 bits in each.

    Returns
    -------
    r0, r1, r2, r3 : uint64
        Random words, 32 bits in each.

    Notes
    -----
    Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The words agree
    with the known answers of the authors' library Random123.
    """
    for _ in range(_ROUNDS):
        product_0 = _MULTIPLIER_0 * c0
        product_1 = _MULTIPLIER_1 * c2
        c0 = (product_1 >> _WORD) ^ c1 ^ k0
        c1 = product_1 & _LOW_WORD
        c2 = (product_0 >> _WORD) ^ c3 ^ k1
        c3 = product_0 & _LOW_WORD
        k0 = (k0 + _KEY_STEP_0) & _LOW_WORD
        k1 = (k1 + _KEY_STEP_1) & _LOW_WORD
    return c0, c1, c2, c3


@elementary
def _block(key: Any, counter: Any) -> Any:
    key, counter = np.uint64(key), np.uint64(counter)
    return philox(counter & _LOW_WORD, counter >> _WORD, _ZERO, _ZERO, key & _LOW_WORD, key >> _WORD)


@elementary
def _fraction(low: Any, high: Any) -> Any:
    """Return the number in [0, 1) that the upper 53 of 64 bits make."""
    return np.float64((low | (high << _WORD)) >> _UNUSED_BITS) * 2.0**-53


@elementary
def counter_bits(key: Any, counter: Any) -> Any:
    """Return 64 random bits.

    Parameters
    ----------
    key : uint64
        From ``stream_key``.
    counter : int
        Which number of the stream, not negative.

    Returns
    -------
    uint64
        The first two words of the block, the first one lowest.
    """
    r0, r1, _, _ = _block(key, counter)
    return r0 | (r1 << _WORD)


@elementary
def counter_uniform(key: Any, counter: Any) -> Any:
    """Return a number uniform in [0, 1).

    Parameters
    ----------
    key : uint64
        From ``stream_key``.
    counter : int
        Which number of the stream, not negative.

    Returns
    -------
    float64
        A multiple of 2⁻⁵³.
    """
    r0, r1, _, _ = _block(key, counter)
    return _fraction(r0, r1)


@elementary
def counter_normal(key: Any, counter: Any) -> Any:
    """Return a standard normal number, by the transformation of Box and Muller.

    Parameters
    ----------
    key : uint64
        From ``stream_key``.
    counter : int
        Which number of the stream, not negative.

    Returns
    -------
    float64
        At most 8.6 in magnitude.
    """
    r0, r1, r2, r3 = _block(key, counter)
    radius = math.sqrt(-2.0 * math.log1p(-_fraction(r0, r1)))
    return radius * math.cos(2.0 * math.pi * _fraction(r2, r3))


@exact_kernel
def permutation(key: Any, epoch: int, out: Any) -> None:
    """Write a random order of 0 … n − 1: Fisher and Yates' shuffle, each order equally probable.

    Parameters
    ----------
    key : uint64
        From ``stream_key``.
    epoch : int
        Which permutation of the stream, not negative.
    out : ndarray of int32 or int64, shape (n,)
        Overwritten; n < 2³².

    Notes
    -----
    Bounded integers after Lemire, "Fast random integer generation in an interval", ACM TOMACS 29 (2019),
    without bias. Word 0 of the counter is the place, word 1 the attempt, words 2 and 3 are the epoch.
    """
    k0, k1 = np.uint64(key) & _LOW_WORD, np.uint64(key) >> _WORD
    e0, e1 = np.uint64(epoch) & _LOW_WORD, np.uint64(epoch) >> _WORD
    for i in range(out.size):
        out[i] = i
    for i in range(out.size - 1, 0, -1):
        places = np.uint64(i + 1)
        attempt = _ZERO
        product = philox(np.uint64(i), attempt, e0, e1, k0, k1)[0] * places
        if product & _LOW_WORD < places:
            rejected = (_LOW_WORD - places + _ONE) % places
            while product & _LOW_WORD < rejected:
                attempt += _ONE
                product = philox(np.uint64(i), attempt, e0, e1, k0, k1)[0] * places
        j = np.int64(product >> _WORD)
        out[i], out[j] = out[j], out[i]
