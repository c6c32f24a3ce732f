"""The one error that a wrong experiment raises."""

from __future__ import annotations


class SpecError(ValueError):
    """An experiment that asks for something impossible.

    Parameters
    ----------
    path : str
        Where in the document, as a JSON path: ``$.network.layers[2].units``.
    reason : str
        What is wrong and what would be right: ``expected an integer from 1 to 4096, got 0``.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[SpecError], tuple[str, str]]:
        """Pickle by the two parts, because the message alone cannot be split again."""
        return (SpecError, (self.path, self.reason))
