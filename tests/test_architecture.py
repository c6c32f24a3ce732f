"""Promises about the package as a whole that import-linter (``make lint``) does not watch."""

import ast
import subprocess
import sys
import tomllib

import pytest

import gradsim
from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "gradsim"
MODULES = sorted(PACKAGE.rglob("*.py"))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {contract["name"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}
HEAVY = ("PySide6", "numba", "numpy", "pyqtgraph", "scipy")
VAGUE = {"base", "common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}


def loaded_heavy_modules(statement: str) -> tuple[list[str], str]:
    """Those of HEAVY that a fresh interpreter has loaded after the statement, and everything it printed."""
    program = (
        f"import sys\ntry:\n    {statement}\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('loaded', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    printed, _, loaded = answer.stdout.rpartition("loaded")
    return loaded.split(), printed


def test_importing_gradsim_loads_nothing_heavy():
    assert loaded_heavy_modules("import gradsim; dir(gradsim)") == ([], "")


@pytest.mark.parametrize(
    ("option", "expected"), [("--version", gradsim.__version__), ("--help", "doctor"), ("run --help", "FILE")]
)
def test_the_terminal_answers_simple_questions_without_loading_anything_heavy(option, expected):
    statement = (
        f"sys.argv = ['gradsim', *{option.split()!r}]; import runpy; "
        "runpy.run_module('gradsim', run_name='__main__')"
    )
    loaded, printed = loaded_heavy_modules(statement)
    assert expected.lower() in printed.lower()
    assert loaded == []


@pytest.mark.parametrize("name", gradsim.__all__)
def test_every_name_of_the_interface_leads_somewhere(name):
    assert getattr(gradsim, name) is not None
    assert name in dir(gradsim)


def test_an_unknown_name_is_refused_as_by_any_module():
    with pytest.raises(AttributeError, match="no attribute 'loda'"):
        _ = gradsim.loda


def test_no_module_has_a_name_that_says_nothing():
    vague = [
        str(path.relative_to(REPOSITORY)) for path in PACKAGE.rglob("*") if VAGUE & set(path.stem.split("_"))
    ]
    assert vague == [], "a helper without a home is a concept without a name"


def test_every_package_stands_under_the_contracts_that_concern_it():
    packages = {f"gradsim.{path.parent.name}" for path in PACKAGE.glob("*/__init__.py")}
    packages.add("gradsim.resource_files")
    without_qt = set(CONTRACTS["Qt lives in views and app"]["source_modules"])
    without_numba = set(CONTRACTS["numba lives in engine"]["source_modules"])
    assert packages - without_qt == {"gradsim.app", "gradsim.cli", "gradsim.views"} & packages
    assert packages - without_numba == {"gradsim.engine"} & packages


def test_every_file_says_what_belongs_in_it():
    silent = [
        str(path.relative_to(REPOSITORY))
        for path in MODULES
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_every_test_folder_is_a_package_so_that_equal_file_names_do_not_collide():
    folders = {path.parent for path in (REPOSITORY / "tests").rglob("test_*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []
