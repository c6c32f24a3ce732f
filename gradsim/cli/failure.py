"""How a command gives up: one sentence for people and an exit code for programs."""

from __future__ import annotations

DONE = 0
FOUND = 1
"""A check that was asked for has failed."""
BAD_INPUT = 2
INTERRUPTED = 130
"""What a shell expects of a program that Ctrl+C ended: 128 + SIGINT."""


class Failure(Exception):
    """A command that cannot go on.

    Parameters
    ----------
    sentence : str
        What is wrong and what would be right, without the name of the program.
    code : int, default 2
        Exit code.
    """

    def __init__(self, sentence: str, code: int = BAD_INPUT) -> None:
        super().__init__(sentence)
        self.code = code
