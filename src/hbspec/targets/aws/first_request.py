"""A first request to an endpoint, which names what is to answer it.

A request that names nothing is answered by the base model, where adapters are served beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import Any

from hbspec.plan import ServingPlan
from hbspec.targets.aws.engine_settings import ADAPTER
from hbspec.targets.aws.submission import region_option

FILE = "request.json"


def first_request(plan: ServingPlan) -> dict[str, Any]:
    """The body of a chat completion by the trained model.

    vLLM finds adapters by `model`; LMI by `adapters` (djl-serving, serving/docs/adapters.md).
    """
    body: dict[str, Any] = {"model": plan.answers_to or ADAPTER}
    if plan.engine != "vllm" and plan.adapters != "merged":
        body["adapters"] = ADAPTER
    return body | {"messages": [{"role": "user", "content": "Say hello in one sentence."}], "max_tokens": 64}


def invocation(endpoint: str, region: str | None, variant: str = "", component: str = "") -> Sequence[str]:
    """Shell lines that tell how to send the first request: to one variant of several, or to a component."""
    at, name = region_option(region), quote(endpoint)
    to = f" --target-variant {variant}" if variant else ""
    to += f" --inference-component-name {component}" if component else ""
    command = f"aws sagemaker-runtime invoke-endpoint{at} --endpoint-name {name}{to} \\"
    return (
        'echo "The endpoint answers:"',
        f"echo {quote(f'  {command}')}",
        f"""echo '    --content-type application/json --body' "fileb://$PWD/{FILE}" 'answer.json'""",
    )
