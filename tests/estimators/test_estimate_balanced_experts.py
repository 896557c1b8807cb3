"""The loss that balances experts: what it holds beside a model's other tensors, as transformers makes it."""

from __future__ import annotations

import pytest
from planned import TRAINER, planned

from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.lifetimes.model import profile
from hbspec.estimators.step.lifetimes.whole import model_of

MIXTRAL, LAYERS, TOKENS = "mistralai/Mixtral-8x7B-v0.1", 2, 64
EXPERTS = 8


def held(*, balances):
    """Bytes a token that the layers keep in the name of their routers."""
    plan = planned(MIXTRAL, sections=TRAINER, output_router_logits=balances, gradient_checkpointing=True)
    job = job_of(plan)
    found = profile(model_of(job.architecture, job.program, range(LAYERS)))
    element = job.program.compute if job.program.autocast else job.program.stream
    return sum(terms["router"].per_token for terms in found.kept if "router" in terms), element


def test_a_router_s_logits_are_held_by_every_layer():
    assert held(balances=False)[0] == 0
    found, element = held(balances=True)
    assert found == LAYERS * EXPERTS * element


def test_all_that_transformers_holds_is_counted():
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = transformers.MixtralConfig(
        vocab_size=64, hidden_size=32, intermediate_size=16, num_hidden_layers=LAYERS, num_attention_heads=4,
        num_key_value_heads=2, num_local_experts=EXPERTS, use_cache=False,
    )  # fmt: skip
    model = transformers.MixtralForCausalLM(config).train()
    tokens = torch.zeros(1, TOKENS, dtype=torch.long)

    def saved(**more):
        sizes = {}

        def keep(tensor):
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            out = model(input_ids=tokens, labels=tokens, **more)
        return sum(sizes.values()) + sum(one.nbytes for one in out.router_logits or ())

    more = saved(output_router_logits=True) - saved(output_router_logits=False)
    counted = LAYERS * EXPERTS * TOKENS * (4 + 4 + 4)
    assert counted / 2 <= more <= counted + 1024, "the counts of the experts beside"
