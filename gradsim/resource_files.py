"""Where icons, fonts, bundled data, lessons and example experiments lie on disk.

Only the finding belongs here; what is in a file is the business of the package that reads it. This is the
lowest module: every package may use it.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

EXPERIMENT_ENDING = ".gradsim.json"
"""How the names of files with an experiment end."""


def resource_path(*parts: str) -> Path:
    """
    Path of a shipped file or folder.

    A wheel carries the resources inside the package as ``_resources``; in a checkout, and in an editable
    install of one, they lie beside it as ``resources``. Both are found from this file. Never by import name:
    an editable install leaves a copy in site-packages that nobody updates.

    Parameters
    ----------
    *parts : str
        Folder and file names below the folder of resources; none for that folder itself.

    Returns
    -------
    Path
        Absolute path of an existing file or folder.

    Raises
    ------
    FileNotFoundError
        If this installation has no such resource.
    """
    folders = (_PACKAGE / "_resources", _PACKAGE.parent / "resources")
    for folder in folders:
        path = folder.joinpath(*parts)
        if path.exists():
            return path
    places = " or ".join(str(folder) for folder in folders)
    raise FileNotFoundError(
        f"GradSim's resource {'/'.join(parts) or 'folder'} is missing: looked in {places}"
    )


def example_files() -> dict[str, Path]:
    """
    Files of the experiments that come with GradSim.

    Returns
    -------
    dict from str to Path
        By their names without the ending, in alphabetical order; empty if this installation has none.
    """
    try:
        folder = resource_path("experiments")
    except FileNotFoundError:
        return {}
    files = folder.glob(f"*{EXPERIMENT_ENDING}")
    return dict(sorted((file.name.removesuffix(EXPERIMENT_ENDING), file) for file in files))
