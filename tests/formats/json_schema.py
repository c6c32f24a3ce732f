"""A checker for the part of JSON Schema that our schema uses. An unknown word is an error, so none is skipped."""

import re
from typing import Any

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "number": (int, float),
    "integer": (int, float),
}
ANNOTATIONS = {"$schema", "$defs", "title", "description", "default"}


def is_valid(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether the value is what the schema asks for."""
    return all(
        _holds(word, argument, value, schema, root)
        for word, argument in schema.items()
        if word not in ANNOTATIONS
    )


def _holds(word: str, argument: Any, value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    match word:
        case "$ref":
            return is_valid(value, root["$defs"][argument.removeprefix("#/$defs/")], root)
        case "anyOf":
            return any(is_valid(value, part, root) for part in argument)
        case "const":
            return bool(value == argument) and not isinstance(value, bool)
        case "enum":
            return isinstance(value, str) and value in argument
        case "type":
            return _is(value, argument)
        case "properties":
            return not isinstance(value, dict) or all(
                is_valid(value[key], part, root) for key, part in argument.items() if key in value
            )
        case "required":
            return not isinstance(value, dict) or set(argument) <= set(value)
        case "additionalProperties":
            named = schema.get("properties", {})
            others = (
                [item for key, item in value.items() if key not in named] if isinstance(value, dict) else []
            )
            if argument is False:
                return not others
            return all(is_valid(item, argument, root) for item in others)
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            return not _is(value, "number") or _is_within(word, argument, value)
        case "minItems":
            return not isinstance(value, list) or len(value) >= argument
        case "maxItems":
            return not isinstance(value, list) or len(value) <= argument
        case "prefixItems":
            return not isinstance(value, list) or all(
                is_valid(item, part, root) for item, part in zip(value, argument, strict=False)
            )
        case "items":
            if argument is False:
                return not isinstance(value, list) or len(value) <= len(schema["prefixItems"])
            return not isinstance(value, list) or all(is_valid(item, argument, root) for item in value)
        case "minLength":
            return not isinstance(value, str) or len(value) >= argument
        case "maxLength":
            return not isinstance(value, str) or len(value) <= argument
        case "pattern":
            return not isinstance(value, str) or re.fullmatch(argument, value) is not None
        case _:
            raise AssertionError(f"the checker does not know the word {word}")


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[kind])


def _is_within(word: str, limit: float, value: float) -> bool:
    match word:
        case "minimum":
            return value >= limit
        case "maximum":
            return value <= limit
        case "exclusiveMinimum":
            return value > limit
        case _:
            return value < limit
