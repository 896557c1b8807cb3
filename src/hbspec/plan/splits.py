"""How many examples are trained and how many are held out."""

from __future__ import annotations

from hbspec.plan.lengths import Profile
from hbspec.spec import Spec


def all_examples(spec: Spec, profile: Profile | None) -> int | None:
    """The examples of an epoch before any are held out: the spec's, or the profile's; None where neither says."""
    given = spec.data.train.examples if spec.data.train else None
    return given if given is not None else profile.examples if profile else None


def split_examples(spec: Spec, profile: Profile | None) -> tuple[int | None, int | None]:
    """The examples to train on, and those of the validation split: 0 without one, None where they are not known.

    A share is held out as the shipped script does it (`templates/mixing.py`).
    """
    examples, split = all_examples(spec, profile), spec.data.validation
    if split is None:
        return examples, 0
    if split.share is None:
        return examples, split.examples
    if examples is None:
        return None, None
    from hbspec.mixing import held_out  # which few specs need

    out = held_out(examples, split.share)
    return examples - out, out
