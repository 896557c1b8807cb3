"""The training as it lies on a GPU: its rows, and the dtype of its weights."""

from __future__ import annotations

from hbspec.catalog.dtypes import BYTES
from hbspec.plan import Plan, Training
from hbspec.plan.parallelism import Engine


def held(plan: Plan) -> Training:
    """The training with its micro-batches in rows, and weights in the dtype in which they lie on the GPU.

    Both answers of a pair are rows of one batch (TRL 1.16.0, `DataCollatorForPreference` of `dpo_trainer.py` and of
    `reward_trainer.py`). DeepSpeed narrows a module that is wider (0.19.8, `runtime/engine.py`,
    `_cast_module_mixed_precision`).
    """
    training = plan.training
    if training.objective.rows > 1:
        each, evaluated = training.objective.rows, training.eval_batch
        training = training._replace(
            micro_batch=training.rows,
            eval_batch=None if evaluated is None else evaluated * each,
            objective=training.objective._replace(rows=1),
        )
    wider = BYTES[training.weights_dtype] > BYTES[training.compute_dtype]
    if plan.way.engine is Engine.DEEPSPEED and training.autocast and wider:
        return training._replace(weights_dtype=training.compute_dtype)
    return training
