"""Stretches of flat buffers without reference counts, and how they are copied and cleared.

A slice in compiled code counts a reference up and down, atomically; at one unit per layer that is most of the
time of an iteration. The buffers outlive every call of the machine, so its stretches need not be counted.
"""

from __future__ import annotations

from typing import Any

from numba.core import cgutils, types
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from gradsim.engine.compilation import (
    IS_COMPILED,  # names the cache before numba is imported
    inner_kernel,
)

ALIGNMENT = 64
"""Bytes: tensors start on cache lines, which is also the widest vector."""


def _borrowed(typing_context: Any, array: Any, shape: tuple[Any, ...]) -> Any:
    dimensions = len(shape)
    result = types.Array(array.dtype, dimensions, "C", aligned=array.aligned)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = make_array(signature.args[0])(context, builder, arguments[0])
        out = make_array(result)(context, builder)
        size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(array.dtype)))
        lengths = list(arguments[2:])
        strides = [size]
        for length in reversed(lengths[1:]):
            strides.insert(0, builder.mul(strides[0], length))
        populate_array(
            out,
            data=builder.gep(source.data, [arguments[1]]),
            shape=cgutils.pack_array(builder, lengths),
            strides=cgutils.pack_array(builder, strides),
            itemsize=size,
            meminfo=None,
        )
        return impl_ret_borrowed(context, builder, result, out._getvalue())

    return result(array, types.intp, *(types.intp for _ in shape)), build


if not IS_COMPILED:

    def stretch(array: Any, start: Any, size: Any) -> Any:
        """Return ``size`` elements of a flat array from ``start`` on, as a flat array."""
        return array[start : start + size]

    def matrix(array: Any, start: Any, rows: Any, columns: Any) -> Any:
        """Return ``rows · columns`` elements of a flat array from ``start`` on, as a matrix."""
        return array[start : start + rows * columns].reshape(rows, columns)

else:

    @intrinsic
    def stretch(typing_context, array, start, size):  # type: ignore[no-untyped-def]
        """Return ``size`` elements of a flat array from ``start`` on, as a flat array."""
        return _borrowed(typing_context, array, (size,))

    @intrinsic
    def matrix(typing_context, array, start, rows, columns):  # type: ignore[no-untyped-def]
        """Return ``rows · columns`` elements of a flat array from ``start`` on, as a matrix."""
        return _borrowed(typing_context, array, (rows, columns))


@inner_kernel
def copy(source: Any, out: Any) -> None:
    """Copy source into out, element by element."""
    for i in range(out.shape[0]):
        out[i] = source[i]


@inner_kernel
def clear(x: Any) -> None:
    """Make every element 0."""
    for i in range(x.shape[0]):
        x[i] = 0
