"""What the tests of the shipped script share: settings, data, and a place to run a job in."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from preloaded_training import ENVIRONMENT, preloaded

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
HEARTBEAT = ROOT.parent / "shared/data/heartbeat/train.jsonl"

SEED = {
    "MODEL_ID": "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
    "LEARNING_RATE": "1e-4",
    "MAX_STEPS": "300",
    "PER_DEVICE_BATCH_SIZE": "1",
    "GRADIENT_ACCUMULATION_STEPS": "32",
    "MAX_LENGTH": "4096",
    "LORA_R": "16",
    "LORA_ALPHA": "32",
    "LORA_DROPOUT": "0.05",
    "BNB_QUANT_TYPE": "nf4",
    "BNB_DOUBLE_QUANT": "true",
}
QWEN_32B = {
    "model_type": "qwen2",
    "hidden_size": 5120,
    "intermediate_size": 27648,
    "num_hidden_layers": 64,
    "num_attention_heads": 40,
    "num_key_value_heads": 8,
    "max_position_embeddings": 131072,
    "rope_theta": 1000000.0,
    "tie_word_embeddings": False,
    "vocab_size": 152064,
}

NARROW = QWEN_32B | {"hidden_size": 2048, "intermediate_size": 2048, "num_attention_heads": 16}
"""What `--tiny` makes 64 wide, a fifth of what it makes of the real one: a run takes half the time."""


def sums(count: int, seed: int = 0) -> list[list[dict[str, str]]]:
    """Small conversations about sums, all different, with one or two answers."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        a, b = draw.randrange(100), draw.randrange(100)
        messages = [
            {"role": "system", "content": "You add numbers and say how."},
            {"role": "user", "content": f"Task {number}: what is {a} plus {b}?"},
            {"role": "assistant", "content": f"{a} plus {b} is {a + b}."},
        ]
        if number % 3 == 0:
            messages += [
                {"role": "user", "content": "And twice that?"},
                {"role": "assistant", "content": f"Twice that is {2 * (a + b)}."},
            ]
        found.append(messages)
    return found


def run(words: Sequence[object], timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Runs a script with its words to its end, with all imports of a job behind it."""
    done = preloaded().run(words, folder=Path.cwd(), environment=ENVIRONMENT, timeout=timeout)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def run_ranks(words: Sequence[object], ranks: int = 2) -> str:
    """Runs a script as so many ranks, told who they are as the launcher tells them; returns their standard output."""
    import launcher

    options = launcher._options([f"--nproc_per_node={ranks}", str(words[0])])
    with TemporaryFile() as out, TemporaryFile() as err, Path(os.devnull).open() as nothing:
        streams = [nothing.fileno(), out.fileno(), err.fileno()]
        told = launcher.environments(options, ENVIRONMENT)
        started = [preloaded().start(words, streams, folder=Path.cwd(), environment=each) for each in told]
        codes = [rank.wait(300) for rank in started]
        output, errors = (os.pread(stream, os.fstat(stream).st_size, 0).decode() for stream in streams[1:])
    assert codes == [0] * ranks, errors[-4000:]
    return output


@dataclass(frozen=True)
class Bench:
    """A place to run the job in: settings as SageMaker hands them over, data, and everything that comes out.

    Attributes:
        folder: where all of it lies.
        config: of the model that is rehearsed.
    """

    folder: Path
    config: dict[str, Any] = field(default_factory=NARROW.copy)

    def write(self, settings: dict[str, str], train: list[Any] | Path, validation: list[Any] | None = None) -> None:
        for name, data in (("train", train), ("validation", validation)):
            if data is not None:
                (self.folder / name).mkdir(parents=True, exist_ok=True)
                text = (
                    data.read_text()
                    if isinstance(data, Path)
                    else "".join(json.dumps({"messages": messages}) + "\n" for messages in data)
                )
                (self.folder / name / "data.jsonl").write_text(text)
        (self.folder / "config").mkdir(exist_ok=True)
        (self.folder / "config/hyperparameters.json").write_text(json.dumps(settings))
        (self.folder / "model-config.json").write_text(json.dumps(self.config))

    @property
    def arguments(self) -> list[str]:
        at = self.folder
        return [
            "--tiny", "--config-dir", f"{at}/config", "--model-config", f"{at}/model-config.json",
            "--train-dir", f"{at}/train", "--validation-dir", f"{at}/validation", "--model-dir", f"{at}/model",
            "--checkpoint-dir", f"{at}/checkpoints", "--output-data-dir", f"{at}/output",
        ]  # fmt: skip

    def command(self, *more: str, ranks: int = 0) -> list[str]:
        import torch  # noqa: F401 - what the process needs

        launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"] if ranks else []
        return [sys.executable, *launcher, str(TEMPLATES / "train.py"), *self.arguments, *more]

    def run(self, *more: str, ranks: int = 0) -> str:
        """Runs the job in a process of its own, or in so many; returns its standard output."""
        if ranks:
            return run_ranks([TEMPLATES / "train.py", *self.arguments, *more], ranks)
        done = run([TEMPLATES / "train.py", *self.arguments, *more])
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        return dict(ENVIRONMENT)

    @property
    def record(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "output/run.json").read_text()))


def losses(output: str) -> list[float]:
    return [float(found) for found in re.findall(r" loss=(\S+)", output)]
