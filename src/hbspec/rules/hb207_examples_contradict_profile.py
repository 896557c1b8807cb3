"""`data.train.examples` or `data.digest` differs from the data profile.

Why: Epochs, checkpoints and the length of the run are calculated from the number of examples. Often the larger number
includes the validation split, and the run makes more passes over the training data than intended. `data.digest` pins
the data: it is a sum over all examples, which does not depend on their order or files and differs after any change.

Example:

    data: {tokens: null, profile: ./train.profile.json, train: {examples: 2198}}

Instead:

    data: {tokens: null, profile: ./train.profile.json, train: {examples: 1758}}

References:

    https://github.com/skypilot-org/skypilot/issues/8766
    https://huggingface.co/docs/transformers/main_classes/trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan import Plan
from hbspec.plan.counts import examples_processed, optimizer_steps, steps_per_epoch
from hbspec.rules.rule import Rule
from hbspec.units import count_text, significant

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("data", "train", "examples")
DIGEST = ("data", "digest")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `data.train.examples` and `data.digest` with the profile of the training split."""
    profile = analysis.profile
    if profile is None:
        return
    train, digest = analysis.spec.data.train, analysis.spec.data.digest
    if train is not None and train.examples is not None and train.examples != profile.examples:
        yield RULE.at(
            ROUTE,
            f"data.train.examples is {count_text(train.examples)}, but the profile counts "
            f"{count_text(profile.examples)}" + _epochs(analysis.plan, profile.examples),
            "correct data.train.examples, or profile the training split",
            fixes=(Fix(f"change it to {profile.examples}", ROUTE, profile.examples),),
        )
    if digest is not None and digest != profile.digest:
        yield RULE.at(
            DIGEST,
            f"data.digest is {digest}, but the profile's is {profile.digest}: it describes other data",
            "profile the training data again, or correct data.digest",
            fixes=(Fix("change it to the profile's", DIGEST, profile.digest),),
        )


def _epochs(plan: Plan, examples: int) -> str:
    """The epochs with the profile's count beside those of the spec; empty with packing, which changes the rows."""
    training, processes = plan.training, plan.data_parallel_size
    if plan.counts is None or processes is None or training.packing:
        return ""
    batches = (examples, training.micro_batch, training.gradient_accumulation, processes)
    steps = optimizer_steps(steps_per_epoch(*batches), training.max_steps, training.epochs)
    epochs = examples_processed(steps, *batches) / examples
    return f": {count_text(steps)} updates are {significant(epochs)} epochs, not {significant(plan.counts.epochs)}"
