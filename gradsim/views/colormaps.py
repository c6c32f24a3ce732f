"""Tables that turn numbers into colours: 256 rows of red, green, blue as bytes.

Magnitudes are drawn with cividis (Nuñez, Anderton and Renslow 2018), which reads alike with every colour
vision and in grey; signed values with a diverging table between two colours of Okabe and Ito whose middle is
the ground of the theme. 0, NaN and ∞ have colours outside the table, so that they cannot be taken for small
or large values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from gradsim.views.theme import Theme

Table = NDArray[np.uint8]

_CIVIDIS = (
    "00204d00214e00225000225200235300245500255700255800265a00275c00275e002860002961002a63002a65002b67"
    "002c69002c6a002d6c002e6e002e6f002f6f002f6f00306f00306f00316f00326f00336f00336f00346f00356e01366e"
    "06366e0b376e0f386e12386d15396d183a6d1a3b6d1d3b6d1f3c6d213d6d233e6c243e6c263f6c28406c2a406c2b416c"
    "2d426c2e436c30436c31446b32456b34456b35466b36476b38486b39486b3a496b3b4a6b3d4a6b3e4b6b3f4c6b404d6b"
    "414d6b424e6b434f6b444f6b46506b47516b48526b49526b4a536b4b546c4c546c4d556c4e566c4f576c50576c51586c"
    "52596c53596c545a6c555b6d565c6d575c6d585d6d595e6d595f6d5a5f6d5b606e5c616e5d616e5e626e5f636e60646f"
    "61646f62656f63666f64666f646770656870666970676970686a71696b716a6c716b6c716c6d726c6e726d6e726e6f73"
    "6f70737071737171747272747273747374757474757575757676767777767877777878777979777a7a787b7a787c7b78"
    "7d7c787e7d787f7d78807e79817f798280798380798481798482798583798683798784798885798986798a87798b8779"
    "8c88798d89798e8a798f8a79908b79918c78928d78938e78948e78958f789690789791789892789992789a93779b9477"
    "9c95779d96779e96779f9777a09877a19976a29a76a39a76a49b76a59c76a69d75a89e75a99f75aa9f75aba074aca174"
    "ada274aea374afa473b0a473b1a573b2a672b3a772b4a872b5a971b6a971b7aa71b8ab70b9ac70baad70bbae6fbcaf6f"
    "beaf6fbfb06ec0b16ec1b26dc2b36dc3b46dc4b56cc5b56cc6b66bc7b76bc8b86ac9b96acbba69ccbb69cdbc68cebc68"
    "cfbd67d0be67d1bf66d2c066d3c165d4c264d6c364d7c463d8c563d9c562dac661dbc761dcc860ddc95fdeca5fe0cb5e"
    "e1cc5de2cd5ce3ce5ce4cf5be5d05ae6d159e8d259e9d358ead357ebd456ecd555edd654efd753f0d852f1d951f2da50"
    "f3db4ff4dc4ef6dd4df7de4cf8df4bf9e04afae149fbe248fde346fee445ffe544ffe642ffe742ffe843ffe944ffea46"
)

CIVIDIS: Table = np.frombuffer(bytes.fromhex(_CIVIDIS), dtype=np.uint8).reshape(256, 3)
"""Dark blue (least) to yellow (most). The numbers are matplotlib's, which are in the public domain (CC0)."""


def _diverging(middle: tuple[float, float, float]) -> Table:
    """Blue (negative) over the given middle to vermilion (positive), straight lines in linear light."""
    ends = np.array([(0, 114, 178), middle, (213, 94, 0)]) / 255.0
    at = np.linspace(-1.0, 1.0, 256)
    # Interpolating squares keeps the halves even in brightness; a middle flat in bytes looks muddy.
    channels = [np.sqrt(np.interp(at, (-1.0, 0.0, 1.0), ends[:, c] ** 2)) for c in range(3)]
    table = np.round(np.stack(channels, axis=1) * 255.0).astype(np.uint8)
    table.flags.writeable = False
    return table


DIVERGING_LIGHT: Table = _diverging((247, 247, 247))
DIVERGING_DARK: Table = _diverging((38, 42, 49))

ZERO = 256
NAN = 257
INFINITE = 258
EMPTY = 259
"""Rows of an extended table that follow its 256 colours: exactly 0, NaN, ±∞, nothing recorded."""


ZERO_COLOR = "#d9dde3"
"""Of exactly 0, which carries dots: a near white, since cividis runs through all greys of middle brightness."""


def diverging(theme: Theme) -> Table:
    """Return the table for signed values.

    Parameters
    ----------
    theme : Theme
        Whose ground is the middle.

    Returns
    -------
    ndarray of uint8, shape (256, 3)
        Row 0 is the most negative.
    """
    return DIVERGING_DARK if theme.is_dark else DIVERGING_LIGHT


def extended(table: Table, theme: Theme) -> NDArray[np.uint32]:
    """Return a table with the rows ``ZERO``, ``NAN``, ``INFINITE`` and ``EMPTY`` behind its colours.

    Parameters
    ----------
    table : ndarray of uint8, shape (256, 3)
        Colours of ordinary values.
    theme : Theme
        Decides the colours of the four.

    Returns
    -------
    ndarray of uint32, shape (260,)
        0xffrrggbb, as ``QImage.Format_RGB32`` wants them.
    """
    chosen = (ZERO_COLOR, theme.update, theme.bad, theme.background)
    special = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in chosen])
    rgb = np.concatenate([table.astype(np.uint32), special.astype(np.uint32)])
    return 0xFF000000 | rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2]


def scaled(values: NDArray[np.floating], low: float, high: float) -> NDArray[np.intp]:
    """Return rows of an extended table for numbers; ±∞ and NaN get their own.

    Parameters
    ----------
    values : ndarray
        Any shape.
    low, high : float
        Values of the first and the last colour; what lies beyond gets those.

    Returns
    -------
    ndarray of intp, the same shape
        From 0 to 255, ``NAN`` or ``INFINITE``.
    """
    span = high - low if high > low else 1.0
    with np.errstate(invalid="ignore", over="ignore"):
        position = np.clip((values - low) * (255.0 / span), 0.0, 255.0)
        rows = np.where(np.isfinite(values), position + 0.5, NAN).astype(np.intp)
    rows[np.isinf(values)] = INFINITE
    return rows


def image(rows: NDArray[np.integer], colors: NDArray[np.uint32]) -> QImage:
    """Return a picture with one pixel per number.

    Parameters
    ----------
    rows : ndarray of int, shape (height, width)
        Rows of the table, the top of the picture first.
    colors : ndarray of uint32, shape (colours,)
        As from ``extended``.

    Returns
    -------
    QImage
        Owns its pixels.
    """
    pixels = np.ascontiguousarray(colors[rows], dtype=np.uint32)
    height, width = pixels.shape
    return QImage(pixels.data, width, height, width * 4, QImage.Format.Format_RGB32).copy()
