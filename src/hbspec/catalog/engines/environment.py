"""The environment of a serving container, judged by the rules of its own engine.

`SM_VLLM_*` are turned into arguments of vLLM's server by AWS's entry point; `OPTION_*` are options of LMI, which takes
some under its own names, hands others to vLLM, and drops those that neither knows. What is dropped is refused here too:
the container would serve something else than what is said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hbspec.catalog.engines.arguments import refused
from hbspec.catalog.engines.facts import NEWEST, arguments, facts

OPTION = "OPTION_"
BOOLEANS = ("true", "false")


def refusals(engine: str, environment: Mapping[str, str], version: str = NEWEST) -> list[tuple[str, str]]:
    """The variables that a container would refuse or drop, each with the reason.

    Args:
        engine: `vllm` or `djl-lmi`.
        environment: the variables, of which those of other programs are left alone.
        version: the release of vLLM in the container.
    """
    judge = _sagemaker_vllm if engine == "vllm" else _lmi
    return list(judge(environment, version))


def command_line(environment: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """The arguments that AWS's entry point hands to vLLM's server: the name without dashes, and the words after it.

    Variables of other programs, and those that the entry point drops, are left out.
    """
    prefix = facts("sagemaker-vllm")["prefix"]
    for key, value in environment.items():
        if key.startswith(prefix):
            flag = _flag(key, prefix)
            words = words_of(flag, value)
            if words is not None:
                yield flag, words


def _flag(variable: str, prefix: str) -> str:
    return variable.removeprefix(prefix).lower().replace("_", "-")


def words_of(flag: str, value: str) -> list[str] | None:
    """The words that AWS's entry point puts after an argument; None where it leaves the argument out.

    https://github.com/aws/deep-learning-containers/blob/main/scripts/docker/vllm/sagemaker_args.py
    """
    stripped = value.strip()
    if stripped.lower() in BOOLEANS:
        return [] if stripped.lower() == "true" else None
    if not value or flag in facts("sagemaker-vllm")["one_token"]:
        return [value] if value else []
    if stripped[0] + stripped[-1] == "[]":
        found = _read(stripped)
        if isinstance(found, list):
            return [_word(one) for one in found] or None
    if stripped[0] + stripped[-1] == "{}":
        several = _objects(stripped)
        if len(several) > 1:
            return [_word(one) for one in several]
    return [value]


def _word(element: object) -> str:
    if isinstance(element, dict | list | bool):
        return json.dumps(element, separators=(",", ":"))
    return "" if element is None else str(element)


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _objects(text: str) -> list[object]:
    """The objects of a sequence of JSON objects; empty where it is not one."""
    decoder, place, found = json.JSONDecoder(), 0, []
    while place < len(text):
        try:
            one, place = decoder.raw_decode(text, place)
        except ValueError:
            return []
        found.append(one)
        place += len(text[place:]) - len(text[place:].lstrip())
    return found


def _sagemaker_vllm(environment: Mapping[str, str], version: str) -> Iterator[tuple[str, str]]:
    prefix, known = facts("sagemaker-vllm")["prefix"], arguments(version)
    given: dict[str, Sequence[str]] = {}
    for key, value in environment.items():
        if not key.startswith(prefix):
            if key.startswith(OPTION):
                yield key, "this container reads SM_VLLM_* only, and ignores it"
            continue
        name = _flag(key, prefix)
        words = words_of(name, value)
        if words is None:
            yield key, f"the container drops {value!r}, so that vLLM has its default"
            continue
        given[name] = words
        problem = refused(name, words, known)
        if problem:
            yield key, problem
    yield from ((f"{prefix}{name.upper().replace('-', '_')}", why) for name, why in _together(given))


def _together(given: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Arguments that vLLM refuses beside each other."""
    batched, requests = (
        int(given[name][0]) if given.get(name) and given[name][0].isdigit() else None
        for name in ("max-num-batched-tokens", "max-num-seqs")
    )
    if batched is not None and requests is not None and batched < requests:
        yield "max-num-batched-tokens", f"{batched} tokens at once are fewer than the {requests} requests at once"
    if "lora-modules" in given and "enable-lora" not in given:
        yield "lora-modules", "vLLM loads no adapters without --enable-lora"


def _lmi(environment: Mapping[str, str], version: str) -> Iterator[tuple[str, str]]:
    table = facts("lmi")
    of_the_server = facts(f"vllm-{version}")["of_the_server"]
    known = {name: one for name, one in arguments(version).items() if name not in of_the_server}
    elsewhere = {name.lower() for name in table["read_elsewhere"]}
    prefix = facts("sagemaker-vllm")["prefix"]
    for key, value in environment.items():
        if key.startswith(prefix):
            yield key, "LMI reads OPTION_* only, and ignores it"
        if not key.startswith(OPTION):
            continue
        name = key.removeprefix(OPTION).lower()
        problem = _option(name, value, elsewhere, known)
        if problem:
            yield key, problem


def _quantize(value: str, known: Mapping[str, Any]) -> str | None:
    """What is wrong with a quantisation: vLLM has to know it, and its package has to be in LMI's image."""
    if value == "bitsandbytes" and value not in facts("lmi")["packages"]:
        return "LMI's image lacks the package bitsandbytes"
    return refused("quantization", [value], known)


def _option(name: str, value: str, elsewhere: set[str], known: Mapping[str, Any]) -> str | None:
    """What is wrong with an option of LMI."""
    table = facts("lmi")
    own = table["aliases"].get(name, name)
    argument = own.replace("_", "-")
    if name in table["conflicts"]:
        return f"LMI has {table['conflicts'][name]} instead, and refuses {name} beside it"
    if own == "dtype":
        known_to_all = sorted(set.intersection(*map(set, table["dtypes"])))
        return None if value in known_to_all else f"dtype {value} is not one of {', '.join(known_to_all)}"
    if own == "rolling_batch":
        return None if value in table["rolling_batch"] else f"rolling_batch {value} is not known"
    if own == "pipeline_parallel_degree" and value != "1":
        return "LMI's vLLM handler refuses pipeline parallelism"
    if own == "quantize":
        return _quantize(value, known)
    if own in table["options"]:
        expected = table["options"][own]
        if expected["kind"] == "flag":
            return None if value.lower() in BOOLEANS else f"{own} {value!r} is neither true nor false"
        return refused(argument, [value], {argument: expected})
    if name in elsewhere:
        return None
    if argument not in known:
        return f"neither LMI nor vLLM has an option {name}, and LMI drops it"
    if value.lower() in BOOLEANS:
        return refused(argument if value.lower() == "true" else f"no-{argument}", [], known)
    return refused(argument, [value], known)
