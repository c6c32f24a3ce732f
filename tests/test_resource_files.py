import pytest

from gradsim.resource_files import EXPERIMENT_ENDING, example_files, resource_path
from tests.conftest import REPOSITORY


def test_a_checkout_uses_its_own_resources_and_no_installed_copy():
    assert resource_path() == REPOSITORY / "resources"
    assert resource_path("README.md").read_text(encoding="utf-8").startswith("# Resources")


def test_resources_inside_the_package_come_first_as_in_a_wheel(tmp_path, monkeypatch):
    for folder in ("package/_resources", "resources"):
        (tmp_path / folder / "data").mkdir(parents=True)
        (tmp_path / folder / "data" / "x.csv").touch()
    monkeypatch.setattr("gradsim.resource_files._PACKAGE", tmp_path / "package")
    assert resource_path("data", "x.csv") == tmp_path / "package/_resources/data/x.csv"


def test_a_missing_resource_is_named_together_with_the_places_searched():
    with pytest.raises(
        FileNotFoundError, match=r"data/nowhere\.csv is missing: looked in .*_resources or .*"
    ):
        resource_path("data", "nowhere.csv")


def test_examples_are_known_by_name_and_an_installation_may_have_none(tmp_path, monkeypatch):
    found = example_files()
    assert list(found) == sorted(found)
    assert all(file.name == f"{name}{EXPERIMENT_ENDING}" and file.is_file() for name, file in found.items())
    assert "welcome" in found
    assert "topics" not in found
    monkeypatch.setattr("gradsim.resource_files._PACKAGE", tmp_path / "package")
    assert example_files() == {}
