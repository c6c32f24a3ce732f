"""The terminal: every job of the window without a display, with the same numbers.

Only the choice of a command happens here. Each command imports what it needs when it is called, so that
``gradsim --help`` waits for nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command ``gradsim``.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the name of the program; those of the process by default.

    Returns
    -------
    int
        0 done, 1 a check failed or something was found, 2 bad input, 130 ended by Ctrl+C.
    """
    from gradsim.cli.failure import BAD_INPUT, INTERRUPTED, Failure
    from gradsim.cli.terminal import terminal_of

    try:
        code = _dispatched(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except Failure as failure:
        terminal_of(sys.stderr).write(f"gradsim: {failure}")
        return failure.code
    except KeyboardInterrupt:
        terminal_of(sys.stderr).write("gradsim: ended by Ctrl+C")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has what it wanted. Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        terminal_of(sys.stderr).write(f"gradsim: {place}{error.strerror or error}")
        return BAD_INPUT
    except ValueError as error:
        from gradsim.spec import SpecError

        if not isinstance(error, SpecError):
            raise
        terminal_of(sys.stderr).write(f"gradsim: {error}")
        return BAD_INPUT


def _dispatched(argv: list[str]) -> int:
    from gradsim.cli.arguments import COMMANDS, argument_parser

    if not argv or (argv[0] not in COMMANDS and not argv[0].startswith("-")):
        from gradsim.cli.window import open_window

        return open_window(argv)
    try:
        arguments = argument_parser().parse_args(argv)
    except SystemExit as end:  # --help and --version
        return int(end.code or 0)
    return _carried_out(arguments)


def _carried_out(arguments: argparse.Namespace) -> int:
    if arguments.command == "run":
        from gradsim.cli.run import run

        return run(arguments)
    if arguments.command == "diagnose":
        from gradsim.cli.diagnose import diagnose

        return diagnose(arguments)
    if arguments.command == "render":
        from gradsim.cli.render import render

        return render(arguments)
    if arguments.command == "schema":
        from gradsim.cli.schema import print_schema

        return print_schema(arguments)
    if arguments.command == "check":
        from gradsim.cli.check import prove

        return prove(arguments)
    if arguments.command == "cost":
        from gradsim.cli.cost import tell_cost

        return tell_cost(arguments)
    if arguments.command == "lessons":
        from gradsim.cli.lessons import lessons

        return lessons(arguments)
    from gradsim.cli.doctor import examine

    return examine(arguments)
