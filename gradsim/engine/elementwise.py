"""Arithmetic of whole tensors, element by element, where no other pass can take it along."""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import kernel


@kernel
def multiply_into(out: Any, factor: Any) -> None:
    """Multiply out by factor, element by element."""
    for i in range(out.shape[0]):
        out[i] *= factor[i]
