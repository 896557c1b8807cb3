"""The compiled job in its container, ended in every way that it can be: killed, stopped, and by each of its watches.

The weights are tiny, and everything else is the real job: what a rehearsal turns off is on.
"""

from __future__ import annotations

import json
import re
import signal
import sys

import pytest
import torch  # noqa: F401 - the processes that are started need it
from job_container import ROOT, SPEC, Container, lay_out
from moto_strict import plain_server

from hbspec.api import estimate
from hbspec.smoke.sample import training_lines
from hbspec.spec.data import Data

pytestmark = pytest.mark.long

BROKEN = 3
NARROW = {"hidden_size": 2048, "intermediate_size": 2048, "num_attention_heads": 16}
"""What makes the tiny weights 64 wide, a fifth of what the real ones make: a run takes half the time."""
ADAPTER = "adapter_model.safetensors"
REAL = "--MODEL_ID @/input/base --BF16 false --FP16 false --MAX_LENGTH 64 --EVAL_STEPS 1000 --LOGGING_STEPS 1"
"""A real run of tiny weights, on a CPU."""
SEAM = """
import importlib.util, os, signal, sys, time

class Faults:
    \"\"\"What a CPU does not show: a second GPU that is full (`counting.gpu_memory`), and a loss of NaN on it.

    And a job that goes no further than update 3 until it hears of its end.
    \"\"\"

    def find_spec(self, name, path=None, target=None):
        if name != "counting":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run, is_second = spec.loader.exec_module, os.environ["RANK"] == "1"

        def with_fault(module):
            run(module)
            step, heard = module.Counting.training_step, []

            def held(self, *given, **named):
                if not hasattr(self, "hears"):
                    self.hears = signal.getsignal(signal.SIGTERM)
                    signal.signal(signal.SIGTERM, lambda *told: heard.append(told) or self.hears(*told))
                while self.state.global_step == 3 and not heard:
                    time.sleep(0.01)
                return step(self, *given, **named)

            if os.environ["FAULT"] == "held":
                module.Counting.training_step = held
            elif os.environ["FAULT"] == "memory":
                module.gpu_memory = lambda: {"gpu_memory_bytes": (36 if is_second else 30) * 10**9}
            elif is_second:
                module.Counting.training_step = lambda *given, **named: step(*given, **named) * float("nan")

        spec.loader.exec_module = with_fault
        return spec

sys.meta_path.insert(0, Faults())
"""


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Container:
    """The container, with tiny weights in the place of the base model."""
    with plain_server("ca-central-1") as server:
        found = lay_out(tmp_path_factory.mktemp("ends"), server.client("s3"), "hyperparameters.save_steps=2")
    sys.path.append(str(ROOT / "templates"))
    import tiny
    from conversations import read_conversations
    from settings import Folders, Invocation, Settings

    config = found.folder / "input/config/model-config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | NARROW))
    settings = Settings(MODEL_ID=found.body["HyperParameters"]["MODEL_ID"])
    train = read_conversations(found.folder / "input/data/train")
    tiny.write(Invocation(settings, Folders(tiny=True, model_config=config)), train, found.folder / "input/base")
    return found


@pytest.fixture
def container(laid_out: Container) -> Container:
    laid_out.begin_anew()
    return laid_out


def seam(container: Container, fault: str) -> dict[str, str]:
    """The environment in which a job has a fault."""
    place = container.folder.parent / "seam"
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(SEAM)
    return {"PYTHONPATH": str(place), "FAULT": fault}


def examples_planned(updates: int, ranks: int) -> int:
    """The examples of so many updates, by the plan, which is of eight ranks."""
    planned = estimate(SPEC, overrides=[f"hyperparameters.max_steps={updates}"]).plan.require("counts")
    return planned.examples_processed * ranks // 8


@pytest.mark.parametrize(
    ("number", "ranks"), [(signal.SIGKILL, 2), (signal.SIGTERM, 2), (signal.SIGKILL, 3)], ids=["killed", "stopped", "3"]
)
def test_a_job_that_ends_half_way_goes_on_and_consumes_what_is_planned(
    container: Container, number: int, ranks: int
) -> None:
    more = f"{REAL} --MAX_STEPS 6 --WATCH_STEP_MIN 0"  # a tiny update takes less than one of the plan
    job = container.start(more, ranks=ranks, environment=seam(container, "held"))
    assert job.stdout is not None
    lines = []
    for line in job.stdout:
        lines.append(line)
        if line.startswith("hbspec: step=3"):
            job.send_signal(number)
            break
    rest, _ = job.communicate(timeout=600)
    first = "".join(lines) + rest
    assert job.returncode == (0 if number == signal.SIGTERM else -signal.SIGKILL), first[-4000:]
    saved = max(int(name.rpartition("-")[2]) for name in container.checkpoints() if whole(container, name))
    assert not (container.folder / "model" / ADAPTER).exists()

    job = container.start(more, ranks=ranks)
    second, _ = job.communicate(timeout=600)
    assert job.returncode == 0, second[-4000:]
    counted = container.record
    assert counted["resumed_from_step"] == saved
    assert steps(second) == list(range(saved + 1, 7))
    each = examples_planned(1, ranks)
    assert counted["examples_of_each_update"] == [each] * (6 - saved)
    assert each * saved + counted["examples_consumed"] == examples_planned(6, ranks)
    state = json.loads((container.folder / "checkpoints/checkpoint-6/trainer_state.json").read_text())
    rows = len(training_lines(Data()).splitlines())
    assert state["epoch"] * rows == pytest.approx(examples_planned(6, ranks), rel=0.01), "as the trainer counts them"
    assert (container.folder / "model" / ADAPTER).is_file()
    assert container.failure == ""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("--WATCH_STEP_MAX 1e-6", r"an update takes .* s, more than WATCH_STEP_MAX=1e-06"),
        ("--WATCH_STEP_MIN 1e6", r"an update takes .* s, less than WATCH_STEP_MIN=1e\+06"),
        ("--WATCH_GRAD_NORM 1e-9", r"the gradient norm is .*, more than WATCH_GRAD_NORM=1e-09"),
        ("FAULT=memory", r"36,000,000,000 bytes of GPU memory are in use, more than WATCH_GPU_MEMORY=35,000,000,000"),
        ("--WATCH_LOSS 6 --OPTIM sgd --LEARNING_RATE 1e-9", r"the loss has not decreased over WATCH_LOSS=6 updates"),
        ("FAULT=nan", r"the loss is not a number in 3 metric lines in a row"),
    ],
    ids=["slow", "fast", "gradient", "memory", "loss", "nan"],
)
def test_a_broken_watch_ends_all_ranks_together_after_saving(container: Container, more: str, said: str) -> None:
    off = "--WATCH_STEP_MIN 0 --WATCH_STEP_MAX 1e6 --WATCH_GRAD_NORM 1e9 --WATCH_LOSS 1000"
    fault = more.removeprefix("FAULT=") if more.startswith("FAULT=") else ""
    environment = seam(container, fault) if fault else {}
    more = "" if fault else more
    job = container.start(f"{REAL} --MAX_STEPS 40 --SAVE_STEPS 100 {off} {more}", environment=environment)
    output, _ = job.communicate(timeout=600)
    assert job.returncode == BROKEN, output[-4000:]
    assert re.match(said, container.failure), container.failure
    assert output.count("ended by a watch") == 1
    assert "killed, since they still run" not in output, "both ranks end by themselves"
    assert container.record["stopped_by"] == "a watch"
    (newest,) = container.checkpoints()[-1:] or [""]
    assert newest
    assert whole(container, newest)
    assert not (container.folder / "model" / ADAPTER).exists()


def steps(output: str) -> list[int]:
    return [int(step) for step in re.findall(r"step=(\d+) loss", output)]


def whole(container: Container, name: str) -> bool:
    """Whether a checkpoint is whole, as the script itself judges it."""
    from manifest import damage

    return damage(container.folder / "checkpoints" / name) is None
