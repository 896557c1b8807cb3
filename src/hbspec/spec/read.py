"""Validation of a document as a spec: pydantic's errors as findings at routes, all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from hbspec.diagnostics import Finding, Fix, Renamed, Route, Severity, route_text
from hbspec.manual.shape import PAGES
from hbspec.showing.secrets import is_secret_name, redact
from hbspec.source import Document
from hbspec.spec.foreign import ACCELERATE, REQUEST, program_of
from hbspec.spec.keys import annotation_of, described, forms_of, section_keys
from hbspec.spec.objectives import OTHER_TASKS
from hbspec.spec.sections import Spec
from hbspec.spec.unestimated import KEYS
from hbspec.spelling import bare, nearest, typo_of

_KINDS = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "updates": "a whole number or a share below 1",
    "bool_type": "true or false",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "literal_error": "one of the allowed values",
    "function_of_a_file": "a function of a Python file, such as rewards.py:correct",
    "string_pattern_mismatch": "a version such as 5.23.0",
}
_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
    "string_too_short": ("min_length", "a string whose number of characters is at least"),
    "string_too_long": ("max_length", "a string whose number of characters is at most"),
    "too_short": ("min_length", "a list whose number of entries is at least"),
    "too_long": ("max_length", "a list whose number of entries is at most"),
}


UNKNOWN_KEY = "HB020"
"""The finding at a key that the language does not have."""


def read(document: Document) -> Spec | list[Finding]:
    """The typed spec of a document, or a finding for every reason why it is not one.

    Claims keep the author's spelling (`4.40` is a different claim from `4.4`), so the values under `expect` are first
    replaced by their text.
    """
    values = dict(document.values)
    program = program_of(values)
    if program is not None:
        message = f"this is a configuration of {program}, not an hbspec spec"
        action = "write a spec for the job; `hbspec init` writes one to start from"
        if program == ACCELERATE:
            action = "name it beside the file of the training: `hbspec check sft.yaml --with FILE`"
        if program == REQUEST:
            action = "judge it by a policy with `--policy FILE`, or write a spec for the job"
        return [_make("HB026", (), message, action)]
    if isinstance(values.get("expect"), Mapping):
        values["expect"] = {
            key: document.spellings.get(("expect", key), value) for key, value in values["expect"].items()
        }
    try:
        return Spec.model_validate(values)
    except ValidationError as invalid:
        return list(_findings(invalid, document.values))


def _findings(invalid: ValidationError, values: Any) -> Iterable[Finding]:
    by_route: dict[Route, Any] = {}
    for error in invalid.errors(include_url=False):
        route = _route(error["loc"], values, missing=error["type"] == "missing")
        said = by_route.get(route)
        # a union reports every branch: a string is taken as one of the choices, any other value as the other form
        other_form = not isinstance(error["input"], str) or error["type"] == "pattern"
        if said is None or (said["type"] == "literal_error" and other_form):
            by_route[route] = error
    unknown = [route for route, error in by_route.items() if error["type"] == "extra_forbidden"]
    said = {(*route[:-1], near) for route in unknown if (near := resembled(route))}
    said |= {route[:length] for route in by_route for length in range(len(route))}
    for route, error in by_route.items():
        # a misspelt key is not also missing, and a list with a wrong value is not also too short
        if route not in said or error["type"] not in ("missing", "too_short", "literal_error", "string_type"):
            yield _finding(error, route) if route not in unknown else _unknown_key(route, values)


def _route(location: tuple[int | str, ...], values: Any, *, missing: bool) -> Route:
    """The route of an error: its location without the names of union branches that pydantic adds."""
    route: Route = ()
    for part in location:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            if not missing:
                continue
        route = (*route, part)
    return route


def _finding(error: Any, route: Route) -> Finding:
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    key = route_text(route)
    if kind == "missing":
        return _make("HB021", route, f"{key} is missing", f"add `{route[-1]}:`{_in_brackets(route)}")
    if given is None:
        return _make("HB021", route, f"{key} is empty", "give it a value, or delete the key")
    if kind == "value_error":
        said, action = str(context["error"]), context["error"].action or "write the number with its unit"
        # after "TOKEN: " a text would be taken for the token itself
        return _make("HB023", route, f"{key} {said}" if said.startswith("is not") else f"{key}: {said}", action)
    if kind == "literal_error" and isinstance(given, (str, int)) and not isinstance(given, bool):
        return _not_a_choice(route, given, context["expected"])
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return _make(
            "HB024",
            route,
            f"{key} is {_shown(route, given)}; it must be {words} {context[bound]}",
            "choose a value in range",
        )
    if kind == "contradiction":
        return _make("HB024", route, f"{key}: {error['msg']}", "correct one of the two")
    if kind == "pattern":
        return _make("HB024", route, f"{key} is {_shown(route, given)}, {error['msg']}", "correct the pattern")
    if kind == "finite_number":
        return _make("HB024", route, f"{key} is {_shown(route, given)}; it must be finite", "choose a value in range")
    wanted = _KINDS.get(kind, "a value of another type")
    return _make(
        "HB022", route, f"{key} is {_kind_of(given)} ({_shown(route, given)}), not {wanted}", f"write {wanted}"
    )


def _not_a_choice(route: Route, given: str | int, expected: str) -> Finding:
    key = route_text(route)
    choices = [
        choice for form in forms_of(annotation_of(route)) if get_origin(form) is Literal for choice in get_args(form)
    ]
    if isinstance(given, str) and all(isinstance(choice, int) for choice in choices):
        fixes = tuple(
            Fix(f"write {choice}", route, choice, safe=True) for choice in choices if given.strip() == str(choice)
        )
        return _make(
            "HB022", route, f"{key} is a string ({_shown(route, given)}), not a number", f"write {expected}", fixes
        )
    other = OTHER_TASKS.get(str(given).casefold().replace("-", "_")) if route == ("task",) else None
    if other is not None:
        return _make("HB025", route, f"{key} is {_shown(route, given)}: {other.reason}", other.action)
    near = nearest(str(given), map(str, choices))
    fixes = (Fix(f"change it to {near}", route, near),) if near else ()
    action = f"did you mean {near!r}?" if near else "choose one of them"
    return _make("HB025", route, f"{key} is {_shown(route, given)}, not one of {expected}", action, fixes)


def _unknown_key(route: Route, values: Any) -> Finding:
    key, parent = str(route[-1]), route[:-1]
    known = section_keys(parent) or ()
    near = resembled(route)
    homes = [
        (name, home) for home in Spec.model_fields for name in section_keys((home,)) or () if bare(name) == bare(key)
    ]
    where = route_text(parent) if parent else "the top level of a spec"
    refused = KEYS.get(key)
    if refused is not None:
        action = refused.action
    elif near:
        action = f"did you mean `{near}`?"
    elif homes:
        action = "`{}` belongs under `{}`".format(*homes[0])
    else:
        action = f"delete it; the allowed keys are {', '.join(known)}"
    name, message = PAGES[UNKNOWN_KEY].name, f"{where} has no key `{key}`"
    if refused is not None:
        message += f": {refused.reason}"
    fixes = () if refused else tuple(_renamings(route, values))
    return Finding(UNKNOWN_KEY, name, Severity.ERROR, route, message, action, at_key=True, fixes=fixes)


def _renamings(route: Route, values: Any) -> Iterator[Fix]:
    """The correction of an unknown key, where one is certain and its section does not have that key already."""
    meant = typo_of(str(route[-1]), section_keys(route[:-1]) or ())
    for part in route[:-1]:
        values = values[part]
    if meant is not None and meant not in values:
        yield Fix(f"rename it to {meant}", route, Renamed(meant))


OTHER_NAMES = {
    "lr": "learning_rate",
    "epochs": "num_train_epochs",
    "numepochs": "num_train_epochs",
    "batchsize": "per_device_batch_size",
    "microbatchsize": "per_device_batch_size",
    "trainbatchsize": "per_device_batch_size",
    "gradaccum": "gradient_accumulation_steps",
    "accumulation": "gradient_accumulation_steps",
    "optimizer": "optim",
    "seqlen": "max_length",
    "sequencelen": "max_length",
    "rank": "lora_r",
}
"""What people and other programs call a hyperparameter, without marks and capitals."""


def resembled(route: Route) -> str | None:
    """The known key that an unknown one probably stands for; None if no key is similar."""
    key, known = str(route[-1]), section_keys(route[:-1]) or ()
    other = OTHER_NAMES.get(bare(key))
    if other in known:
        return other
    return nearest(key, known) or next((name for name in known if name.startswith(f"{key.casefold()}_")), None)


def _in_brackets(route: Route) -> str:
    said = described(route)
    return f" ({said.rstrip('.')})" if said else ""


def _make(code: str, route: Route, message: str, action: str, fixes: tuple[Fix, ...] = ()) -> Finding:
    return Finding(code, PAGES[code].name, Severity.ERROR, route, message, action, fixes=fixes)


def _shown(route: Route, value: Any) -> str:
    text = redact(repr(value))
    if any(isinstance(part, str) and is_secret_name(part) for part in route):
        text = "*" * len(text)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _kind_of(value: Any) -> str:
    names = {str: "a string", bool: "a boolean", int: "a whole number", float: "a number", list: "a list"}
    return names.get(type(value), "a mapping" if isinstance(value, Mapping) else "a value")
