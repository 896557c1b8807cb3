"""What the configuration of no other framework can say, refused at its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hbspec.analysis import Analysis
from hbspec.targets.job.hyperparameters import WEIGHTS
from hbspec.targets.lowering.needs import Needs

UNCARRIED = (
    *("saves_per_epoch", "evals_per_epoch", "layers_to_transform", "lr_scheduler_kwargs"),
    *("adam_beta1", "adam_beta2", "adam_epsilon"),
)
"""Keys of `hyperparameters` that are not written into these configurations."""
CADENCES = ("save_strategy", "eval_strategy")
WATCHES = ("loss", "gpu_memory", "step_time", "gradient_norm")


def refuse_unsaid(
    needs: Needs,
    analysis: Analysis,
    framework: str,
    versions: Mapping[str, str],
    chosen: Sequence[str] = ("adapter_dtype", "autocast"),
) -> None:
    """Require the weights, and refuse the keys of a spec that a framework's own script does not have.

    Args:
        needs: of the target.
        analysis: the spec's.
        framework: its name.
        versions: of the packages that the configuration is written for.
        chosen: keys of `software` that the framework decides by itself.
    """
    spec = analysis.spec
    needs.take(spec.model.id, ("model", "id"), "", WEIGHTS)
    launched = "compile to a target that runs the script, such as launch, or leave script out"
    needs.leave_out(spec.script is not None, ("script",), f"{framework} trains by its own script", launched)
    software = spec.software
    needs.leave_out(
        software.trainer not in (None, "trl"),
        ("software", "trainer"),
        f"{framework} has its own trainer",
        "leave trainer out",
    )
    for package, version in versions.items():
        named = getattr(software, package)
        written = f"the file is written for {package} {version}"
        needs.leave_out(named is not None and named != version, ("software", package), written, f"set it to {version}")
    for name in chosen:
        needs.leave_out(
            getattr(software, name) is not None, ("software", name), f"{framework} chooses it", f"leave {name} out"
        )
    weights = spec.data.train.weights if spec.data.train else None
    drawn = "every file is read once an epoch; repeat files in the data"
    needs.leave_out(weights, ("data", "train", "weights"), f"{framework} has no such weights", drawn)
    share = spec.data.validation.share if spec.data.validation else None
    held = f"{framework} would hold out other examples"
    needs.leave_out(share, ("data", "validation", "share"), held, "split the files, and name both splits")
    tensor = (spec.instance.tensor_parallel or 1) > 1
    needs.leave_out(tensor, ("instance", "tensor_parallel"), f"{framework} does not cut layers", "set it to 1")
    _refuse_uncarried(needs, analysis, framework)
    for name in WATCHES if spec.monitoring else ():
        only = "only the shipped script ends a run for it"
        needs.leave_out(
            getattr(spec.monitoring, name) is not None,
            ("monitoring", name),
            only,
            f"leave {name} out, and watch the log",
        )


def _refuse_uncarried(needs: Needs, analysis: Analysis, framework: str) -> None:
    """Refuse what the configurations of these frameworks could say, and hbspec does not write."""
    spec, training = analysis.spec, analysis.plan.training
    given, unwritten = spec.hyperparameters, f"it is not written for {framework}"
    needs.leave_out(spec.model.adapter, ("model", "adapter"), unwritten, "merge the adapters into the model first")
    needs.leave_out(spec.task != "sft", ("task",), f"the file is written for {framework}'s sft", "set task to sft")
    for name in UNCARRIED:
        needs.leave_out(getattr(given, name) is not None, ("hyperparameters", name), unwritten, f"leave {name} out")
    for name in CADENCES:
        other = getattr(given, name) not in (None, "steps")
        needs.leave_out(other, ("hyperparameters", name), unwritten, f"set {name} to steps")
    needs.leave_out(not training.capped, ("hyperparameters", "max_length"), unwritten, "set max_length to a number")
    asked = given.target_modules
    pattern = isinstance(asked, str) and asked != "all-linear"
    needs.leave_out(pattern, ("hyperparameters", "target_modules"), unwritten, "list the names of modules")
