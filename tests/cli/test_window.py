"""The bare command."""

import pytest

from gradsim.cli import main, welcome, window
from gradsim.cli.window import has_display


@pytest.mark.parametrize(
    ("environment", "system", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({}, "freebsd14", False),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_a_display_is_known_by_its_variables_except_where_there_always_is_one(environment, system, expected):
    assert has_display(environment, system) is expected


@pytest.fixture
def called(monkeypatch):
    calls = []
    monkeypatch.setattr("gradsim.app.main", lambda argv: calls.append(("window", argv)) or 0, raising=False)
    monkeypatch.setattr(welcome, "run_here", lambda name: calls.append(("here", name)) or 0)
    return calls


@pytest.mark.parametrize("display", [True, False])
def test_the_bare_command_opens_the_window_or_works_here(display, called, monkeypatch):
    monkeypatch.setattr(window, "has_display", lambda environment, system: display)
    assert main([]) == 0
    assert called == [("window", []) if display else ("here", "welcome")]


@pytest.mark.parametrize("display", [True, False])
def test_a_file_opens_in_the_window_or_is_run_here(display, called, monkeypatch, tmp_path):
    monkeypatch.setattr(window, "has_display", lambda environment, system: display)
    file = tmp_path / "mine.gradsim.json"
    file.write_text("{}")
    assert main([str(file)]) == 0
    assert called == [("window", [str(file)]) if display else ("here", str(file))]


@pytest.mark.parametrize("words", [["rum"], ["rum", "welcome"], ["diagnos", "x", "--json"]])
def test_a_misspelt_command_is_answered_with_the_nearest(words, called, capsys):
    assert main(words) == 2
    meant = "run" if words[0] == "rum" else "diagnose"
    assert (
        capsys.readouterr().err == f'gradsim: {words[0]}: no such command; did you mean "gradsim {meant}"?\n'
    )
    assert called == []


def test_a_file_called_almost_like_a_command_is_opened(called, monkeypatch, tmp_path):
    monkeypatch.setattr(window, "has_display", lambda environment, system: True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rum").write_text("{}")
    assert main(["rum"]) == 0
    assert called == [("window", ["rum"])]


@pytest.mark.parametrize("words", [["zzz"], ["zzz", "welcome"], ["nothing.json"]])
def test_a_word_that_is_neither_command_nor_file_is_refused(words, called, capsys):
    assert main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("gradsim: ")
    assert "see gradsim --help" in err
    assert called == []
