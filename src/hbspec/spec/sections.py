"""The sections of a spec, language version 1, as types.

Each class is one mapping of the YAML file; a field's description is its line in the spec reference and in the editors'
JSON Schema. Nothing is computed here. Most defaults that affect memory, time or cost are chosen in `hbspec.plan`, where
they are listed. Annotations in this file are real objects: pydantic would have to compile string annotations, which
takes a fifth of the time to build the models.
"""

from typing import Annotated, Literal

from pydantic import Field

from hbspec.spec.account import SageMaker
from hbspec.spec.cadence import Cadence
from hbspec.spec.choices import FRAMEWORKS, Attention, Dtype, Loss, Method, Parallelism, Trainer
from hbspec.spec.data import Data
from hbspec.spec.deployment import Deployment
from hbspec.spec.fields import (
    Amount,
    Bytes,
    Day,
    Every,
    Fraction,
    Names,
    Positive,
    Price,
    Seconds,
    Section,
    Speed,
    Text,
    Texts,
    Version,
    Warmup,
)
from hbspec.spec.monitoring import Monitoring, Suite
from hbspec.spec.objectives import ObjectiveSettings, Reward, Task
from hbspec.spec.trained import CAP_SCHEMA, Cap, NullIsUnlimited, Pattern, Trained


class Model(Section):
    """The model to fine-tune."""

    id: Text | None = Field(None, description="Hugging Face id of a model in the catalog.")
    config: Text | None = Field(None, description="Path of a `config.json`, for a model outside the catalog.")
    revision: Text | None = Field(None, description="Commit or tag that pins the weights of the job and its endpoint.")
    source: Text | None = Field(
        None,
        description="S3 prefix of an unpacked copy of the model's repository, which the SageMaker job and its endpoint "
        "read instead of the Hub; elsewhere, pass `--base-dir`.",
    )
    license: Text | None = Field(None, description="The licence that you rely on; compared with the catalog.")
    adapter: Text | None = Field(
        None,
        description="Adapters that training goes on from: an id of the Hugging Face Hub, or an S3 prefix, which the "
        "SageMaker job reads; elsewhere pass their folder with `--adapter-dir`.",
    )
    adapter_revision: Text | None = Field(None, description="Commit or tag that pins those adapters on the Hub.")
    added_tokens: Annotated[int, Field(gt=0, le=10**6)] | None = Field(
        None, description="Tokens added to the vocabulary, by which the embedding and the output head grow."
    )


class Instance(Section):
    """The instance or GPUs that the job runs on."""

    type: Text | None = Field(None, description="SageMaker instance type, such as `ml.p4d.24xlarge`.")
    alternatives: Texts = Field((), description="Other acceptable types, in order of preference.")
    count: Annotated[int, Field(gt=0, le=1000)] = Field(1, description="Number of instances.")
    region: Text | None = Field(None, description="AWS region, such as `ca-central-1`.")
    parallelism: Parallelism = Field("single", description="How the work is divided among the GPUs.")
    sharding: Literal["full", "hybrid", "none"] | None = Field(None, description="Sharding strategy of FSDP.")
    fsdp_version: Annotated[int, Field(ge=1, le=2)] | None = Field(None, description="Version of FSDP: 1 or 2.")
    reshard_after_forward: bool | None = Field(
        None, description="FSDP: whether gathered weights are freed between the forward and the backward pass."
    )
    loads_whole: bool | None = Field(
        None,
        description="FSDP: whether every GPU holds the whole model before it is sharded; by default as the versions of "
        "the libraries do.",
    )
    offload: Literal["none", "optimizer", "all"] | None = Field(
        None, description="State that is offloaded to host memory."
    )
    deepspeed: Text | None = Field(None, description="Path of your DeepSpeed JSON, with `zero1`, `zero2` or `zero3`.")
    tensor_parallel: Annotated[int, Field(gt=0, le=1024)] | None = Field(
        None, description="GPUs that share each layer."
    )
    max_runtime: Seconds | None = Field(None, description="Time after which the job is stopped, such as `16h`.")
    max_wait: Seconds | None = Field(None, description="Spot only: limit on waiting plus running time, such as `24h`.")
    spot: bool = Field(False, description="Use managed spot training.")
    price: Price | None = Field(None, description="Your price of one instance; overrides the catalog's.")
    volume: Bytes | None = Field(None, description="Size of the EBS volume, for types without local NVMe.")
    keep_alive: Seconds | None = Field(None, description="Warm pool: time that the instance is kept after the job.")
    retries: Annotated[int, Field(ge=1, le=30)] | None = Field(
        None,
        description="How often SageMaker repeats the job after an internal error of its own, within `max_runtime`; not "
        "at all by default.",
    )
    gpu: Text | None = Field(None, description="Hardware outside the catalog: the GPU, such as `A100-80`.")
    gpus: Annotated[int, Field(gt=0, le=1024)] | None = Field(None, description="With `gpu`: number of GPUs.")
    gpu_memory: Bytes | None = Field(None, description="With `gpu`: memory of one GPU, for a GPU outside the catalog.")
    host_memory: Bytes | None = Field(None, description="With `gpu`: memory of the host.")
    network: Speed | None = Field(None, description="With `gpu` and `count`: network bandwidth of one host.")


class Script(Section):
    """Your training script, instead of the shipped one."""

    entry_point: Text = Field(description="The script inside `source_dir`.")
    source_dir: Text = Field(".", description="Folder to copy into the job.")
    reads: Literal["arguments", "environment"] = Field("arguments", description="How the script reads hyperparameters.")
    hyperparameters: dict[str, str | int | float | bool] = Field(
        {}, description="Hyperparameters that only this script reads."
    )


class Software(Section):
    """Library versions of the job, if they differ from the shipped requirements."""

    trainer: Trainer | None = Field(
        None,
        description="Trainer class; `litgpt` is LitGPT's own model and script, `loop` is a custom training loop that "
        "keeps the model's outputs alive. `axolotl`, `llamafactory`, `torchtune`, `unsloth` and `other` run instead of "
        "the shipped script, with defaults of their own.",
    )
    torch: Version | None = Field(None, description="Version of PyTorch.")
    transformers: Version | None = Field(None, description="Version of transformers.")
    trl: Version | None = Field(None, description="Version of TRL.")
    peft: Version | None = Field(None, description="Version of peft.")
    bitsandbytes: Version | None = Field(None, description="Version of bitsandbytes.")
    accelerate: Version | None = Field(None, description="Version of accelerate.")
    allocator: Text | None = Field(
        None, description="Settings of torch's caching allocator, as in `PYTORCH_CUDA_ALLOC_CONF`."
    )
    weights_dtype: Dtype | None = Field(None, description="Storage dtype of the weights that are not quantised.")
    adapter_dtype: Dtype | None = Field(None, description="Storage dtype of the adapters.")
    autocast: bool | None = Field(None, description="Whether steps run under torch's autocast.")


class Hyperparameters(Cadence, Trained, ObjectiveSettings):
    """Hyperparameters, named as in Hugging Face; the job receives them in upper case."""

    method: Method | None = Field(
        None, description="Adapters on 4-bit weights, adapters on 16-bit weights, or all parameters."
    )
    learning_rate: Annotated[float, Field(gt=0, le=1)] = Field(description="Peak learning rate.")
    max_steps: Positive | None = Field(None, description="Number of optimizer updates; overrides `num_train_epochs`.")
    num_train_epochs: Annotated[float, Field(gt=0, le=10_000)] | None = Field(None, description="Passes over the data.")
    per_device_batch_size: Annotated[int, Field(gt=0, le=10**6)] = Field(description="Micro-batch: rows per process.")
    per_device_eval_batch_size: Annotated[int, Field(gt=0, le=10**6)] | None = Field(
        None, description="Examples of an evaluation's micro-batch."
    )
    gradient_accumulation_steps: Annotated[int, Field(gt=0, le=10**6)] = Field(
        1, description="Micro-batches per update."
    )
    sync_each_batch: bool | None = Field(
        None, description="Reduce gradients over the ranks after every micro-batch instead of once an update."
    )
    max_length: Annotated[Cap | Literal["none"], NullIsUnlimited, CAP_SCHEMA] = Field(
        description="Tokens after which an example is truncated; `none` truncates none."
    )
    packing: bool | None = Field(None, description="Fill every row to `max_length` with several examples.")
    packing_strategy: Literal["bfd", "bfd_split", "ffd", "wrapped"] | None = Field(
        None, description="How TRL packs; all but `wrapped` join the rows of a micro-batch into one."
    )
    lora_r: Annotated[int, Field(gt=0, le=10**5)] | None = Field(None, description="Adapter rank.")
    lora_alpha: Annotated[float, Field(gt=0, le=10**6)] | None = Field(None, description="Adapter scale.")
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] | None = Field(None, description="Dropout before the adapters.")
    target_modules: Literal["all-linear", "default"] | Pattern | Names | None = Field(
        None,
        description="Modules that get adapters: names, a regular expression of paths, `all-linear`, or `default`, "
        "which is peft's choice for the model.",
    )
    modules_to_save: Names | None = Field(
        None, description="Modules that are trained and saved in full, besides the adapters."
    )
    use_rslora: bool | None = Field(None, description="Scale the adapters by the square root of the rank.")
    use_dora: bool | None = Field(None, description="Use weight-decomposed adapters.")
    bnb_quant_type: Literal["nf4", "fp4", "int8"] | None = Field(
        None, description="Quantised storage of the base weights."
    )
    bnb_double_quant: bool | None = Field(None, description="Quantise the scales too.")
    bnb_4bit_quant_storage: Literal["uint8", "bfloat16", "float16", "float32"] | None = Field(
        None, description="Storage dtype of 4-bit weights; FSDP needs the compute dtype."
    )
    output_router_logits: bool | None = Field(
        None,
        description="Add the loss that balances experts, for which the logits of all routers are held, as the key of "
        "that name in a model's configuration.",
    )
    quantize_experts: bool | None = Field(
        None,
        description="Quantise fused experts too, as axolotl's `quantize_moe_experts`; those of a layer are dequantised "
        "while it runs.",
    )
    bf16: bool | None = Field(None, description="Compute in bfloat16.")
    fp16: bool | None = Field(None, description="Compute in float16.")
    gradient_checkpointing: bool | None = Field(None, description="Recompute activations in the backward pass.")
    use_reentrant: bool | None = Field(None, description="Recompute whole layers, in a backward pass of their own.")
    activation_offloading: bool | None = Field(
        None, description="Keep what is saved for the backward pass in host memory."
    )
    attn_implementation: Attention | None = Field(None, description="Attention kernel.")
    loss: Loss | None = Field(
        None, description="Implementation of the loss; `in_place` writes the gradient over the logits."
    )
    liger: bool | None = Field(None, description="Run Liger's kernels (`use_liger_kernel`).")
    optim: Text | None = Field(None, description="Optimizer, by its transformers name.")
    lr_scheduler_type: Text | None = Field(None, description="Learning-rate schedule.")
    warmup_ratio: Fraction | None = Field(None, description="Share of the updates used for warm-up.")
    warmup_steps: Warmup | None = Field(None, description="Updates used for warm-up; below 1: their share.")
    weight_decay: Annotated[float, Field(ge=0, le=10)] | None = Field(None, description="Weight decay.")
    max_grad_norm: Annotated[float, Field(gt=0, le=10**6)] | None = Field(None, description="Gradient norm to clip to.")
    eval_steps: Every | None = Field(None, description="Updates between evaluations; below 1: a share of all updates.")
    save_steps: Every | None = Field(None, description="Updates between checkpoints; below 1: a share of all updates.")
    save_total_limit: Positive | None = Field(None, description="Number of checkpoints to keep.")
    load_best_model_at_end: bool | None = Field(
        None, description="Keep the checkpoint with the lowest evaluation loss."
    )
    logging_steps: Every | None = Field(None, description="Updates between log lines; below 1: a share of all updates.")
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = Field(
        None, description="Seed of the initial weights and the data order."
    )


class ExchangeRate(Section):
    """The exchange rate of one currency to the budget's, and its date."""

    rate: Annotated[float, Field(ge=1e-9, le=10**9)] = Field(description="Value of one unit in the budget's currency.")
    date: Day = Field(description="Date of the exchange rate.")


class Budget(Section):
    """The budget of one job."""

    max_cost: Amount = Field(description="Largest cost of one job.")
    exchange_rates: dict[str, ExchangeRate] = Field(
        {}, description="One unit of each currency in the budget's currency."
    )


class Calibration(Section):
    """Your measurements of this job, which override estimates."""

    tokens_per_second_per_gpu: Annotated[float, Field(ge=1e-3, le=10**9)] | None = Field(
        None, description="Tokens per second and GPU, without padding: the mean over all GPUs of the job."
    )
    record: Text | None = Field(
        None,
        description="Path of a record written by `hbspec measure`, which replaces estimates where it is of the same "
        "job; where it is not, a note says what differs.",
    )


class Spec(Section):
    """A fine-tuning job: model, data, hardware, limits, evaluation, deployment and claims."""

    hbspec: Literal[1] = Field(description="Version of the spec language.")
    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Name of the job.")
    task: Task = Field(
        "sft", description="What the job trains for, by the name of TRL's trainer; `pretrain` is whole texts."
    )
    model: Model
    data: Data = Data()
    instance: Instance
    script: Script | None = None
    software: Software = Software()
    hyperparameters: Hyperparameters
    reward: Reward | None = None
    budget: Budget | None = None
    monitoring: Monitoring | None = None
    evaluation: Annotated[tuple[Suite, ...], Field(strict=False)] = ()
    deployment: Deployment | None = None
    sagemaker: SageMaker | None = None
    calibration: Calibration | None = None
    expect: dict[str, str] = Field({}, description="Your claims about the job; each is verified.")

    @property
    def shipped(self) -> bool:
        """Whether the shipped script trains, rather than the author's script or another framework."""
        return self.script is None and self.software.trainer not in FRAMEWORKS
