"""Where icons, fonts, bundled data, lessons and example experiments lie on disk.

Only the finding belongs here; what is in a file is the business of the package that reads it. This is the
lowest module: every package may use it.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


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
