"""What a line of training data is, as a JSON Schema, and in words what is wrong with a line that is something else.

`jsonschema` judges about 9,000 conversations a second, a tenth of what reading them as JSON takes; so `records.py`
passes good lines by hand, and only a line that fails there comes here. A law in the tests holds the two equal.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from hbspec.dataset.quoting import quoted

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

ROLES = ("system", "user", "assistant", "tool")
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["messages"],
    "properties": {
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["role", "content"],
                "properties": {"role": {"enum": list(ROLES)}, "content": {"type": "string"}},
            },
        },
    },
}
KINDS = {"object": "map", "array": "list", "string": "text"}


def fault(value: Any) -> str | None:
    """The first thing that is wrong with a line's value; None if it obeys the schema."""
    # one line may hold a million faults; they come in the order of the schema and of the messages
    first = next(_validator().iter_errors(value), None)
    return None if first is None else _said(first)


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(SCHEMA)


def _said(error: ValidationError) -> str:
    """An error in our words; texts of the data are not repeated, but for a short role."""
    path: list[Any] = list(error.absolute_path)
    expected: Any = error.validator_value
    instance: Any = error.instance
    what = "the line"
    if path:
        what = f"message {path[1] + 1}" if len(path) > 1 else '"messages"'
    if path[2:] == ["content"]:
        return f"{what} has no text content"
    if error.validator == "enum":
        return f"{what} has the role {quoted(repr(instance))}, not one of {', '.join(ROLES)}"
    if error.validator == "required":
        missing = next(key for key in expected if key not in instance)
        return f'{what} has no list "messages"' if not path else f"{what} has no {missing}"
    if error.validator == "minItems":
        return f"{what} holds no message"
    return f"{what} is no {KINDS[expected]}"
