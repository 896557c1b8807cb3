"""`max_model_len` is too short for the longest request of an evaluation suite.

Why: A suite asks for answers of so many tokens that reasoning fits before the last line. An endpoint refuses a request
whose prompt and answer together exceed its window, so that the model is trained, served, and then cannot be evaluated.

Example:

    deployment: {max_model_len: 2048}
    evaluation: [{suite: mathematical-accuracy, min_score: 0.9}]

Instead:

    deployment: {max_model_len: 4096}
    evaluation: [{suite: mathematical-accuracy, min_score: 0.9}]

References:

    https://docs.vllm.ai/en/latest/configuration/engine_args.html
    https://platform.openai.com/docs/api-reference/chat/create#chat-create-max_tokens
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.plan.suites import GENERATED, planned_suites
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)
CHARACTERS_OF_A_TOKEN = 3
"""About 4 in English prose, by https://platform.openai.com/tokenizer; fewer here, where many are digits."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding for the suite with the longest request, of those that make their own items.

    How long the prompts of an author's own cases are is only known where they lie: `hbspec evaluate` looks at them.
    """
    if analysis.spec.deployment is None:
        return
    known = {suite.name: GENERATED[suite.name] for suite in planned_suites(analysis.spec) if suite.makes_its_own}
    window = analysis.serving_plan.max_model_len if known else None
    if window is None:
        return
    needs = {name: one.answer + ceil(one.characters / CHARACTERS_OF_A_TOKEN) for name, one in known.items()}
    name = max(needs, key=needs.__getitem__)
    if needs[name] > window:
        answer = known[name].answer
        yield RULE.at(
            ("deployment", "max_model_len"),
            f"{name} asks for answers of up to {count_text(answer)} tokens after prompts of up to about "
            f"{count_text(needs[name] - answer)}, but max_model_len is {count_text(window)}",
            f"set max_model_len to at least {needs[name]}, or leave out the suite",
            instead=(needs[name],),
        )
