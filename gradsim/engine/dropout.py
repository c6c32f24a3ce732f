"""Dropout: an activation whose slope is drawn anew for every value, 0 or 1 / (1 − rate).

Four values share one block of random numbers, 32 bits each, so that a rate is kept to 2⁻³².
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradsim.engine.compilation import kernel
from gradsim.engine.elementary import like
from gradsim.engine.memory import stretch
from gradsim.engine.random import philox

_LOW_WORD = np.uint64(0xFFFFFFFF)
_WORD = np.uint64(32)
_ZERO = np.uint64(0)
_WORDS = 4


@kernel
def _draw_slopes(slope: Any, kept: Any, threshold: Any, key: Any, first_block: Any) -> None:
    """Write whole blocks: word w of block b decides on the value 4 b + w."""
    zero = like(slope, 0.0)
    k0, k1 = np.uint64(key) & _LOW_WORD, np.uint64(key) >> _WORD
    for block in range(slope.shape[0] // _WORDS):
        counter = np.uint64(first_block) + np.uint64(block)
        r0, r1, r2, r3 = philox(counter & _LOW_WORD, counter >> _WORD, _ZERO, _ZERO, k0, k1)
        slope[4 * block] = kept if r0 >= threshold else zero
        slope[4 * block + 1] = kept if r1 >= threshold else zero
        slope[4 * block + 2] = kept if r2 >= threshold else zero
        slope[4 * block + 3] = kept if r3 >= threshold else zero


@kernel
def _draw_part(slope: Any, kept: Any, threshold: Any, key: Any, block: Any, word: Any) -> None:
    """Write the slopes of a part of one block, from a word on."""
    counter = np.uint64(block)
    k0, k1 = np.uint64(key) & _LOW_WORD, np.uint64(key) >> _WORD
    r0, r1, r2, r3 = philox(counter & _LOW_WORD, counter >> _WORD, _ZERO, _ZERO, k0, k1)
    for i in range(slope.shape[0]):
        place = word + i
        drawn = r0 if place == 0 else (r1 if place == 1 else (r2 if place == 2 else r3))
        slope[i] = kept if drawn >= threshold else like(slope, 0.0)


@kernel
def _multiply(z: Any, slope: Any, a: Any) -> None:
    for i in range(z.shape[0]):
        a[i] = z[i] * slope[i]


@kernel
def dropout_pass(z: Any, a: Any, slope: Any, rate: Any, key: Any, first_index: Any) -> None:
    """Write a = slope · z with slopes that are 0 with probability ``rate``, else 1 / (1 − rate).

    Parameters
    ----------
    z : ndarray, shape (n,)
        Input.
    a, slope : ndarray, shape (n,)
        Overwritten. What is dropped is 0; where z is NaN or Inf it is NaN, as 0 · ∞ is.
    rate : float
        From 0 to below 1; at 0, as in evaluation, a is z.
    key : uint64
        From ``stream_key``.
    first_index : int
        Which number of the stream belongs to ``z[0]``: the same draws however a tensor is cut into chunks.

    Notes
    -----
    Scaled while training, so that nothing changes in evaluation (Srivastava et al. 2014 scale in evaluation).
    """
    size = z.shape[0]
    kept = like(z, 1.0 / (1.0 - rate))
    threshold = np.uint64(rate * 4294967296.0 + 0.5)
    if threshold == _ZERO:
        for i in range(size):
            slope[i] = like(z, 1.0)
        for i in range(size):
            a[i] = z[i]
        return
    word = first_index % _WORDS
    block = first_index // _WORDS
    start = 0
    if word > 0:
        start = min(size, _WORDS - word)
        _draw_part(stretch(slope, 0, start), kept, threshold, key, block, word)
        block += 1
    whole = (size - start) // _WORDS * _WORDS
    _draw_slopes(stretch(slope, start, whole), kept, threshold, key, block)
    if start + whole < size:
        rest = size - start - whole
        _draw_part(stretch(slope, start + whole, rest), kept, threshold, key, block + whole // _WORDS, 0)
    _multiply(z, slope, a)
