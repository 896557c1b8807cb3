"""The sections of a spec, language version 1: what the author writes, typed.

Each class is one mapping of the YAML file; a field's description is its line in the spec reference and in the
editor's JSON Schema. Nothing is computed here. Most defaults that matter to memory, time or money are chosen in
`hbspec.plan`, where they are listed. Annotations are real objects in this file: pydantic would
have to compile each text of one again, which is a fifth of what building the models takes.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from hbspec.spec.fields import (
    Amount,
    Bytes,
    Day,
    Fraction,
    Names,
    Natural,
    Positive,
    Price,
    Seconds,
    Section,
    Speed,
    Steps,
    Text,
    Texts,
    Version,
)

Parallelism = Literal["single", "ddp", "pipeline", "fsdp", "zero1", "zero2", "zero3"]
Method = Literal["qlora", "lora", "full"]
Dtype = Literal["float32", "bfloat16", "float16"]
Quantization = Literal["none", "nf4", "fp4", "int8", "awq", "gptq", "fp8"]


class Model(Section):
    """What is fine-tuned."""

    id: Text | None = Field(None, description="Hugging Face id of a model in the catalog.")
    config: Text | None = Field(None, description="Path of a `config.json`, for a model outside the catalog.")
    revision: Text | None = Field(None, description="Commit or tag that pins the weights.")
    license: Text | None = Field(None, description="The licence the author relies on; checked against the catalog.")


class TrainingData(Section):
    """One split of the data."""

    uri: Text | None = Field(None, description="Where the file or prefix lies (`s3://…`).")
    examples: Positive | None = Field(None, description="How many examples it holds.")


class Tokens(Section):
    """Known token lengths of one example, in the model's own template."""

    mean: Annotated[float, Field(ge=1, le=10**7)] = Field(description="Mean tokens of an example.")
    max: Positive = Field(description="Tokens of the longest example.")

    @model_validator(mode="after")
    def _mean_within_max(self) -> Self:
        if self.mean > self.max:
            raise PydanticCustomError(
                "contradiction",
                "the mean is {mean} tokens, above the longest example's {max}",
                {"mean": f"{self.mean:g}", "max": self.max},
            )
        return self


class Data(Section):
    """What the model learns from."""

    format: Literal["messages"] = Field("messages", description='One `{"messages": [{role, content}, …]}` per line.')
    train: TrainingData | None = Field(None, description="The examples trained on.")
    validation: TrainingData | None = Field(None, description="The examples evaluated on.")
    profile: Text | None = Field(None, description="True lengths, written by `hbspec data profile`.")
    digest: Text | None = Field(None, description="The digest that the profile must have; pins the data.")
    tokens: Tokens | None = Field(None, description="True lengths, given by hand.")


class Instance(Section):
    """What the job runs on."""

    type: Text | None = Field(None, description="SageMaker instance type, `ml.p4d.24xlarge`.")
    alternatives: Texts = Field((), description="Other types that would do, in order of preference.")
    count: Annotated[int, Field(gt=0, le=1000)] = Field(1, description="Number of instances.")
    region: Text | None = Field(None, description="AWS region, `ca-central-1`.")
    parallelism: Parallelism = Field("single", description="How the GPUs share the work.")
    sharding: Literal["full", "hybrid", "none"] | None = Field(None, description="What FSDP shards.")
    offload: Literal["none", "optimizer", "all"] | None = Field(None, description="What is kept in host memory.")
    tensor_parallel: Annotated[int, Field(gt=0, le=1024)] | None = Field(None, description="GPUs that share a layer.")
    max_runtime: Seconds | None = Field(None, description="The job is stopped after this time, `16h`.")
    max_wait: Seconds | None = Field(None, description="Spot only: waiting and running together, `24h`.")
    spot: bool = Field(False, description="Managed spot training.")
    price: Price | None = Field(None, description="The author's own price of one instance; beats the catalog's.")
    volume: Bytes | None = Field(None, description="EBS volume for types without local NVMe.")
    keep_alive: Seconds | None = Field(None, description="Warm pool: how long the instance is kept afterwards.")
    gpu: Text | None = Field(None, description="Hardware outside the catalog: the GPU, `A100-80`.")
    gpus: Annotated[int, Field(gt=0, le=1024)] | None = Field(None, description="With `gpu`: how many.")
    gpu_memory: Bytes | None = Field(None, description="With `gpu`: its memory, for a GPU outside the catalog.")
    host_memory: Bytes | None = Field(None, description="With `gpu`: the host's memory.")
    network: Speed | None = Field(None, description="With `gpu` and `count`: what joins a host to the others.")


class Script(Section):
    """The author's own training script, instead of the one that is shipped."""

    entry_point: Text = Field(description="The script inside `source_dir`.")
    source_dir: Text = Field(".", description="Folder that is copied into the job.")
    reads: Literal["arguments", "environment"] = Field("arguments", description="How it takes hyperparameters.")
    hyperparameters: dict[str, str | int | float | bool] = Field({}, description="Names that only this script knows.")


class Software(Section):
    """Versions the job runs, where they are not those of the shipped requirements."""

    trainer: Literal["trl", "transformers", "loop"] | None = Field(
        None, description="Which trainer class runs; `loop` is a loop of one's own that holds the model's outputs."
    )
    torch: Version | None = Field(None, description="Version of PyTorch.")
    transformers: Version | None = Field(None, description="Version of transformers.")
    trl: Version | None = Field(None, description="Version of TRL.")
    peft: Version | None = Field(None, description="Version of peft.")
    bitsandbytes: Version | None = Field(None, description="Version of bitsandbytes.")
    accelerate: Version | None = Field(None, description="Version of accelerate.")
    weights_dtype: Dtype | None = Field(None, description="Storage of the weights that are not quantised.")
    adapter_dtype: Dtype | None = Field(None, description="Storage of the adapters.")
    autocast: bool | None = Field(None, description="Whether steps run under torch's autocast.")


class Hyperparameters(Section):
    """How it is trained; names as in Hugging Face and, in upper case, in the job."""

    method: Method | None = Field(
        None, description="What is trained: adapters on 4-bit or 16-bit weights, or everything."
    )
    learning_rate: Annotated[float, Field(gt=0, le=1)] = Field(description="Peak learning rate.")
    max_steps: Positive | None = Field(None, description="Optimizer updates; beats `num_train_epochs`.")
    num_train_epochs: Annotated[float, Field(gt=0, le=10_000)] | None = Field(None, description="Passes over the data.")
    per_device_batch_size: Annotated[int, Field(gt=0, le=10**6)] = Field(description="Micro-batch: rows a process.")
    gradient_accumulation_steps: Annotated[int, Field(gt=0, le=10**6)] = Field(
        1, description="Micro-batches an update."
    )
    max_length: Annotated[int, Field(gt=0, le=10**8)] = Field(description="Tokens after which an example is cut.")
    packing: bool | None = Field(None, description="Fill every row to `max_length` with several examples.")
    lora_r: Annotated[int, Field(gt=0, le=10**5)] | None = Field(None, description="Adapter rank.")
    lora_alpha: Annotated[float, Field(gt=0, le=10**6)] | None = Field(None, description="Adapter scale.")
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] | None = Field(None, description="Dropout before the adapters.")
    target_modules: Literal["all-linear"] | Names | None = Field(None, description="Modules that get adapters.")
    modules_to_save: Names | None = Field(None, description="Modules trained and saved whole beside the adapters.")
    use_rslora: bool | None = Field(None, description="Scale by the root of the rank.")
    use_dora: bool | None = Field(None, description="Weight-decomposed adapters.")
    bnb_quant_type: Literal["nf4", "fp4", "int8"] | None = Field(None, description="Quantised storage of the base.")
    bnb_double_quant: bool | None = Field(None, description="Quantise the scales too.")
    bnb_4bit_quant_storage: Literal["uint8", "bfloat16", "float16", "float32"] | None = Field(
        None, description="Storage dtype of 4-bit weights; FSDP needs the compute dtype."
    )
    bf16: bool | None = Field(None, description="Compute in bfloat16.")
    fp16: bool | None = Field(None, description="Compute in float16.")
    gradient_checkpointing: bool | None = Field(None, description="Recompute activations in the backward pass.")
    attn_implementation: Literal["eager", "sdpa", "flash_attention_2"] | None = Field(
        None, description="Attention kernel."
    )
    loss: Literal["standard", "chunked", "fused"] | None = Field(None, description="How the loss is computed.")
    optim: Text | None = Field(None, description="Optimizer, by its transformers name.")
    lr_scheduler_type: Text | None = Field(None, description="Learning-rate schedule.")
    warmup_ratio: Fraction | None = Field(None, description="Share of the updates that warm up.")
    warmup_steps: Natural | None = Field(None, description="Updates that warm up.")
    weight_decay: Annotated[float, Field(ge=0, le=10)] | None = Field(None, description="Decay of the weights.")
    max_grad_norm: Annotated[float, Field(gt=0, le=10**6)] | None = Field(None, description="Gradients are clipped.")
    eval_steps: Positive | None = Field(None, description="Updates between evaluations.")
    save_steps: Positive | None = Field(None, description="Updates between checkpoints.")
    save_total_limit: Positive | None = Field(None, description="Checkpoints kept.")
    load_best_model_at_end: bool | None = Field(
        None, description="Keep the checkpoint with the lowest evaluation loss."
    )
    logging_steps: Positive | None = Field(None, description="Updates between metric lines.")
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = Field(None, description="Seed of weights and data order.")


class ExchangeRate(Section):
    """What one unit of a currency is worth in the budget's, and since when the author says so."""

    rate: Annotated[float, Field(ge=1e-9, le=10**9)] = Field(description="In the currency of the budget.")
    date: Day = Field(description="When it was looked up.")


class Budget(Section):
    """What may be spent."""

    max_cost: Amount = Field(description="The most that one job may cost.")
    exchange_rates: dict[str, ExchangeRate] = Field(
        {}, description="One unit of each currency in the budget's currency."
    )


class LossMonitor(Section):
    """The loss is to fall."""

    decreasing_over: Steps | None = Field(None, description='`"300 steps"`')


class MemoryMonitor(Section):
    """Memory is to stay below."""

    max: Bytes = Field(description="The most on one GPU.")


class StepTimeMonitor(Section):
    """A step is to take."""

    min: Seconds | None = Field(None, description="No step is to take less.")
    max: Seconds | None = Field(None, description="No step is to take more.")


class GradientMonitor(Section):
    """The gradient norm is to stay below."""

    max: Annotated[float, Field(gt=0, le=10**12)] = Field(description="The largest norm before clipping.")


class Metric(Section):
    """A metric of the author's own script: a regular expression with one group, run over its log."""

    name: Text = Field(description="Name of the metric.")
    regex: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="With one group, the number.")


class Monitoring(Section):
    """What is watched while it trains."""

    loss: LossMonitor | None = None
    gpu_memory: MemoryMonitor | None = None
    step_time: StepTimeMonitor | None = None
    gradient_norm: GradientMonitor | None = None
    metrics: Annotated[tuple[Metric, ...], Field(strict=False)] = ()


class Suite(Section):
    """One validation suite and the score it must reach."""

    suite: Text = Field(description="Name of the suite.")
    min_score: Fraction = Field(description="The score that it must reach, 0 to 1.")
    data: Text | None = Field(None, description="Path or URI of its cases.")


class ServingInstance(Section):
    """What the endpoint runs on."""

    type: Text | None = Field(None, description="SageMaker instance type, `ml.g5.2xlarge`.")
    alternatives: Texts = Field((), description="Other types that would do, in order of preference.")
    count: Annotated[int, Field(gt=0, le=1000)] = Field(1, description="Number of instances.")
    price: Price | None = Field(None, description="The author's own price of one instance.")
    gpu: Text | None = Field(None, description="Hardware outside the catalog: the GPU, `A10G`.")
    gpus: Annotated[int, Field(gt=0, le=1024)] | None = Field(None, description="With `gpu`: how many.")


class AbTest(Section):
    """The candidate beside what serves today."""

    baseline: Text = Field(description="Name of the SageMaker model that serves today.")
    candidate_weight: Annotated[float, Field(gt=0, lt=1)] = Field(description="Share of the traffic for the new one.")


class Autoscaling(Section):
    """How many instances the endpoint may have, as the traffic asks."""

    min: Annotated[int, Field(gt=0, le=1000)] = Field(1, description="Fewest instances.")
    max: Annotated[int, Field(gt=0, le=1000)] = Field(description="Most instances.")

    @model_validator(mode="after")
    def _min_within_max(self) -> Self:
        if self.min > self.max:
            raise PydanticCustomError(
                "contradiction", "min is {min} instances, above max {max}", {"min": self.min, "max": self.max}
            )
        return self


class Deployment(Section):
    """The endpoint."""

    instance: ServingInstance
    region: Text | None = Field(None, description="Where it serves; the job's region if absent.")
    engine: Literal["vllm", "djl-lmi"] | None = Field(None, description="Serving engine.")
    quantization: Quantization = Field("none", description="Storage of the weights that are served.")
    dtype: Literal["bfloat16", "float16"] | None = Field(None, description="Compute dtype of the endpoint.")
    kv_cache_dtype: Literal["auto", "fp8"] | None = Field(None, description="Storage of the KV cache.")
    adapters: Literal["merged", "separate"] | None = Field(None, description="How the trained adapters are served.")
    max_lora_rank: Annotated[int, Field(gt=0, le=4096)] | None = Field(None, description="The engine's largest rank.")
    tensor_parallel: Annotated[int, Field(gt=0, le=1024)] | None = Field(None, description="GPUs that share a layer.")
    max_model_len: Annotated[int, Field(gt=0, le=10**8)] | None = Field(
        None,
        description="Prompt and answer of the longest request, tokens; if absent, 4,096 or as many as the longest "
        "example and the typical answer need, within the model's positions and what the GPU holds.",
    )
    concurrency: Annotated[int, Field(gt=0, le=10**6)] | None = Field(None, description="Requests served at once.")
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Share of a GPU that the engine may use."
    )
    typical_input_tokens: Positive | None = Field(None, description="Prompt of a typical request, tokens.")
    typical_output_tokens: Positive | None = Field(None, description="Answer of a typical request, tokens.")
    autoscaling: Autoscaling | None = None
    ab_test: AbTest | None = None


class Vpc(Section):
    """The job's network."""

    subnets: Names = Field(description="Ids of subnets.")
    security_groups: Names = Field(description="Ids of security groups.")


class SageMaker(Section):
    """What only the account knows."""

    role: Text | None = Field(None, description="ARN of the execution role.")
    output: Text | None = Field(None, description="S3 prefix for the model; each job has a folder of its own in it.")
    checkpoints: Text | None = Field(
        None, description="S3 prefix below which each job has its own folder of checkpoints; the output if absent."
    )
    code: Text | None = Field(
        None, description="S3 prefix below which each job has its own folder of source; the output if absent."
    )
    image: Text | None = Field(None, description="Training image, instead of the catalog's.")
    serving_image: Text | None = Field(None, description="Serving image, instead of the catalog's.")
    job_name: Text | None = Field(None, description="Training job name, if not the spec's name; a digest is added.")
    vpc: Vpc | None = None
    environment: dict[str, str] = Field({}, description="Environment variables of the job.")
    tags: dict[str, str] = Field({}, description="Tags of the job.")


class Calibration(Section):
    """What the author measured on this very job; beats the estimate."""

    tokens_per_second_per_gpu: Annotated[float, Field(ge=1e-3, le=10**9)] | None = Field(
        None, description="Real tokens a second, over all GPUs of the job."
    )


class Spec(Section):
    """One spec: what is trained, on what, within which limits, how it is judged and served, and what is believed."""

    hbspec: Literal[1] = Field(description="Version of the language.")
    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Name of the job.")
    model: Model
    data: Data = Data()
    instance: Instance
    script: Script | None = None
    software: Software = Software()
    hyperparameters: Hyperparameters
    budget: Budget | None = None
    monitoring: Monitoring | None = None
    evaluation: Annotated[tuple[Suite, ...], Field(strict=False)] = ()
    deployment: Deployment | None = None
    sagemaker: SageMaker | None = None
    calibration: Calibration | None = None
    expect: dict[str, str] = Field({}, description="The author's own claims, each verified.")
