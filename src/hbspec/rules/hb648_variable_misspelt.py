"""The name of an environment variable is a misspelt one of a library.

Why: Nobody reads a variable under a wrong name, and nothing says so: the job trains without the setting. Names are case
sensitive.

Example:

    sagemaker: {environment: {HF_HUB_ENABLE_HF_TRANFER: "1"}}

Instead:

    sagemaker: {environment: {HF_HUB_ENABLE_HF_TRANSFER: "1"}}

References:

    https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
    https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html
    https://docs.pytorch.org/docs/stable/torch_environment_variables.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.spelling import bare

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)
KNOWN = (
    *("HF_HOME", "HF_TOKEN", "HF_TOKEN_PATH", "HF_ENDPOINT", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_XET_CACHE"),
    *("HF_HUB_ENABLE_HF_TRANSFER", "HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT", "HF_XET_HIGH_PERFORMANCE"),
    *("HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_XET", "HF_HUB_VERBOSITY"),
    *("HF_DATASETS_CACHE", "HF_DATASETS_OFFLINE", "HUGGING_FACE_HUB_TOKEN", "TRANSFORMERS_CACHE"),
    *("TRANSFORMERS_OFFLINE", "TRANSFORMERS_VERBOSITY", "TOKENIZERS_PARALLELISM", "ACCELERATE_LOG_LEVEL"),
    *("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF", "CUDA_VISIBLE_DEVICES"),
    *("CUDA_LAUNCH_BLOCKING", "CUDA_DEVICE_ORDER", "CUDA_DEVICE_MAX_CONNECTIONS", "NVIDIA_VISIBLE_DEVICES"),
    *("TORCH_NCCL_ASYNC_ERROR_HANDLING", "TORCH_NCCL_BLOCKING_WAIT", "TORCH_DISTRIBUTED_DEBUG", "TORCH_CUDA_ARCH_LIST"),
    *("NCCL_ASYNC_ERROR_HANDLING", "NCCL_BLOCKING_WAIT", "NCCL_DEBUG", "NCCL_DEBUG_SUBSYS", "NCCL_DEBUG_FILE"),
    *("NCCL_SOCKET_IFNAME", "NCCL_P2P_DISABLE", "NCCL_P2P_LEVEL", "NCCL_IB_DISABLE", "NCCL_IB_TIMEOUT", "NCCL_IB_HCA"),
    *("NCCL_SHM_DISABLE", "NCCL_NVLS_ENABLE", "NCCL_BUFFSIZE", "NCCL_ALGO", "NCCL_PROTO", "NCCL_TIMEOUT"),
    *("NCCL_MIN_NCHANNELS", "NCCL_MAX_NCHANNELS", "NCCL_NET_GDR_LEVEL", "NCCL_CROSS_NIC", "NCCL_TOPO_FILE"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "FI_PROVIDER"),
    *("FI_EFA_USE_DEVICE_RDMA", "FI_EFA_FORK_SAFE", "WANDB_API_KEY", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_DISABLED"),
    *("WANDB_MODE", "WANDB_RUN_ID", "WANDB_NAME", "WANDB_WATCH", "WANDB_LOG_MODEL", "MLFLOW_TRACKING_URI"),
    *("MLFLOW_EXPERIMENT_NAME", "PYTHONUNBUFFERED", "PYTHONPATH", "PYTHONHASHSEED", "BITSANDBYTES_NOWELCOME"),
    *("DS_SKIP_CUDA_CHECK", "CUBLAS_WORKSPACE_CONFIG", "TRITON_CACHE_DIR", "TORCH_HOME", "TORCHINDUCTOR_CACHE_DIR"),
)
ALIKE = 0.94
"""Share of characters in common, by difflib: one or two characters of a long name. `NCCL_MIN_NCHANNELS` and
`NCCL_MAX_NCHANNELS`, which are both known, have 0.87."""
LONG_ENOUGH = 8
"""Characters without underscores: below, one character makes another word."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare every variable that is not known with those that are; HB643 judges names that are refused."""
    account = analysis.spec.sagemaker
    for name in account.environment if account is not None else ():
        meant = _meant(name) if name not in KNOWN and name.isidentifier() else None
        if meant is not None:
            yield RULE.at(
                ("sagemaker", "environment", name),
                f"the variable {name} is not read by any library; {meant} is",
                f"rename it to {meant}",
            )


def _meant(name: str) -> str | None:
    """The known variable that is spelt almost so."""
    from difflib import SequenceMatcher

    written = bare(name)
    if len(written) < LONG_ENOUGH:
        return None
    for known in KNOWN:
        matcher = SequenceMatcher(None, written, bare(known), autojunk=False)
        if matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE:
            return known
    return None
