"""The window: session, worker, player, commands. Importing this imports neither Qt nor numba."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """
    Open the window and return when it is closed.

    Parameters
    ----------
    argv : sequence of str or None, default None
        At most one file to open; None for the arguments of the process.

    Returns
    -------
    int
        Exit code: 0, or 2 where the window cannot be opened.
    """
    from gradsim.app.start import open_window, refusal

    if (reason := refusal()) is not None:
        print(f"gradsim: {reason}", file=sys.stderr)
        return 2
    return open_window(sys.argv[1:] if argv is None else argv)
