"""Rows of measurements made for the tests, and where the published ones lie."""

from __future__ import annotations

import csv
from pathlib import Path

from measured.row import COLUMNS

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT.parent / "shared" / "facts" / "measured_training.csv"
TRAINED = (PUBLISHED, PUBLISHED.with_name("measured_training_2.csv"))
INFERENCE = PUBLISHED.with_name("measured_inference.csv")

LORA = {
    "id": "made-1",
    "source_title": "Somebody's notebook",
    "source_locator": "a cell of it",
    "kind": "train",
    "model_id": "meta-llama/Llama-2-7b-hf",
    "params_b": "6.74",
    "method": "lora",
    "quant": "none",
    "compute_dtype": "bf16",
    "lora_r": "16",
    "lora_targets": "q_proj,v_proj",
    "seq_len": "1024",
    "micro_batch": "1",
    "grad_accum": "4",
    "gradient_checkpointing": "y",
    "attention": "sdpa",
    "fused_ce": "n",
    "parallelism": "single",
    "n_gpus": "1",
    "gpu": "A100-80GB",
    "framework": "transformers Trainer",
    "peak_allocated_bytes": "16000000000",
}

SERVED = {
    "source_title": "Somebody's server",
    "kind": "infer",
    "model_id": "meta-llama/Llama-2-7b-hf",
    "params_b": "6.74",
    "quant": "none",
    "compute_dtype": "fp16",
    "micro_batch": "1",
    "parallelism": "single",
    "n_gpus": "1",
    "gpu": "A100-80GB",
    "framework": "transformers (optimum-benchmark)",
    "tokens_per_s_per_gpu": "40",
    "peak_allocated_bytes": "14100000000",
    "notes": "prompt 500 tokens, generates exactly 200",
}

MADE = [
    LORA,
    {**LORA, "id": "made-2", "method": "qlora", "quant": "nf4-dq", "peak_reserved_bytes": "9000000000"},
    {
        **LORA,
        "id": "made-3",
        "source_title": "Another: run 1",
        "method": "full",
        "gpu": "T4-16GB",
        "oom": "yes",
    },
    {**LORA, "id": "made-4", "method": "vera"},
    {**LORA, "id": "made-5", "model_id": "nobody/nothing-1b", "params_b": ""},
    {**LORA, "id": "made-6", "peak_allocated_bytes": "", "peak_bytes_unknown_metric": "17000000000"},
    {**LORA, "id": "made-7", "notes": "FRONTIER: the longest that fits", "seq_len": "4096"},
    {**LORA, "id": "made-8", "parallelism": "fsdp", "n_gpus": "2", "process_bytes": "14000000000"},
    {**LORA, "id": "made-9", "tokens_per_s_per_gpu": "4200", "total_time_h": "1.5", "notes": "3 epochs"},
    {**SERVED, "id": "made-10"},
    {**SERVED, "id": "made-11", "gpu": "Graphcore IPU"},
]


def write(path: Path, rows: list[dict[str, str]], *, without: str = "") -> Path:
    """A table of measurements with all columns but one."""
    columns = [column for column in COLUMNS if column != without]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path
