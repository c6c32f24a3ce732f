"""What of a view is drawn: its options by name, and the layer and unit that are selected in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gradsim.cli.failure import Failure
from gradsim.trace import LayerTrace

_SWITCHES = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


def read_options(view: str, widget: Any, texts: Sequence[str]) -> dict[str, Any]:
    """Return the options of a view that a command line names.

    Parameters
    ----------
    view : str
        Name of the view.
    widget : QWidget
        The view itself, or its class: what it can show stands in its ``options``.
    texts : sequence of str
        ``NAME=VALUE`` each; a switch is ``on`` or ``off``.

    Returns
    -------
    dict
        Values by name, in the order in which they were given.

    Raises
    ------
    Failure
        For an option or a value that the view does not have, with those that it has.
    """
    known: Mapping[str, Any] = {row.name: row for row in widget.options}
    found: dict[str, Any] = {}
    for text in texts:
        name, joint, value = text.partition("=")
        if not joint or name not in known:
            all_of_it = "; ".join(f"{name}={'|'.join(_values(row))}" for name, row in known.items())
            raise Failure(f"--option {text}: expected one of {view}: {all_of_it or 'it has none'}")
        values = _values(known[name])
        is_switch = not hasattr(known[name], "values")
        if value.lower() not in _SWITCHES if is_switch else value not in values:
            raise Failure(f"--option {text}: expected {name} to be {' or '.join(values)}, got {value!r}")
        found[name] = _SWITCHES[value.lower()] if is_switch else value
    return found


def place_in(
    layers: Sequence[LayerTrace], name: str | None, unit: int | None
) -> tuple[int, int | None] | None:
    """Return what is selected.

    Parameters
    ----------
    layers : sequence of LayerTrace
        Of the network.
    name : str or None
        Of a layer; None for none.
    unit : int or None
        From 1 on.

    Returns
    -------
    tuple of int or None
        Index of the layer and of its unit, counted from 0.

    Raises
    ------
    Failure
        For a layer or a unit that there is not.
    """
    if name is None:
        return None
    layer = next((layer for layer in layers if layer.name == name), None)
    if layer is None:
        raise Failure(f"--layer {name}: expected one of {_listed([layer.name for layer in layers])}")
    if unit is not None and not 1 <= unit <= layer.fan_out:
        raise Failure(f"--unit {unit}: expected a unit of {name}, from 1 to {layer.fan_out}")
    return layer.index, None if unit is None else unit - 1


def show_chosen(widget: Any, options: Mapping[str, Any], place: tuple[int, int | None] | None) -> None:
    """Choose options and a selection as a person would, with what the view asks for them.

    Parameters
    ----------
    widget : QWidget
        A view that shows a run.
    options : mapping
        From ``read_options``.
    place : tuple of int or None
        From ``place_in``.
    """
    for name, value in options.items():
        widget.choose(name, value)
    if place is not None and hasattr(widget, "set_unit"):
        widget.set_unit(*place)
    elif place is not None:
        widget.set_selected_layer(place[0])


def _values(row: Any) -> list[str]:
    return [value for value, _ in row.values] if hasattr(row, "values") else ["on", "off"]


def _listed(names: Collection[str]) -> str:
    names = list(names)
    return (
        ", ".join(names)
        if len(names) <= 12
        else f"{', '.join(names[:9])} … {names[-1]} ({len(names)} in all)"
    )
