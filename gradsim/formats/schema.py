"""The JSON Schema of the experiment document, for editors that complete and check while a person types."""

from __future__ import annotations

from typing import Any

import msgspec

from gradsim.spec import CURRENT_VERSION, Experiment


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of an experiment.

    Returns
    -------
    dict
        With the limits, titles, descriptions and defaults of the specs, the short forms by a bare word
        included. What joins several fields, such as a loss and its head, is not in it. A new dict.
    """
    made = msgspec.json.schema(Experiment)
    parts = made["$defs"]
    allow_words(made, parts)
    root = parts["Experiment"]
    root["required"] = ["gradsim", *root.get("required", [])]
    root["properties"]["gradsim"] = {
        "const": CURRENT_VERSION,
        "title": "Version",
        "description": "Version of the document; leads the file",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "GradSim experiment",
        "description": "A network, its data and its training: everything that decides the numbers.",
        **made,
    }


def allow_words(node: Any, parts: dict[str, Any]) -> None:
    """Let a bare word stand for a kind with its defaults, wherever kinds are told apart; changes the schema."""
    if isinstance(node, list):
        for item in node:
            allow_words(item, parts)
    if not isinstance(node, dict):
        return
    for item in list(node.values()):
        allow_words(item, parts)
    if "discriminator" in node:
        mapping = node.pop("discriminator")["mapping"]  # OpenAPI's; unknown to JSON Schema
        words = [word for word, place in mapping.items() if _needs_nothing(parts[place.rsplit("/", 1)[1]])]
        node["anyOf"] = [{"enum": words, "description": "The kind with its defaults"}, *node["anyOf"]]
        return
    for place in [option["$ref"] for option in node.get("anyOf", ()) if "$ref" in option]:
        if "method" in (properties := parts[place.rsplit("/", 1)[1]]["properties"]):
            words = [*properties["kind"]["enum"], *properties["method"]["enum"]]
            node["anyOf"] = [{"enum": words, "description": "The method, all else as usual"}, *node["anyOf"]]


def _needs_nothing(part: dict[str, Any]) -> bool:
    return bool(part.get("required", []) == ["kind"])
