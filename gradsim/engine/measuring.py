"""Statistics of whole tensors, where no pass over them is at hand to take them along."""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import inner_kernel
from gradsim.engine.memory import stretch
from gradsim.engine.program import counts_of, values_of
from gradsim.engine.statistics import CHUNK, accumulate_statistics, begin_statistics, finish_statistics


@inner_kernel
def measure_tensor(x: Any, measures: Any, layer: Any, tensor: Any) -> None:
    """Write the statistics of a flat tensor to the place of a layer's tensor."""
    size = x.shape[0]
    begin_statistics(measures.first)
    for start in range(0, size, CHUNK):
        accumulate_statistics(stretch(x, start, min(CHUNK, size - start)), measures.first)
    finish_statistics(
        measures.first, size, values_of(measures, layer, tensor), counts_of(measures, layer, tensor)
    )
