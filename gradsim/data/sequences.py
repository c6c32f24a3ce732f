"""Sequences drawn from a seed, whose answer hangs on what was seen long before: one function per kind."""

from __future__ import annotations

import numpy as np

from gradsim.data.raw import RawSamples, check_size
from gradsim.spec.data import Adding, CopyMemory, DelayedParity

_ORIGIN = "drawn from the seed"


def adding(spec: Adding, random: np.random.Generator) -> RawSamples:
    """Return lists of numbers of which two are marked; their sum is the target (adding problem).

    Hochreiter and Schmidhuber (1997), experiment 4, in the form of Le, Jaitly and Hinton (2015): numbers from 0
    to 1, one mark in each half of the list. Always answering 1 has a mean squared error of 1/6.

    Parameters
    ----------
    spec : Adding
        How many lists, how long.
    random : numpy.random.Generator
        Draws the numbers and the places of the marks.

    Returns
    -------
    RawSamples
        Features ``value`` and ``mark`` (1 or 0), target ``sum``.

    Raises
    ------
    SpecError
        If the samples would take too much memory.
    """
    check_size(spec.samples, 2 * spec.steps + 1)
    half = spec.steps // 2
    value = random.random((spec.samples, spec.steps))
    sample = np.arange(spec.samples)
    first = random.integers(0, half, spec.samples)
    second = random.integers(half, spec.steps, spec.samples)
    mark = np.zeros_like(value)
    mark[sample, first] = mark[sample, second] = 1.0
    total = value[sample, first] + value[sample, second]
    return RawSamples(
        inputs=np.stack([value, mark], axis=-1),
        feature_names=("value", "mark"),
        output_names=("sum",),
        title=f"Adding two of {spec.steps} numbers",
        origin=_ORIGIN,
        numbers=total[:, None],
    )


def copy_memory(spec: CopyMemory, random: np.random.Generator) -> RawSamples:
    """Return symbols that are to be kept during blanks and written down after a delimiter (copy memory).

    As in Arjovsky, Shah and Bengio (2016): ``length`` symbols, ``delay - 1`` blanks, the delimiter, ``length``
    blanks. Every step is answered: with the blank until the delimiter has been seen, then with the symbols in
    their order. Without memory the best cross-entropy is ``length · ln(symbols) / steps``.

    Parameters
    ----------
    spec : CopyMemory
        How many sequences, how many symbols, how long to keep them.
    random : numpy.random.Generator
        Draws the symbols.

    Returns
    -------
    RawSamples
        One feature per symbol, blank and delimiter, of which one is 1 and the others are 0; the classes, of
        shape (samples, steps), are 0 for the blank and 1… for the symbols.

    Raises
    ------
    SpecError
        If the samples would take too much memory.
    """
    steps = 2 * spec.length + spec.delay
    blank, delimiter = spec.symbols, spec.symbols + 1
    # Inputs, targets of one column per class, and the class numbers themselves.
    check_size(spec.samples, steps * (spec.symbols + 2 + spec.symbols + 1 + 1))
    kept = random.integers(0, spec.symbols, (spec.samples, spec.length))
    shown = np.full((spec.samples, steps), blank)
    shown[:, : spec.length] = kept
    shown[:, spec.length + spec.delay - 1] = delimiter
    classes = np.zeros((spec.samples, steps), dtype=np.int64)
    classes[:, -spec.length :] = kept + 1
    inputs = np.zeros((spec.samples, steps, spec.symbols + 2))
    np.put_along_axis(inputs, shown[..., None], 1.0, axis=-1)
    names = tuple(f"symbol {k + 1}" for k in range(spec.symbols))
    return RawSamples(
        inputs=inputs,
        feature_names=(*names, "blank", "delimiter"),
        output_names=("blank", *names),
        title=f"Copying {spec.length} symbols after {spec.delay} steps",
        origin=_ORIGIN,
        classes=classes,
    )


def delayed_parity(spec: DelayedParity, random: np.random.Generator) -> RawSamples:
    """Return bits, then zeros, then the question whether an odd number of the bits was 1 (delayed parity).

    Parameters
    ----------
    spec : DelayedParity
        How many sequences, how many bits, how long until the question.
    random : numpy.random.Generator
        Draws the bits; both answers are equally frequent, ±1.

    Returns
    -------
    RawSamples
        Features ``bit``, +1 or −1 at the first ``bits`` steps and 0 then, and ``question``, 1 at the last of
        ``bits + delay`` steps; classes 0 even and 1 odd.

    Raises
    ------
    SpecError
        If the samples would take too much memory.
    """
    steps = spec.bits + spec.delay
    check_size(spec.samples, 2 * steps + 2)
    classes = random.permutation(np.arange(spec.samples) % 2)
    bits = random.integers(0, 2, (spec.samples, spec.bits))
    # The last bit makes the parity the class: the others are as random as before, and it with them.
    bits[:, -1] = (classes + bits[:, :-1].sum(axis=1)) % 2
    inputs = np.zeros((spec.samples, steps, 2))
    inputs[:, : spec.bits, 0] = 2.0 * bits - 1.0
    inputs[:, -1, 1] = 1.0
    counted = "1 bit" if spec.bits == 1 else f"{spec.bits} bits"
    return RawSamples(
        inputs=inputs,
        feature_names=("bit", "question"),
        output_names=("even", "odd"),
        title=f"Parity of {counted} after {spec.delay} steps",
        origin=_ORIGIN,
        classes=classes.astype(np.int64),
    )
