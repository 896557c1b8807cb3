"""`max_model_len` is below the longest example that the model is trained on.

Why: An example is a prompt with its answer, and so is a request. Requests as long as the longest examples are refused,
or their answers cut off, although the model was trained for them. Where the data are as varied as the traffic, that is
seen only by those users who ask the most.

Example:

    deployment: {max_model_len: 640, typical_input_tokens: 200, typical_output_tokens: 100}

Instead:

    deployment: {max_model_len: 1024, typical_input_tokens: 200, typical_output_tokens: 100}

References:

    https://github.com/vllm-project/vllm/issues/12165
    https://docs.vllm.ai/en/latest/configuration/engine_args.html
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.causes import Beside, same_route
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY, beside=(Beside("HB513", same_route),))
ROUTE = ("deployment", "max_model_len")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare a given window with the longest example, as it is cut; silent where lengths are not known."""
    section, lengths = analysis.spec.deployment, analysis.plan.lengths
    if section is None or section.max_model_len is None or not lengths.known:
        return
    longest = ceil(min(lengths.longest.low, analysis.plan.training.max_length))
    if section.max_model_len < longest:
        yield RULE.at(
            ROUTE,
            f"max_model_len is {count_text(section.max_model_len)}, but the longest example that is trained on has "
            f"{count_text(longest)} tokens",
            f"set max_model_len to at least {longest}",
            instead=(longest,),
        )
