"""Forms are generated from the structs' own annotations."""

from typing import Any, get_args

import pytest

from gradsim.spec import (
    Activation,
    Clipping,
    Data,
    Dense,
    Experiment,
    Head,
    Initializer,
    Layer,
    Network,
    Optimizer,
    Repeat,
    Schedule,
    SpecError,
    Training,
    checked,
)
from gradsim.spec.data import Circles, Inline
from gradsim.spec.fields import Field, fields_of, summary_of, title_of
from gradsim.spec.training import Adam

UNIONS = (Activation, Initializer, Data, Layer, Optimizer, Schedule, Clipping)
STRUCTS = [Experiment, Network, Head, Training, *(struct for union in UNIONS for struct in get_args(union))]


def field(struct: Any, name: str) -> Field:
    return next(found for found in fields_of(struct) if found.name == name)


def test_an_integer_has_its_limits_and_default() -> None:
    units = field(Dense, "units")
    assert (units.form, units.minimum, units.maximum, units.default) == ("integer", 1, 4096, 32)
    assert units.expected == "an integer from 1 to 4096"
    assert not units.required


def test_a_real_says_whether_its_limits_are_refused() -> None:
    factor = field(Circles, "factor")
    assert (factor.form, factor.minimum, factor.maximum) == ("real", 0.0, 1.0)
    assert factor.excludes_minimum
    assert factor.excludes_maximum
    assert (factor.title, factor.description) == ("Inner radius", "Innermost / outermost radius")


def test_a_choice_keeps_the_order_of_the_annotation() -> None:
    assert field(Circles, "scaling").choices == ("none", "standard", "min_max")


def test_a_pair_has_the_limits_of_its_numbers() -> None:
    betas = field(Adam, "betas")
    assert (betas.form, betas.minimum, betas.maximum, betas.excludes_maximum) == ("pair", 0.0, 1.0, True)


def test_a_kind_offers_its_structs_in_the_order_of_the_union() -> None:
    assert field(Dense, "activation").kinds == get_args(Activation)


def test_layers_and_parts_name_their_structs() -> None:
    assert (field(Repeat, "layers").form, field(Repeat, "layers").kinds) == ("layers", get_args(Layer))
    assert field(Repeat, "layers").required
    assert (field(Network, "head").form, field(Network, "head").kinds) == ("part", (Head,))


def test_an_optional_text_says_so_and_how_long_it_may_be() -> None:
    name = field(Dense, "name")
    assert (name.form, name.optional, name.longest, name.title) == ("text", True, 40, "Name")
    assert field(Experiment, "parameters").optional


def test_rows_of_numbers_are_told_from_layers() -> None:
    assert [field(Inline, name).form for name in ("inputs", "targets")] == ["rows", "rows"]


def test_the_version_is_the_one_field_with_another_key() -> None:
    assert field(Experiment, "version").key == "gradsim"


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_struct_has_a_title_a_summary_and_complete_fields(struct: Any) -> None:
    assert title_of(struct)
    assert summary_of(struct).endswith((".", ")", "L"))
    for found in fields_of(struct):
        assert found.title[0].isupper() or not found.title[0].isalpha()
        assert bool(found.choices) == (found.form == "choice")
        assert bool(found.kinds) == (found.form in ("kind", "layers", "part", "records"))
        if found.form in ("integer", "real", "pair"):
            assert found.minimum is not None
            assert found.maximum is not None or found.name == "version"


@pytest.mark.parametrize("name", ["units", "learning_rate_scale"])
def test_the_limits_of_a_field_are_those_that_reading_enforces(name: str) -> None:
    found = field(Dense, name)
    assert found.minimum is not None
    assert found.maximum is not None
    for value in (found.minimum, found.maximum):
        checked(Experiment(network=Network(layers=(Dense(**{name: value}),))))
    for value in (found.minimum - 1, found.maximum + 1):
        with pytest.raises(SpecError, match=found.expected):
            checked(Experiment(network=Network(layers=(Dense(**{name: value}),))))


def test_titles_are_written_as_people_write_them() -> None:
    titles = {title_of(struct) for struct in get_args(Activation)}
    assert {"ReLU", "Leaky ReLU", "PReLU", "ELU", "SiLU", "Hard tanh"} <= titles
    assert title_of(Network) == "Network"
