"""Keys of a spec that only a job at SageMaker has, refused where another scheduler runs it."""

from __future__ import annotations

from hbspec.spec import Spec
from hbspec.targets.lowering.needs import Needs


def refuse_of_sagemaker(needs: Needs, spec: Spec) -> None:
    """Refuse what would change the training or its bill, and that no scheduler but SageMaker's is told.

    What the account of AWS is called (role, network, keys, tags, images) is not refused: another scheduler has its own.
    """
    account, instance = spec.sagemaker, spec.instance
    needs.leave_out(
        account and account.environment,
        ("sagemaker", "environment"),
        "these variables are of the container at SageMaker",
        "set the variables where the job is submitted, and leave sagemaker.environment out",
    )
    needs.leave_out(
        instance.keep_alive,
        ("instance", "keep_alive"),
        "only SageMaker keeps instances warm",
        "leave keep_alive out",
    )


def secrets(spec: Spec) -> tuple[str, ...]:
    """Names of the variables whose values the job needs and no file holds."""
    return tuple(spec.sagemaker.secrets) if spec.sagemaker else ()
