"""What a stream can show, and what is done where it cannot."""

import io

import pytest

from gradsim.cli.terminal import Terminal, terminal_of


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "×0.24 per layer, rms δ → ∞"),
        ("ascii", "x0.24 per layer, rms delta -> inf"),
        ("latin-1", "x0.24 per layer, rms delta -> inf"),
        ("cp437", "x0.24 per layer, rms delta -> inf"),
    ],
)
def test_text_falls_back_to_what_the_encoding_knows(encoding, expected):
    assert terminal_of(stream(encoding)).text("×0.24 per layer, rms δ → ∞") == expected


def test_a_name_without_any_likeness_is_escaped_and_never_an_error():
    terminal = terminal_of(stream("ascii"))
    terminal.write("深い網")
    terminal.stream.flush()
    assert terminal.stream.buffer.getvalue() == b"\\u6df1\\u3044\\u7db2\n"


def test_only_a_person_who_did_not_refuse_gets_colours(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert terminal_of(Screen()).colour
    assert not terminal_of(io.StringIO()).colour
    monkeypatch.setenv("NO_COLOR", "1")
    assert not terminal_of(Screen()).colour
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not terminal_of(Screen()).colour


def test_a_file_has_no_width_unless_one_is_named(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert terminal_of(io.StringIO()).width is None
    monkeypatch.setenv("COLUMNS", "66")
    assert terminal_of(io.StringIO()).width == 66
    assert terminal_of(Screen()).width == 66


def test_paint_leaves_text_alone_where_colours_are_unknown():
    plain = Terminal(io.StringIO(), None, False, True, False)
    coloured = Terminal(io.StringIO(), None, True, True, True)
    assert plain.painted("NaN", "broken") == "NaN"
    assert coloured.painted("NaN", "broken") == "\x1b[1;31mNaN\x1b[0m"
    assert coloured.painted("NaN", "plain") == "NaN"
