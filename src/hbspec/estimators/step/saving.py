"""The moment of a save on one GPU: weights that FSDP gathers on their way to the host.

Other ways of sharing a job save what lies on the GPU already: tensors go to the host one by one.
"""

from __future__ import annotations

from hbspec.catalog.parameters import total_parameters, weights
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.moment import Moment, moment_of
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.states import states_of, whole_weights
from hbspec.estimators.weights import EMBEDDING, HEAD, QUANTIZED_TOWER, TOWER
from hbspec.plan.epochs import FSDP_SAVED_ON_HOST

SAVE = "save"


def saving_moment(job: Job, stage: Stage, *, whole: bool) -> Moment | None:
    """The moment of a save at which most is gathered; None but under FSDP, whose default saves a full state dict.

    - Since `FSDP_SAVED_ON_HOST`, FSDP1 gathers the root unit and one layer at a time, in the dtype in which they are
      stored (torch 2.13, `_state_dict_utils.py`, `_full_pre_state_dict_hook`), and FSDP2 one tensor
      (`checkpoint/_state_dict_utils.py`, `_iterate_state_dict`).
    - Before, the whole model was gathered on every GPU (transformers 4.28, `Trainer.save_model`, which calls
      `state_dict` without `offload_to_cpu`; https://github.com/haotian-liu/LLaVA/issues/177).

    Left out: sharded state dicts, which gather nothing.

    Args:
        job: the job.
        stage: what the GPU computes on.
        whole: whether the whole model is gathered where that may be. Scripts of that time often saved by themselves.
    """
    if job.fsdp is None or not job.sharded:
        return None
    states, model = states_of(job, stage), whole_weights(job, stage)
    layers = sum(size for term, size in model.items() if term not in (EMBEDDING, HEAD, TOWER, QUANTIZED_TOWER))
    if whole and not job.training.has(FSDP_SAVED_ON_HOST):
        gathered = sum(model.values()) + states.whole_adapters
    elif job.fsdp.version == 1:
        gathered = model[EMBEDDING] + model[HEAD] + -(-layers // job.architecture.num_hidden_layers)
    else:
        largest = max(weight.parameters // weight.count for weight in weights(job.architecture))
        every = total_parameters(job.architecture)
        gathered = -(-sum(model.values()) * largest // every)
    return moment_of(
        SAVE, states.weights, states.trained, {"workspaces": job.workspaces}, states.staying, {"state_dict": gathered}
    )
