"""The shipped training script cannot load this model with its tower for images or sound.

Why: The script loads with transformers' `AutoModelForCausalLM`, which knows the language model of such a wrapper at
most. Of most wrappers it builds nothing, and stops with "Unrecognized configuration class" once the job has started. A
script of your own can load the whole model (`AutoModelForImageTextToText`, or TRL from the model's name); the estimate
then has the language model trained on text, and the tower frozen beside it.

Example:

    model: {id: Qwen/Qwen3-VL-4B-Instruct}

Instead:

    model: {id: Qwen/Qwen3-4B}

References:

    https://github.com/huggingface/transformers/blob/v5.23.0/src/transformers/models/auto/modeling_auto.py
    https://huggingface.co/docs/transformers/model_doc/auto
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.families import WRAPPERS
from hbspec.catalog.families.wrappers import REFUSED
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Look up the wrapper's type; another script may load it in another way."""
    wrapper = analysis.plan.require("architecture").wrapper
    if not analysis.spec.shipped or not wrapper or WRAPPERS[wrapper].built != REFUSED:
        return
    yield RULE.at(
        ("model", "config" if analysis.spec.model.config is not None else "id"),
        f"the shipped script loads models with AutoModelForCausalLM, which does not build models of type {wrapper}",
        "train a model of text alone, or set script to your script that loads this one",
    )
