"""What the program remembers of a person between two starts: one small JSON file, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from PySide6.QtCore import QIODevice, QSaveFile, QStandardPaths

ThemeChoice = Literal["system", "light", "dark"]
MOST_RECENT = 10


class ExportChoices(msgspec.Struct, frozen=True, kw_only=True):
    """How the last figure was written."""

    format: Literal["png", "svg", "pdf", "csv"] = "png"
    is_as_on_screen: bool = True
    width: float = 160.0
    height: float = 90.0
    unit: Literal["mm", "px"] = "mm"
    resolution: float = 300.0
    """Dots per inch of a picture."""
    colours: Literal["screen", "light", "dark", "paper"] = "paper"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The remembered values; each has a default that stands in where the file is missing or damaged."""

    theme: ThemeChoice = "system"
    geometry: str = ""
    """Place and size of the window, as Qt saves them, in base64."""
    layout: str = ""
    """Docks and toolbars, as Qt saves them, in base64."""
    recent_files: tuple[str, ...] = ()
    """Newest first."""
    folder: str = ""
    """Where the last file was opened or saved."""
    speed: float = 4.0
    """Steps per second of the playback."""
    loop: bool = False
    welcome_at_start: bool | None = None
    """Whether the welcome page opens by itself; None before the very first start, at which it does."""
    export: ExportChoices = ExportChoices()


def settings_path() -> Path:
    """
    Return the file that holds the settings.

    Returns
    -------
    Path
        In the folder that the system reserves for the settings of this program; it need not exist yet.
    """
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppConfigLocation)
    return Path(folder) / "settings.json"


def read_settings(path: Path) -> Settings:
    """
    Return the settings of a file, with the default for whatever is missing, damaged or out of date.

    Parameters
    ----------
    path : Path
        The file; it need not exist.

    Returns
    -------
    Settings
        A wrong value costs only itself, never the others.
    """
    try:
        document = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Settings()
    if not isinstance(document, dict):
        return Settings()
    known = {}
    for field in msgspec.structs.fields(Settings):
        if field.name in document:
            try:
                known[field.name] = msgspec.convert(document[field.name], field.type, strict=True)
            except msgspec.ValidationError:
                continue
    return Settings(**known)


def write_settings(settings: Settings, path: Path) -> bool:
    """
    Write the settings so that the file is always whole.

    Parameters
    ----------
    settings : Settings
        What to remember.
    path : Path
        The file; its folder is made where it is missing.

    Returns
    -------
    bool
        False where the system did not allow it: forgetting a window size is no reason to disturb anybody.
    """
    return write_atomically(path, msgspec.json.format(msgspec.json.encode(settings), indent=2))


def write_atomically(path: Path, content: bytes) -> bool:
    """
    Replace a file by its new content in one go, so that a crash leaves the old or the new one.

    Parameters
    ----------
    path : Path
        The file; its folder is made where it is missing.
    content : bytes
        All of it.

    Returns
    -------
    bool
        Whether it was written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    file = QSaveFile(str(path))
    if not file.open(QIODevice.OpenModeFlag.WriteOnly):
        return False
    file.write(content)
    return file.commit()


def with_recent_file(settings: Settings, path: Path) -> Settings:
    """
    Return the settings with a file on top of those opened recently.

    Parameters
    ----------
    settings : Settings
        The present ones.
    path : Path
        The file that was opened or saved.

    Returns
    -------
    Settings
        With at most ``MOST_RECENT`` files, each once.
    """
    name = str(path.resolve())
    others = tuple(other for other in settings.recent_files if other != name)
    return msgspec.structs.replace(
        settings, recent_files=(name, *others)[:MOST_RECENT], folder=str(path.resolve().parent)
    )
