"""``gradsim`` and ``gradsim FILE``: the window, or the same job in the terminal where there is no display."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gradsim.cli.arguments import COMMANDS
from gradsim.cli.failure import Failure

WELCOME = "welcome"


def open_window(argv: Sequence[str]) -> int:
    """Open the window, with an experiment if one is named.

    Parameters
    ----------
    argv : sequence of str
        Nothing, or one experiment: a path or the name of an example.

    Returns
    -------
    int
        Exit code.

    Raises
    ------
    Failure
        If the argument is neither a command nor an experiment.
    """
    from gradsim.cli.source import example_names, located

    near = difflib.get_close_matches(argv[0], COMMANDS, n=1) if argv else []
    if near and not Path(argv[0]).exists() and argv[0] not in example_names():
        raise Failure(f'{argv[0]}: no such command; did you mean "gradsim {near[0]}"?')
    if len(argv) > 1:
        raise Failure(f"expected a command or one file, got {' '.join(argv[:3])!r}; see gradsim --help")
    try:
        path = located(argv[0]) if argv else None
    except Failure as failure:
        raise Failure(f"{failure}, and no command of that name; see gradsim --help") from None
    if not has_display(os.environ, sys.platform):
        from gradsim.cli.welcome import run_here

        return run_here(argv[0] if argv else WELCOME)
    from gradsim.app import main

    return main([] if path is None else [str(path)])


def has_display(environment: Mapping[str, str], system: str) -> bool:
    """Return whether a window could be seen.

    Parameters
    ----------
    environment : mapping of str to str
        Environment variables.
    system : str
        ``sys.platform``.

    Returns
    -------
    bool
        True on Windows and macOS, and where an X or Wayland display or a Qt platform is named.
    """
    if system in ("win32", "darwin"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
