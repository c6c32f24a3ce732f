"""``gradsim schema``: the JSON Schema of an experiment, for editors and other programs."""

from __future__ import annotations

import argparse

from gradsim.cli.failure import DONE
from gradsim.cli.terminal import terminal_of


def print_schema(arguments: argparse.Namespace) -> int:
    """Print the JSON Schema of the experiment document.

    Parameters
    ----------
    arguments : Namespace
        None are used.

    Returns
    -------
    int
        Exit code.
    """
    from gradsim import formats
    from gradsim.cli.documents import json_text

    terminal = terminal_of()
    print(json_text(formats.schema(), ascii_only=not terminal.unicode))
    return DONE
