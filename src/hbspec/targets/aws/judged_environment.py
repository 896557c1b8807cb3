"""The environment of a serving container, accepted by the engine in it."""

from __future__ import annotations

from hbspec.analysis import Analysis
from hbspec.plan import ServingPlan
from hbspec.targets.aws.engine_settings import environment
from hbspec.targets.aws.refusals import refused_by_engine
from hbspec.targets.aws.serving_container import ServingContainer, start_up_seconds


def judged_environment(analysis: Analysis, plan: ServingPlan, container: ServingContainer) -> dict[str, str]:
    """The environment variables of an endpoint's container.

    An author's own image may have bitsandbytes where the release of vLLM lacks it, so that this is left to it.

    Raises:
        LoweringError: the engine would refuse or drop some.
    """
    variables = environment(analysis, plan, start_up_seconds(plan))
    left_open = "bitsandbytes" if container.own else ""
    judged = {name: value for name, value in variables.items() if value != left_open}
    refused_by_engine(plan.engine, judged, container.release)
    return variables
