"""The number of examples in the spec is not the one in the data, or the profile is one of other data.

Why: epochs, checkpoints and the length of the run are counted from it. Often the one figure counts the validation
split as well, and the run goes over the training data more often than was meant. `data.digest` pins the data: a sum
over all examples, which stays the same in whatever order and files they lie, and with any change is another.

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
    """`data.train.examples` and `data.digest` against the profile of the training split."""
    profile = analysis.profile
    if profile is None:
        return
    train, digest = analysis.spec.data.train, analysis.spec.data.digest
    if train is not None and train.examples is not None and train.examples != profile.examples:
        yield RULE.at(
            ROUTE,
            f"{count_text(train.examples)} examples are given, but the profile counts {count_text(profile.examples)}"
            + _epochs(analysis.plan, profile.examples),
            "correct it, or profile the split that is trained on",
            fixes=(Fix(f"change it to {profile.examples}", ROUTE, profile.examples),),
        )
    if digest is not None and digest != profile.digest:
        yield RULE.at(
            DIGEST,
            f"the digest is {digest}, but the profile's is {profile.digest}: it was made of other data",
            "profile the data that are trained on, or correct the digest",
            fixes=(Fix("change it to the profile's", DIGEST, profile.digest),),
        )


def _epochs(plan: Plan, examples: int) -> str:
    """What the difference makes of the epochs; packed rows would have to be counted anew."""
    training, processes = plan.training, plan.data_parallel_size
    if plan.counts is None or processes is None or training.packing:
        return ""
    batches = (examples, training.micro_batch, training.gradient_accumulation, processes)
    steps = optimizer_steps(steps_per_epoch(*batches), training.max_steps, training.epochs)
    epochs = examples_processed(steps, *batches) / examples
    return f": {count_text(steps)} updates are {significant(epochs)} epochs, not {significant(plan.counts.epochs)}"
