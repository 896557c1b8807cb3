"""Target `serve`: the endpoint's engine on your own machine, by `vllm serve` or in the endpoint's image.

Both scripts have the endpoint's own settings: `docker-run.sh` hands its variables to its image, and `serve.sh` the
arguments that AWS's entry point makes of them to vLLM. An endpoint of LMI is started by `docker-run.sh` alone; its
`serve.sh` starts vLLM's server, with the arguments that LMI hands to vLLM, and says so.
https://docs.vllm.ai/en/stable/cli/serve/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.catalog.engines import command_line
from hbspec.targets.aws.engine_settings import BASE_FOLDER
from hbspec.targets.aws.first_request import FILE as REQUEST
from hbspec.targets.aws.first_request import first_request
from hbspec.targets.aws.judged_environment import judged_environment
from hbspec.targets.aws.serving_container import serving_container
from hbspec.targets.job.hyperparameters import WEIGHTS
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import Needs
from hbspec.targets.lowering.target import Target
from hbspec.targets.own_machine.container import container_lines
from hbspec.targets.own_machine.program import program_lines
from hbspec.targets.release.gate import standing

ANY_REGION = "us-east-1"
"""Where the image is pulled from if the spec names no region: AWS's images are the same in every region."""


class Serve(NamedTuple):
    """What the scripts start.

    Attributes:
        name: of the endpoint.
        engine: that of the endpoint, `vllm` or `djl-lmi`.
        image: the endpoint's.
        release: the release of vLLM whose arguments these are.
        environment: the variables of the endpoint's container.
        arguments: of vLLM's server, by name without dashes, with the words after it.
        variables: of its environment.
        merged: whether the model is whole, and not adapters beside a base model.
        base: id of the base model on the Hub; None where it has to be at hand, or the model is whole.
        first_request: the body of a chat completion by the trained model.
        standing: what the model's evaluation showed, to be said where it starts; empty without an evaluation.
    """

    name: str
    engine: str
    image: str
    release: str
    environment: Mapping[str, str]
    arguments: Sequence[tuple[str, Sequence[str]]]
    variables: Mapping[str, str]
    merged: bool
    base: str | None
    first_request: Mapping[str, Any]
    standing: str


def lower(analysis: Analysis) -> Serve:
    """Choose the engine's settings.

    Raises:
        LoweringError: the spec has no `deployment`, the weights or the image are not known, or the engine would refuse
            its settings, or a record that is given does not let the model out.
    """
    needs = Needs("serve")
    needs.take(analysis.spec.deployment, ("deployment",), None)
    needs.done()
    plan = analysis.serving_plan
    container = serving_container(analysis.spec, plan._replace(region=plan.region or ANY_REGION), needs)
    merged = plan.adapters == "merged"
    if not merged:
        needs.take(plan.weights, ("model", "id"), "", WEIGHTS)
    needs.done()
    variables = judged_environment(analysis, plan, container)
    of_vllm = judged_environment(analysis, plan._replace(engine="vllm"), container)
    on_hub = not merged and of_vllm["SM_VLLM_MODEL"] != BASE_FOLDER
    return Serve(
        name=analysis.spec.name,
        engine=plan.engine,
        image=container.uri,
        release=container.release,
        environment=variables,
        arguments=tuple(command_line(of_vllm)),
        variables={name: value for name, value in of_vllm.items() if not name.startswith("SM_VLLM_")},
        merged=merged,
        base=of_vllm["SM_VLLM_MODEL"] if on_hub else None,
        first_request=first_request(plan),
        standing=standing(analysis),
    )


def emit(served: Serve) -> list[Artifact]:
    """Write the two scripts and the first request."""
    arguments = [(name, words) for name, words in served.arguments if name != "model"]
    about = f"{served.name}: serves the trained model on this machine,"
    note = f"vLLM {served.release}"
    if served.engine != "vllm":
        note += " with the arguments that the endpoint's LMI hands to it; docker-run.sh starts LMI itself"
    program = program_lines(
        f"{about} by {note}.",
        served.release,
        arguments,
        served.variables,
        base=served.base,
        merged=served.merged,
        standing=served.standing,
    )
    container = container_lines(
        f"{about} in the endpoint's container.",
        served.image,
        served.environment,
        base=served.base,
        merged=served.merged,
        standing=served.standing,
    )
    return [
        script_artifact("serve.sh", program),
        script_artifact("docker-run.sh", container),
        json_artifact(REQUEST, dict(served.first_request)),
    ]


TARGET = Target(
    "serve",
    "the endpoint's engine on a machine of your own, by `vllm serve` or `docker run`",
    lower,
    emit,
    "serve.sh",
    asks="MODEL",
    serves=True,
)
