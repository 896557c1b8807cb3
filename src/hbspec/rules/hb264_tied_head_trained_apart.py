"""The output head is trained apart from the embedding, but the model has one weight for both.

Why: peft gives a module that is adapted or trained in full weights of its own. Where the head is the embedding, merging
adds the adapter of one to both, and a trained copy is dropped when the merged model is saved: the checkpoint holds one
of the two weights. Train neither, or both together (`ensure_weight_tying` of peft in a script of your own).

Example:

    model: {id: Qwen/Qwen2.5-0.5B}
    hyperparameters: {modules_to_save: [lm_head]}
    deployment: null

Instead:

    model: {id: Qwen/Qwen2.5-0.5B}
    deployment: null

References:

    https://github.com/huggingface/peft/issues/2018
    https://github.com/huggingface/peft/pull/2803
    https://github.com/unslothai/unsloth/pull/9331
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Route, Severity
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY, beside=(Beside("HB519"),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find the head or the embedding named without the other; adapters that are served separately are not merged."""
    given, plan = analysis.spec.hyperparameters, analysis.plan
    listed = {"target_modules": given.target_modules, "modules_to_save": given.modules_to_save}
    if not plan.training.adapters or not any(isinstance(names, tuple) for names in listed.values()):
        return
    architecture = plan.require("architecture")
    deployed = analysis.spec.deployment
    if not architecture.tie_word_embeddings or (deployed is not None and deployed.adapters == "separate"):
        return
    tied = {architecture.family.name(part) for part in ("embed_tokens", "lm_head")}
    for key, names in listed.items():
        named = [name for name in names if name in tied] if isinstance(names, tuple) else []
        if len(named) != 1:
            continue
        (other,) = tied - set(named)
        route: Route = ("hyperparameters", key, names.index(named[0]) if isinstance(names, tuple) else 0)
        yield RULE.at(
            route,
            f"{key} names {named[0]}, but {plan.model} has one weight for {named[0]} and {other}",
            f"remove {named[0]} from {key}",
        )
