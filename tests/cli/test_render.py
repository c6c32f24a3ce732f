"""gradsim render."""

import csv
import os
import signal
import subprocess
import sys

import pytest
from PIL import Image, ImageSequence

from gradsim.analysis import profile
from gradsim.cli import figures, main
from gradsim.cli.animation import MOVING
from gradsim.cli.arguments import THEMES, VIEWS
from gradsim.cli.progress import Progress
from gradsim.engine import Simulator
from tests.cli.conftest import SMALL

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine

FIGURES = [view for view in VIEWS if view != "window"]


@pytest.mark.parametrize("view", FIGURES)
def test_every_view_becomes_a_picture_with_something_in_it(view, small, sequences, tmp_path, capsys, qapp):
    path = tmp_path / "figure.png"
    words = [
        "render",
        sequences if view == "time" else small,
        "--view",
        view,
        "-o",
        str(path),
        "--iterations",
        "12",
    ]
    assert main([*words, "--size", "500x300", "--scale", "1"]) == 0
    assert capsys.readouterr().out == f"Written: {path}\n"
    with Image.open(path) as picture:
        assert picture.size == (500, 300)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 10


def test_a_view_of_time_without_time_steps_says_so(small, tmp_path, capsys):
    path = tmp_path / "figure.png"
    assert main(["render", small, "--view", "time", "-o", str(path)]) == 2
    assert "expected sequences, got data without time steps (Two moons)" in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.parametrize("ending", [".svg", ".pdf", ".PNG"])
def test_the_ending_decides_the_format(ending, small, tmp_path, qapp):
    path = tmp_path / f"figure{ending}"
    assert main(["render", small, "-o", str(path), "--iterations", "2"]) == 0
    beginning = {".svg": b"<?xml", ".pdf": b"%PDF", ".PNG": b"\x89PNG"}[ending]
    assert path.read_bytes().startswith(beginning)


def test_a_csv_holds_the_numbers_of_the_figure(small, tmp_path, qapp):
    path = tmp_path / "profile.csv"
    assert main(["render", small, "-o", str(path), "--iterations", "12"]) == 0
    simulator = Simulator(SMALL)
    simulator.advance(12)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    found = [float(row["delta_rms"]) for row in csv.DictReader(lines)]
    assert found == profile(simulator.record()).delta_rms.tolist()


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_decides_the_ground(theme, small, tmp_path, qapp):
    path = tmp_path / "figure.png"
    words = ["render", small, "-o", str(path), "--iterations", "0", "--theme", theme, "--size", "300x200"]
    assert main(words) == 0
    with Image.open(path) as picture:
        corner = picture.convert("RGB").getpixel((1, 1))
    assert corner == ((22, 24, 28) if theme == "dark" else (255, 255, 255))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--view", "decision", "--set", "data=iris"], "--view decision: expected data with 2 inputs, got 4"),
        (["--size", "8000x8000", "--scale", "16"], "expected at most 100,000,000 pixels in all"),
        (["--view", "window", "--theme", "paper"], "--view window: expected the theme light or dark"),
        (["-o", "no/such/folder/f.png"], "there is no folder no/such/folder"),
        (["--view", "window", "-o", "window.svg"], "--view window: expected a name that ends in .png"),
        (
            ["--view", "cause", "--option", "direction=sideways"],
            "--option direction=sideways: expected direction to be backward or forward, got 'sideways'",
        ),
        (
            ["--view", "cause", "--option", "ratio=maybe"],
            "--option ratio=maybe: expected ratio to be on or off, got 'maybe'",
        ),
        (
            ["--view", "network", "--option", "way=off"],
            "--option way=off: expected one of network: units=magnitude|value; links=weight|gradient|none; "
            "unrolled=on|off",
        ),
        (
            ["--view", "cause", "--option", "direction"],
            "--option direction: expected one of cause: direction=",
        ),
        (["--view", "window", "--layer", "head"], "--view window: expected neither --option nor --layer"),
        (["--view", "cause", "--layer", "dense_9"], "--layer dense_9: expected one of dense_1, "),
        (
            ["--view", "network", "--layer", "head", "--unit", "9"],
            "--unit 9: expected a unit of head, from 1",
        ),
        (["--view", "network", "--unit", "9"], "--unit 9: expected --layer NAME, too"),
        (
            ["--view", "cause", "--layer", "head", "--unit", "1"],
            "--unit 1: expected the view network or time",
        ),
        (
            ["--view", "loss", "--layer", "head"],
            "--layer head: expected a view in which a layer can be selected",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_the_training(words, sentence, small, tmp_path, capsys):
    asked = ["render", small, "-o", str(tmp_path / "f.png"), "--iterations", "1000000000", *words]
    assert main(asked) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1


CHOICES = {
    "forward cause": ("cause", ["--option", "direction=forward"]),
    "cause without letters": ("cause", ["--option", "letters=off"]),
    "a layer": ("cause", ["--layer", "dense_2"]),
    "a unit": ("network", ["--layer", "dense_1", "--unit", "2"]),
    "gradients on the links": ("network", ["--option", "links=gradient"]),
    "loss over passes": ("loss", ["--option", "over=passes"]),
    "deaths": ("activations", ["--option", "units=death"]),
    "unrolled": ("network", ["--option", "unrolled=on"]),
    "cell gradient": ("time", ["--option", "tensor=cell_gradient"]),
}


@pytest.mark.parametrize("name", CHOICES)
def test_an_option_or_a_selection_is_another_picture(name, small, sequences, tmp_path, qapp):
    view, chosen = CHOICES[name]
    file = sequences if name in ("unrolled", "cell gradient") else small
    words = ["render", file, "--view", view, "--iterations", "6", "--size", "500x300", "--scale", "1"]
    words += ["--set", "network.layers[0].cell=lstm"] if file == sequences else []
    pictures = []
    for number, more in enumerate(([], chosen)):
        path = tmp_path / f"{number}.png"
        assert main([*words, *more, "-o", str(path)]) == 0
        with Image.open(path) as picture:
            pictures.append(picture.convert("RGB").tobytes())
    assert pictures[0] != pictures[1]


def test_ctrl_c_draws_what_was_done_so_far(small, tmp_path, monkeypatch, qapp):
    def press(self, label, share, note=""):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Progress, "show", press)
    path = tmp_path / "figure.png"
    assert main(["render", small, "-o", str(path), "--iterations", "1000000000"]) == 130
    assert path.exists()


def test_the_window_itself_becomes_a_picture_and_the_settings_of_the_person_are_left_alone(
    small, tmp_path, capsys, qapp, fresh_user_folder
):
    path = tmp_path / "window.png"
    words = ["render", small, "--view", "window", "-o", str(path), "--iterations", "30", "--scale", "0.5"]
    assert main([*words, "--size", "1400x900", "--theme", "dark"]) == 0
    assert capsys.readouterr() == (f"Written: {path}\n", "")
    with Image.open(path) as picture:
        assert picture.size == (700, 450)
        colours = picture.convert("RGB").getcolors(1 << 20)
    assert len(colours) > 100
    assert max(colours)[1] < (60, 60, 60)
    assert not list(fresh_user_folder.rglob("*.json"))


def test_a_window_too_small_for_its_parts_is_refused(small, tmp_path, capsys, qapp):
    words = ["render", small, "--view", "window", "-o", str(tmp_path / "w.png"), "--size", "300x200"]
    assert main(words) == 2
    assert "--size 300x200: expected at least " in capsys.readouterr().err


def test_an_experiment_that_the_window_refuses_is_one_sentence(small, tmp_path, capsys, qapp):
    words = ["render", small, "--view", "window", "-o", str(tmp_path / "w.png")]
    assert main([*words, "--set", "parameters=missing.npz"]) == 2
    err = capsys.readouterr().err
    assert "missing.npz" in err
    assert err.count("\n") == 1


def test_no_display_is_needed_and_nothing_is_said_on_stderr(small, tmp_path):
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "gradsim",
            "render",
            small,
            "-o",
            str(tmp_path / "f.svg"),
            "--iterations",
            "1",
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "f.svg").stat().st_size > 1000


def test_every_figure_of_the_window_can_be_asked_for():
    from gradsim.app.views_table import VIEWS as ROWS

    drawable = {row.id for row in ROWS if hasattr(row.make, "paint_figure")}
    assert drawable - set(figures._VIEWS.values()) <= {"inspector"}
    assert sorted(figures._VIEWS) == sorted(FIGURES)


@pytest.mark.parametrize("view", MOVING)
def test_a_view_that_moves_becomes_an_animation(view, small, tmp_path, capsys, qapp):
    path = tmp_path / "figure.gif"
    words = ["render", small, "--view", view, "-o", str(path), "--iterations", "3", "--size", "300x200"]
    assert main([*words, "--theme", "dark"]) == 0
    assert capsys.readouterr().out == f"Written: {path}\n"
    with Image.open(path) as gif:
        pictures = [picture.convert("RGB").tobytes() for picture in ImageSequence.Iterator(gif)]
        assert gif.size == (300, 200)
        shade = sum(gif.convert("RGB").getpixel((150, 196)))
    assert len(set(pictures)) == len(pictures)  # equal ones would have been merged
    assert len(pictures) > 20 if view == "network" else len(pictures) == 4
    assert shade < 200


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--view", "loss"], "--view loss: expected one of which there is a GIF: profile, "),
        (["--view", "window"], "--view window: expected a name that ends in .png"),
        (["--size", "3000x3000"], "expected at most 4,000,000 pixels in a GIF"),
        (["--scale", "9"], "expected at most 4,000,000 pixels in a GIF"),
        (["--beside", "backpropagation", "--set", "training.method=evolution"], "expected a still picture"),
    ],
)
def test_what_cannot_move_is_refused_before_anything_is_trained(words, complaint, small, tmp_path, capsys):
    path = tmp_path / "figure.gif"
    assert main(["render", small, "-o", str(path), *words]) == 2
    assert complaint in capsys.readouterr().err
    assert not path.exists()
