"""The bare command without a display."""

import pytest
from PIL import Image

from gradsim.cli import main, welcome, window

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine


@pytest.fixture
def undisplayed(monkeypatch, tmp_path, qapp):
    monkeypatch.setattr(window, "has_display", lambda environment, system: False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_says_so_tells_every_layer_and_writes_pictures_and_animations(undisplayed, small, capsys):
    assert main([small]) == 0
    text = capsys.readouterr().out
    assert text.startswith("There is no display")
    assert "dense_1" in text
    assert "From the output back to the input the error signal" in text
    folder = undisplayed / "gradsim-output"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["profile.png", "profile.svg", "network.png", "loss.png", "profile.gif", "pass.gif"]
    )
    with Image.open(folder / "profile.gif") as animation:
        assert animation.n_frames > 10
    with Image.open(folder / "pass.gif") as animation:
        assert animation.n_frames > 10


def test_without_a_file_it_is_the_welcome_experiment(undisplayed, capsys, monkeypatch):
    monkeypatch.setattr(welcome, "_pictures", lambda simulator, progress: [])
    assert main([]) == 130  # as if Ctrl+C had come before the first picture
    text = capsys.readouterr().out
    assert "Deep sigmoid on digits" in text
    assert "Diagnosis\nVanishing gradient and " in text
    assert "Remedies (usual order" in text
    assert "Written" not in text


def test_a_folder_that_cannot_be_made_is_one_sentence(undisplayed, small, capsys):
    (undisplayed / "gradsim-output").write_text("a file is in the way")
    assert main([small]) == 2
    assert capsys.readouterr().err.startswith("gradsim: gradsim-output: cannot be made: ")
