"""The image of an endpoint's container, the host that runs it, and the seconds that it may take to start."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.engines.facts import NEWEST, judged_by
from hbspec.catalog.engines.images import own_image
from hbspec.catalog.parameters import total_parameters
from hbspec.plan import ServingPlan
from hbspec.plan.engine_share import SGLANG
from hbspec.spec import Spec
from hbspec.targets.aws.engine_settings import AT_LOAD
from hbspec.targets.aws.images import WITH_BITSANDBYTES, image, inference_ami
from hbspec.targets.lowering.needs import Needs

SLOWEST_DOWNLOAD = 50e6
"""Bytes per second: the slowest expected download of the weights."""
SLOWEST_LOAD = 200e6
"""Bytes per second: the slowest expected reading of weights into GPUs, also while they are quantised. Assumed: no
measurement of the latter is published."""
PREPARATION = 300
"""Seconds to start Python, profile memory, compile and capture CUDA graphs. Assumed: vLLM logs 30 to 200 s."""
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 600, 3600
"""Seconds; 3,600 is ContainerStartupHealthCheckTimeoutInSeconds' maximum."""
BITSANDBYTES = ("bnb-4bit", "bitsandbytes", "nf4", "fp4")


class ServingContainer(NamedTuple):
    """Where the engine runs.

    Attributes:
        uri: the image.
        host: a value of InferenceAmiVersion; None where the CUDA release in the image is not known.
        release: the release of vLLM by whose arguments the environment is judged.
        own: whether the author has built it; it may have packages, such as `vllm-bnb-plugin`, that AWS's image lacks.
    """

    uri: str
    host: str | None
    release: str
    own: bool = False


def serving_container(spec: Spec, plan: ServingPlan, needs: Needs) -> ServingContainer:
    """The author's image, or AWS's of the engine: the last with bitsandbytes, where that quantises the weights."""
    if plan.engine == SGLANG:
        reason = "it starts vLLM and LMI; SGLang's memory is estimated, and what starts it is yours to write"
        needs.leave_out(plan.engine, ("deployment", "engine"), reason, "set deployment.engine to vllm or djl-lmi")
        needs.done()
    own = spec.sagemaker.serving_image if spec.sagemaker else None
    if own is not None:
        said = own_image(own)
        if said.engine is None and plan.assumes("engine"):
            action = "add deployment.engine; the image's name does not say which variables it reads"
            needs.take(None, ("deployment", "engine"), "", action)
        host = inference_ami(said.cuda) if said.cuda else None
        return ServingContainer(
            own, host.name if host else None, judged_by(said.vllm) if said.vllm else NEWEST, own=True
        )
    old = plan.engine == "vllm" and by_bitsandbytes(plan)
    shipped = image(WITH_BITSANDBYTES if old else plan.engine, plan.region) if plan.region else None
    uri = needs.take(shipped.uri if shipped else None, ("sagemaker", "serving_image"), "")
    host = inference_ami(shipped.cuda) if shipped else None
    release = judged_by(shipped.version) if shipped and plan.engine == "vllm" else NEWEST
    return ServingContainer(uri, host.name if host else None, release)


def by_bitsandbytes(plan: ServingPlan) -> bool:
    """Whether bitsandbytes' kernels compute with the weights: quantised while they are loaded, or stored so."""
    return plan.stored in BITSANDBYTES or (plan.stored is None and AT_LOAD.get(plan.quantization) == "bitsandbytes")


def start_up_seconds(plan: ServingPlan) -> int:
    """Seconds that the container may take: download, loading and preparation, within the service's limits.

    16-bit weights that are quantised while they are loaded are downloaded and read whole. Left out: the time that a
    cold S3 bucket or the Hub's rate limits add.
    """
    if plan.architecture is None:
        return LONGEST_TIMEOUT
    stored = 2 * total_parameters(plan.architecture) if plan.stored is None else total_parameters(plan.architecture)
    seconds = stored / SLOWEST_DOWNLOAD + stored / SLOWEST_LOAD + PREPARATION
    return round(min(LONGEST_TIMEOUT, max(SHORTEST_TIMEOUT, seconds)))
