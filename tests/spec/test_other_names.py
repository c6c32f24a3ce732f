"""Words of other libraries are answered with what they are called here."""

import pytest
from msgspec import inspect

from gradsim.spec.lesson import Lesson
from gradsim.spec.limits import suggestion
from gradsim.spec.other_names import ROWS, other_name

LAYERS = ("dense", "recurrent", "normalization", "activation", "dropout", "residual", "repeat")


def spoken() -> set[str]:
    """Every key, kind and word that a lesson or its experiment may hold."""
    words: set[str] = set()
    seen: set[type] = set()

    def visit(kind: inspect.Type) -> None:
        match kind:
            case inspect.Metadata():
                visit(kind.type)
            case inspect.UnionType():
                for one in kind.types:
                    visit(one)
            case inspect.VarTupleType():
                visit(kind.item_type)
            case inspect.LiteralType():
                words.update(str(value) for value in kind.values)
            case inspect.StructType() if kind.cls not in seen:
                seen.add(kind.cls)
                words.update({str(kind.tag), kind.tag_field or "", *(f.encode_name for f in kind.fields)})
                for field in kind.fields:
                    visit(field.type)

    visit(inspect.type_info(Lesson))  # with the experiment inside
    return words


def test_every_word_that_is_proposed_exists() -> None:
    known = spoken()
    missing = {target for row in ROWS for target in row.targets} - known
    assert not missing


@pytest.mark.parametrize(
    ("word", "known", "answer"),
    [
        ("Swish", ("mish", "silu"), 'did you mean "silu"?'),
        ("he", ("he_normal", "he_uniform", "zeros"), 'did you mean "he_normal" or "he_uniform"?'),
        ("batch-norm", ("batch", "layer", "rms"), 'did you mean "batch"?'),
        ("linear", LAYERS, 'did you mean "dense"?'),
        ("gru", LAYERS, 'that is a cell: {"kind": "recurrent", "cell": "gru"}'),
        ("ReLU", LAYERS, 'that is an activation: "activation": "relu" in a dense layer'),
        ("mnist", ("noise", "digits"), 'did you mean "digits"?'),
        ("epochs", ("loss", "optimizer"), "how long it is trained is said when it is run"),
        ("neurons", ("kind", "units"), 'did you mean "units"?'),
        (
            "activation",
            ("kind", "times", "layers", "name"),
            "the layers inside have it: a path goes on with .layers[0]",
        ),
    ],
)
def test_a_word_from_elsewhere_is_answered_with_the_one_from_here(
    word: str, known: tuple[str, ...], answer: str
) -> None:
    assert suggestion(word, known).startswith(answer)


def test_a_word_is_only_proposed_where_it_may_stand() -> None:
    assert other_name("linear", ("linear", "relu")) is None
    assert other_name("lr", ("loss", "shuffle")) is None
    assert suggestion("mnist", ["noise"]) == "known are noise"
