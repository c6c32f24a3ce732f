"""What a person gets who installs GradSim instead of cloning it."""

import os
import subprocess
import sys
import zipfile

import pytest

import gradsim
from tests.conftest import REPOSITORY


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    answer = subprocess.run(
        [*command, "--wheel-dir", str(folder), "."],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.mark.slow
def test_a_wheel_carries_every_shipped_resource_and_module_and_nothing_else(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    resources = {path for path in (REPOSITORY / "resources").rglob("*") if path.is_file()}
    modules = set((REPOSITORY / "gradsim").rglob("*.py"))
    assert {
        f"gradsim/_resources/{path.relative_to(REPOSITORY / 'resources')}" for path in resources
    } <= inside
    assert {str(path.relative_to(REPOSITORY)) for path in modules} <= inside
    assert {name.split("/")[0] for name in inside} == {"gradsim", f"gradsim-{gradsim.__version__}.dist-info"}


@pytest.mark.slow
def test_an_installed_wheel_finds_its_resources_far_from_any_checkout(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    program = "import gradsim.resource_files as files; print(files.resource_path('README.md'))"
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == str(tmp_path / "gradsim/_resources/README.md")
