"""The sections of a spec on the endpoint that serves the model, as types."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from hbspec.spec.choices import Quantization
from hbspec.spec.fields import (
    Positive,
    Price,
    Section,
    Text,
    Texts,
)


class ServingInstance(Section):
    """The instance or GPUs that the endpoint runs on."""

    type: Text | None = Field(None, description="SageMaker instance type, such as `ml.g5.2xlarge`.")
    alternatives: Texts = Field((), description="Other acceptable types, in order of preference.")
    count: Annotated[int, Field(gt=0, le=1000)] = Field(1, description="Number of instances.")
    price: Price | None = Field(None, description="Your price of one instance.")
    gpu: Text | None = Field(None, description="Hardware outside the catalog: the GPU, such as `A10G`.")
    gpus: Annotated[int, Field(gt=0, le=1024)] | None = Field(None, description="With `gpu`: number of GPUs.")


class BaselineInstance(Section):
    """The instances that serve the baseline today, which are billed beside the new model's."""

    type: Text = Field(description="SageMaker instance type of the baseline's variant.")
    count: Annotated[int, Field(gt=0, le=1000)] = Field(1, description="Number of its instances.")
    price: Price | None = Field(None, description="Your price of one of them.")


class AbTest(Section):
    """An A/B test of the new model against one that a live endpoint serves."""

    baseline: Text = Field(description="Name of the current SageMaker model, by which its variant is found.")
    endpoint: Text | None = Field(
        None, description="The live endpoint that serves the baseline, and that the candidate joins; `name` by default."
    )
    served_model_name: Text | None = Field(
        None,
        description="The `model` of requests to the baseline. The candidate answers to the same, so that one request "
        "is valid for both.",
    )
    instance: BaselineInstance | None = Field(
        None, description="What the baseline runs on. Only the bill needs it; without it the baseline is left out."
    )
    candidate_weight: Annotated[float, Field(gt=0, le=1)] = Field(
        description="Share of the traffic for the new model; of a shadow, the share that is copied to it."
    )
    shadow: bool = Field(
        False, description="Whether the new model gets copies of requests only, and its answers are not returned."
    )

    @model_validator(mode="after")
    def _both_have_traffic(self) -> Self:
        if self.candidate_weight == 1 and not self.shadow:
            raise PydanticCustomError(
                "contradiction",
                "candidate_weight {weight} leaves no traffic for the baseline {baseline}",
                {"weight": 1, "baseline": self.baseline},
            )
        return self


class Autoscaling(Section):
    """Limits on the number of instances, which follows the traffic."""

    min: Annotated[int, Field(ge=0, le=1000)] = Field(
        1,
        description="Smallest number of instances. With 0, requests wait in the queue of `async_inference`, or else "
        "are refused until one has started.",
    )
    max: Annotated[int, Field(gt=0, le=1000)] = Field(description="Largest number of instances.")

    @model_validator(mode="after")
    def _min_within_max(self) -> Self:
        if self.min > self.max:
            raise PydanticCustomError(
                "contradiction", "min ({min} instances) is above max ({max})", {"min": self.min, "max": self.max}
            )
        return self


class DataCapture(Section):
    """A copy of requests and answers, for later analysis."""

    percent: Annotated[int, Field(ge=1, le=100)] = Field(100, description="Share of the requests, in percent.")
    uri: Text = Field(description="S3 prefix for the copies.")


class AsyncInference(Section):
    """Asynchronous inference: requests of up to 1 GB wait in a queue, may take an hour, and are answered in S3."""

    output: Text = Field(description="S3 prefix for the answers.")
    failures: Text | None = Field(None, description="S3 prefix for the errors of failed requests; none by default.")
    success_topic: Text | None = Field(None, description="ARN of the SNS topic that is told of every answer.")
    error_topic: Text | None = Field(None, description="ARN of the SNS topic that is told of every failed request.")


class Deployment(Section):
    """The endpoint that serves the model."""

    instance: ServingInstance
    region: Text | None = Field(None, description="AWS region of the endpoint; the job's by default.")
    engine: Literal["vllm", "djl-lmi", "sglang"] | None = Field(
        None, description="Serving engine. SGLang's memory is estimated, and no target starts it."
    )
    model: Text | None = Field(
        None,
        description="Weights that are served beside the adapters instead of `model.id`: an id of the Hub, or an S3 "
        "prefix with the weights and their `config.json`. AWQ, GPTQ and other quantised copies are named here.",
    )
    quantization: Quantization = Field(
        "none",
        description="Quantisation of the served weights. The engine makes nf4 and fp8 while it loads "
        "16-bit weights; others are stored so, and named by `deployment.model`.",
    )
    dtype: Literal["bfloat16", "float16"] | None = Field(None, description="Compute dtype of the endpoint.")
    kv_cache_dtype: Literal["auto", "fp8"] | None = Field(None, description="Storage dtype of the KV cache.")
    adapters: Literal["merged", "separate"] | None = Field(None, description="How the trained adapters are served.")
    max_lora_rank: Annotated[int, Field(gt=0, le=4096)] | None = Field(
        None, description="Largest adapter rank that the engine accepts."
    )
    tensor_parallel: Annotated[int, Field(gt=0, le=1024)] | None = Field(
        None, description="GPUs that share each layer."
    )
    max_model_len: Annotated[int, Field(gt=0, le=10**8)] | None = Field(
        None,
        description="Tokens of the longest request, prompt plus answer; by default 4,096, or more if the longest "
        "example and the typical answer need it, within the model's positions and the GPU's memory.",
    )
    concurrency: Annotated[int, Field(gt=0, le=10**6)] | None = Field(
        None, description="Number of requests served at once."
    )
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Share of the GPU memory that the engine may use."
    )
    typical_input_tokens: Positive | None = Field(None, description="Tokens in the prompt of a typical request.")
    typical_output_tokens: Positive | None = Field(None, description="Tokens in the answer to a typical request.")
    autoscaling: Autoscaling | None = None
    ab_test: AbTest | None = None
    data_capture: DataCapture | None = None
    async_inference: AsyncInference | None = None
