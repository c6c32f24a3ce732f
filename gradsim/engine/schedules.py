"""The learning rate of an iteration."""

from __future__ import annotations

import math
from typing import Any

from gradsim.engine.compilation import kernel

SCHEDULE_CODES = {"constant": 0, "step": 1, "cosine": 2}
CONSTANT = 0
STEP = 1
COSINE = 2


@kernel
def scheduled_rate(kind: Any, rate: Any, iteration: Any, warm_up: Any, length: Any, share: Any) -> Any:
    """Return the learning rate of an iteration (the first is 0).

    Over the first ``warm_up`` iterations the rate rises in equal steps to ``rate``, which iteration
    ``warm_up − 1`` has. Counted from then on: ``step`` multiplies by ``share`` every ``length`` iterations;
    ``cosine`` falls to ``share · rate`` over ``length`` iterations and stays (Loshchilov and Hutter 2017).
    """
    if iteration < warm_up:
        return rate * (iteration + 1) / warm_up
    since = iteration - warm_up
    if kind == STEP:
        return rate * share ** (since // length)
    if kind == COSINE:
        progress = min(since / length, 1.0)
        return rate * (share + (1.0 - share) * 0.5 * (1.0 + math.cos(math.pi * progress)))
    return rate
