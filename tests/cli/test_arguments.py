"""Words and options of the command line, and the code that comes back."""

import subprocess
import sys

import pytest

from gradsim import __version__
from gradsim.cli import main
from gradsim.cli.arguments import COMMANDS, argument_parser

HEAVY = ("PySide6", "numpy", "numba", "pyqtgraph", "scipy", "msgspec")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    assert main([command, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: gradsim {command} ")


def test_the_help_names_every_command_and_the_exit_codes(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n    {command} " in text for command in COMMANDS)
    assert "exit codes: 0 done, 1 a check failed or a diagnosis found something, 2 bad input, 130" in text


def test_the_version_is_one_line(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"gradsim {__version__}\n"


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"], ["doctor", "--help"]])
def test_a_simple_question_loads_nothing_heavy(words):
    code = (
        "import sys; from gradsim.cli import main; code = main(sys.argv[1:]); "
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]; "
        "sys.exit(str(loaded) if loaded else code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run"], "the following arguments are required: FILE; see gradsim run --help"),
        (["run", "x", "--iterations", "-3"], "expected a whole number from 0 on, got '-3'"),
        (["run", "x", "--iterations", "many"], "expected a whole number from 0 on, got 'many'"),
        (["run", "x", "--parameters-out", "w.txt"], "expected a name that ends in .npz, got 'w.txt'"),
        (["render", "x"], "the following arguments are required: -o/--output"),
        (["render", "x", "-o", "figure.bmp"], "expected a name that ends in .png, .svg, .pdf, .csv"),
        (["render", "x", "-o", "f.png", "--size", "big"], "expected a size such as 800x500, got 'big'"),
        (["render", "x", "-o", "f.png", "--size", "10x90000"], "expected sides from 100 to 8000 pixels"),
        (["render", "x", "-o", "f.png", "--scale", "0"], "expected a number from 0.1 to 16, got '0'"),
        (["render", "x", "-o", "f.png", "--scale", "nan"], "expected a number from 0.1 to 16, got 'nan'"),
        (["render", "x", "-o", "f.png", "--view", "sound"], "invalid choice: 'sound'"),
        (["--colour"], "see gradsim --help"),
        (["run", "x", "--itrations", "3"], "unrecognized arguments: --itrations 3; see gradsim run --help"),
        (["lessons", "check", "--all"], "unrecognized arguments: --all; see gradsim lessons check --help"),
    ],
)
def test_a_wrong_option_is_one_sentence_on_stderr_and_code_2(words, sentence, capsys):
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("gradsim: ")
    assert sentence in err
    assert err.count("\n") == 1


def test_assignments_add_up_and_a_size_is_a_pair():
    arguments = argument_parser().parse_args(
        ["render", "x", "-o", "f.SVG", "--set", "seed=1", "--set", "name=a b", "--size", "640x360"]
    )
    assert arguments.set == ["seed=1", "name=a b"]
    assert arguments.size == (640, 360)


def test_options_cannot_be_shortened_so_that_new_ones_never_break_a_script(capsys):
    assert main(["run", "x", "--iter", "3"]) == 2
    assert "unrecognized arguments: --iter 3" in capsys.readouterr().err


def test_a_view_may_be_called_as_lessons_call_it():
    from gradsim.app.views_table import VIEWS as IN_THE_WINDOW
    from gradsim.cli.arguments import VIEWS

    ids = {row.id for row in IN_THE_WINDOW} - {"builder", "lessons", "inspector", "diagnosis"}
    parser = argument_parser()
    asked = {parser.parse_args(["render", "x", "-o", "f.png", "--view", id_]).view for id_ in ids}
    assert asked == set(VIEWS) - {"window"}
