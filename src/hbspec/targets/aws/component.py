"""An inference component: a model that is placed on an endpoint's instances, of which there may be none.

The service then starts and stops instances by itself, as copies of the model need them. Without a copy, it refuses
requests, and the first refusal starts one. The component names the model, and is updated where another one is
served; the endpoint's configuration names the role instead. Such an update has no rollback: a step of one takes at most
half of the copies, and a single copy has no half. Not tried on AWS: how such an endpoint changes its instance type.
https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateInferenceComponent.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hbspec.targets.aws.operations import Bodies

MEMORY_MB = 1024
"""Host memory that a copy reserves at least; without MaxMemoryRequiredInMb it may take more. Assumed: little is asked
for, as no copy is placed where less is left, and a model's GPUs keep others away."""


@dataclass(frozen=True, slots=True)
class Component:
    """An inference component.

    Attributes:
        name: its name.
        gpus: GPUs that a copy takes.
        copies: number of copies at the start.
        most: the most instances that the endpoint may have.
    """

    name: str
    gpus: int
    copies: int
    most: int

    def scaled_instances(self) -> dict[str, Any]:
        """The member of a variant by which the service scales the instances."""
        limits = {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": self.most}
        return {"ManagedInstanceScaling": limits}

    def requests(self, endpoint: str, variant: str, model: str, timeout: int, tags: dict[str, Any]) -> Bodies:
        """The bodies that make the component and give it another model.

        Args:
            endpoint: the name of the endpoint.
            variant: the name of its variant.
            model: the name of the model.
            timeout: seconds that a download, and a start, may take.
            tags: the member `Tags`.
        """
        specification = {
            "ModelName": model,
            "StartupParameters": {
                "ModelDataDownloadTimeoutInSeconds": timeout,
                "ContainerStartupHealthCheckTimeoutInSeconds": timeout,
            },
            "ComputeResourceRequirements": {
                "NumberOfAcceleratorDevicesRequired": self.gpus,
                "MinMemoryRequiredInMb": MEMORY_MB,
            },
        }
        return {
            "create_inference_component": {
                "InferenceComponentName": self.name,
                "EndpointName": endpoint,
                "VariantName": variant,
                "Specification": specification,
                "RuntimeConfig": {"CopyCount": self.copies},
                **tags,
            },
            "update_inference_component": {"InferenceComponentName": self.name, "Specification": specification},
        }
