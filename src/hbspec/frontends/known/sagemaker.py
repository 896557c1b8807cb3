"""SageMaker's Python SDK, 2.257.7 and 3.27.0: arguments and defaults.

Sources: https://github.com/aws/sagemaker-python-sdk, `src/sagemaker/estimator.py` of version 2, and
`sagemaker-train/src/sagemaker/train/model_trainer.py` of version 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from hbspec.frontends.reading.influence import ProgramKeys, influences
from hbspec.frontends.reading.pinned import pinned, title

ESTIMATOR = "sagemaker 2.x's default, estimator.py"
TRAINER = "sagemaker 3.x's default, train/defaults.py"
MAX_RUN = {"ModelTrainer": ("3600 s", TRAINER)}
"""Where a job is stopped that says nothing, by class; estimators stop it after a day."""
DAY = ("86400 s", ESTIMATOR)
VOLUME = "30 GB"

MORE_CLASSES: Mapping[str, Sequence[str]] = {
    "S3DataSource": ("s3_data_type", "s3_uri"),
    "TrainingCompilerConfig": ("enabled", "debug"),
    "Tag": (),
}
"""Classes of parts of a call that are not pinned; their arguments are given by name."""

RECIPES = ("training_recipe", "recipe_overrides", "jumpstart_config")
FORMER = frozenset(("train_instance_type", "train_instance_count", "train_max_run", "train_volume_size"))
"""Arguments of version 1, which 2 does not have (https://sagemaker.readthedocs.io/en/stable/v2.html)."""


@cache
def classes() -> Mapping[str, Sequence[str]]:
    """The arguments of every class whose calls are read, in their order where they can be given by place."""
    return {**pinned("sagemaker")["classes"], **MORE_CLASSES}


def fields() -> ProgramKeys:
    """The arguments of the classes that start a job, and what they influence."""
    known = frozenset().union(*classes().values()) - FORMER
    return ProgramKeys(title("sagemaker", "SageMaker's SDK"), known | {"class", *RECIPES}, influences("sagemaker"))
