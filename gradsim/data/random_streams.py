"""Random numbers by name: every purpose has a stream of its own, so that adding one reshuffles no other."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np


def stream_key(seed: int, purpose: str, name: str = "") -> int:
    """Return the key of a stream of random numbers.

    Parameters
    ----------
    seed : int
        Of the experiment.
    purpose : str
        What the numbers are for, such as ``"data"`` or ``"initial"``.
    name : str, default ""
        Which one of that purpose, such as the name of a parameter.

    Returns
    -------
    int
        64 bits, the same on every machine and in every version of Python.
    """
    words = "\0".join((str(seed), purpose, name))
    return int.from_bytes(blake2b(words.encode(), digest_size=8, person=b"gradsim").digest(), "little")


def generator(seed: int, purpose: str, name: str = "") -> np.random.Generator:
    """Return a generator at the start of a stream.

    Parameters
    ----------
    seed : int
        Of the experiment.
    purpose : str
        What the numbers are for.
    name : str, default ""
        Which one of that purpose.

    Returns
    -------
    numpy.random.Generator
        Philox (Salmon et al. 2011) under ``stream_key(seed, purpose, name)``.
    """
    return np.random.Generator(np.random.Philox(key=stream_key(seed, purpose, name)))
