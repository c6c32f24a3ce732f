"""The words and options of the command line. What they do is in the module of each command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from gradsim import __version__
from gradsim.cli.argument_types import FORMATS, npz, picture, scale, size, view, whole
from gradsim.cli.failure import Failure

COMMANDS = ("run", "diagnose", "render", "schema", "doctor", "cost", "lessons", "check")
VIEWS = (
    "profile",
    "cause",
    "network",
    "history",
    "loss",
    "distributions",
    "updates",
    "activations",
    "jacobian",
    "proof",
    "cost",
    "decision",
    "time",
    "window",
)
THEMES = ("light", "dark", "paper")
METHODS = ("backpropagation",)

_FILE_HELP = "experiment file, the name of a shipped example such as welcome, or - for standard input"
_EPILOG = """\
without a command:
  gradsim                      open the window; without a display, run the welcome experiment here
  gradsim FILE                 open the window with an experiment

examples:
  gradsim run welcome
  gradsim run deep.gradsim.json --iterations 1000 --set "network.layers[0].activation=relu"
  gradsim run evolution --beside backpropagation
  gradsim run welcome --json | jq .layers[0].delta_rms
  gradsim render welcome --view profile -o profile.svg
  gradsim render welcome --view network -o pass.gif
  gradsim diagnose welcome --rules
  gradsim diagnose welcome --remedy relu_he --save-experiment cured.gradsim.json

exit codes: 0 done, 1 a check failed or a diagnosis found something, 2 bad input, 130 ended by Ctrl+C
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence and names the help of its own command."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        # A command leaves what it does not know to the parser above it, whose help does not list its options.
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown

    def error(self, message: str) -> NoReturn:
        raise Failure(f"{message}; see {self.prog} --help")


def argument_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line.

    Returns
    -------
    ArgumentParser
        Complains by raising ``Failure``.
    """
    parser = _Parser(
        prog="gradsim",
        description="A laboratory for vanishing and exploding gradients: every number from a real pass.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"gradsim {__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", required=True, parser_class=_Parser
    )
    _add_run(commands)
    _add_diagnose(commands)
    _add_render(commands)
    _add_schema(commands)
    _add_doctor(commands)
    _add_lessons(commands)
    _add_cost(commands)
    _add_check(commands)
    return parser


def _add_run(commands: argparse._SubParsersAction[_Parser]) -> None:
    text = "train an experiment and print what every layer does"
    parser = commands.add_parser("run", help=text, description=_sentence(text), allow_abbrev=False)
    _add_experiment(parser)
    parser.add_argument("--brief", action="store_true", help="only the first and the last few layers")
    parser.add_argument(
        "--cause",
        action="store_true",
        help="also why signals shrink or grow: the factors of every layer's ratio",
    )
    parser.add_argument(
        "--theory",
        action="store_true",
        help="also what mean-field theory expects of every layer (χ, depth scale, band of finite width), and why "
        "the measurement parts from it; try --iterations 0",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    _add_beside(parser)
    parser.add_argument("--csv", metavar="FILE", type=Path, help="write the numbers of every layer")
    parser.add_argument(
        "--history-csv", metavar="FILE", type=Path, help="write the numbers of every iteration"
    )
    parser.add_argument(
        "--parameters-out",
        metavar="FILE.npz",
        type=npz,
        help="write the parameters after the last iteration",
    )
    parser.add_argument(
        "--save-experiment", metavar="FILE", type=Path, help="write the experiment with all changes by --set"
    )


def _add_diagnose(commands: argparse._SubParsersAction[_Parser]) -> None:
    text = "find what keeps an experiment from learning: numbers, cuts, causes and remedies"
    parser = commands.add_parser("diagnose", help=text, description=_sentence(text), allow_abbrev=False)
    _add_experiment(parser, optional=True)
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="also train other seeds, the network at half its depth and every remedy, and put first what helps",
    )
    parser.add_argument(
        "--seeds",
        metavar="N",
        type=whole,
        help="how many other seeds to train as far, to say how sure each finding is (default: 3, or as many as "
        "are likely to be trained within 2 s; --thorough: 3 in any case)",
    )
    parser.add_argument(
        "--rules", action="store_true", help="also the published rules of others, and which of them fire"
    )
    parser.add_argument(
        "--remedy",
        metavar="NAME",
        help="also apply a remedy that is proposed, such as relu_he, train it as far, and compare",
    )
    parser.add_argument(
        "--save-experiment",
        metavar="FILE",
        type=Path,
        help="write the experiment with all changes by --set and --remedy",
    )
    parser.add_argument(
        "--measure-remedies",
        action="store_true",
        help="instead of a FILE: try every remedy on a network of each finding and print a table (Markdown)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _add_render(commands: argparse._SubParsersAction[_Parser]) -> None:
    text = "draw a view of an experiment into a file"
    parser = commands.add_parser("render", help=text, description=_sentence(text), allow_abbrev=False)
    _add_experiment(parser)
    parser.add_argument(
        "--view", type=view, choices=VIEWS, default="profile", help="what to draw (default: profile)"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=picture,
        required=True,
        help=f"where to; its ending decides the format: {', '.join(FORMATS)} (an animation: of the network one "
        "iteration step by step, of other views the training)",
    )
    parser.add_argument(
        "--size", metavar="WxH", type=size, help="width and height in pixels (default: that of the view)"
    )
    parser.add_argument(
        "--scale",
        metavar="S",
        type=scale,
        help="pixels of a PNG or GIF per unit of --size (default: 2, of a GIF 1)",
    )
    _add_beside(parser)
    parser.add_argument("--theme", choices=THEMES, default="light", help="colours (default: light)")
    parser.add_argument(
        "--option",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="what the view shows, such as --view cause --option direction=forward or --view profile --option "
        "theory=on; can be repeated; one that there is not is answered with those that there are",
    )
    parser.add_argument("--layer", metavar="NAME", help="the layer that is selected, such as dense_3")
    parser.add_argument(
        "--unit", metavar="N", type=whole, help="the unit of --layer that is selected, from 1 on"
    )


def _add_schema(commands: argparse._SubParsersAction[_Parser]) -> None:
    text = "print the JSON Schema of experiments"
    commands.add_parser("schema", help=text, description=_sentence(text), allow_abbrev=False)


def _add_doctor(commands: argparse._SubParsersAction[_Parser]) -> None:
    text = "check this installation: versions, display, fonts, cache, compiled code, gradients"
    parser = commands.add_parser("doctor", help=text, description=_sentence(text), allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _add_check(commands: argparse._SubParsersAction[_Parser]) -> None:
    text = "prove the gradients by differences of the loss; exit code 1 if one is wrong or not finite"
    parser = commands.add_parser("check", help=text, description=_sentence(text), allow_abbrev=False)
    _add_experiment(parser)
    parser.add_argument(
        "--directions",
        metavar="N",
        type=whole,
        default=1,
        help="random directions for every parameter tensor, besides that of the gradient (default: 1)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _add_cost(commands: argparse._SubParsersAction[_Parser]) -> None:
    text = "count what an iteration costs, measure its speed, tell what faster hardware would buy"
    parser = commands.add_parser("cost", help=text, description=_sentence(text), allow_abbrev=False)
    _add_experiment(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _add_lessons(commands: argparse._SubParsersAction[_Parser]) -> None:
    text = "list the lessons, check that every number in them is true, print their schema"
    parser = commands.add_parser("lessons", help=text, description=_sentence(text), allow_abbrev=False)
    parser.set_defaults(action="list", lessons=[], strict=False)
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=_Parser)
    texts = {
        "list": "the titles of the lessons that come with GradSim (without an ACTION too)",
        "check": "run every lesson and compare each number and answer in it with a real pass",
        "schema": "print the JSON Schema of lessons",
    }
    for action, words in texts.items():
        below = actions.add_parser(action, help=words, description=_sentence(words), allow_abbrev=False)
        if action != "schema":
            # Without a default here the option in front of the action would be forgotten.
            below.add_argument(
                "--json", action="store_true", default=argparse.SUPPRESS, help="one JSON document"
            )
        if action == "check":
            below.add_argument(
                "lessons",
                metavar="FILE",
                nargs="*",
                help="lesson files or names of lessons (default: all that come with GradSim)",
            )
            below.add_argument(
                "--strict", action="store_true", help="a decimal that nothing checks is a failure too"
            )


def _add_experiment(parser: argparse.ArgumentParser, optional: bool = False) -> None:
    parser.add_argument("file", metavar="FILE", nargs="?" if optional else None, help=_FILE_HELP)
    parser.add_argument(
        "--iterations",
        metavar="N",
        type=whole,
        help="how many iterations to train; 0 only looks at the first pass (default: as many as a shipped example "
        "asks for, else 200)",
    )
    parser.add_argument("--seed", metavar="N", type=whole, help="instead of the experiment's own")
    parser.add_argument(
        "--set",
        metavar="PATH=VALUE",
        action="append",
        default=[],
        help="change a value, such as network.layers[0].units=32, network.layers[*].activation=relu (inside a repeat "
        "network.layers[0].layers[*].activation=relu) or training.optimizer.learning_rate=1e-3; can be repeated",
    )


def _add_beside(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--beside",
        choices=METHODS,
        help="train the same network from the same weights by this method too, for the same cost, and compare",
    )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."
