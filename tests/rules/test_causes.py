"""One cause, one finding: what the relation drops, what it must not, and what a comment that allows the cause does."""

from __future__ import annotations

from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from judged import AS_OF

from hbspec.api import check, estimate
from hbspec.diagnostics import Finding, Severity
from hbspec.manual import pages as manual_pages
from hbspec.rules.causes import Beside, always, at_its_cause, explaining, gathered, same_route
from hbspec.rules.engine import all_rules, explained, findings_of

HERE = Path(__file__).parent
ONE_GPU = (
    "instance: {type: ml.p5.48xlarge}\nbudget: {max_cost: 999 USD}\ndeployment: {max_lora_rank: 8, "
    "instance: {type: ml.g5.2xlarge}, tensor_parallel: null, max_model_len: 1024, concurrency: 1}"
)
MEMORY = "expect: {training.memory_per_gpu: ..30 GB}"
HOURS = "expect: {training.duration: 1m..9h}"


def verdicts(fragment: str, folder: Path):
    """The diagnostics about a fragment laid over the base."""
    return check(laid(fragment, folder), as_of=AS_OF).diagnostics


def estimate_of(fragment: str, folder: Path):
    """The estimates of a fragment laid over the base."""
    return estimate(laid(fragment, folder))


def laid(fragment: str, folder: Path) -> Path:
    """The path of a fragment laid over the base, beside the profile that it names."""
    (folder / "base.yaml").write_text((HERE / "base.yaml").read_text())
    (folder / "train.profile.json").write_text((HERE / "train.profile.json").read_text())
    (folder / "spec.yaml").write_text(f"extends: ./base.yaml\n{fragment}\n")
    return folder / "spec.yaml"


CASES = {
    "alarm below a job that does not fit": (
        "model: {id: Qwen/Qwen2.5-72B}\nmonitoring: {gpu_memory: {max: 35 GB}}",
        "HB109",
        {"HB110"},
        "model: {id: Qwen/Qwen2.5-7B}\nmonitoring: {gpu_memory: {max: 35 GB}}",
    ),
    "training on GPUs too small to load": (
        "model: {id: Qwen/Qwen2.5-72B}\ninstance: {type: ml.g5.48xlarge, parallelism: fsdp}\n"
        "hyperparameters: {bnb_4bit_quant_storage: bfloat16}",
        "HB127",
        {"HB109"},
        "model: {id: Qwen/Qwen2.5-72B}\ninstance: {type: ml.p4de.24xlarge, parallelism: fsdp}\n"
        "hyperparameters: {bnb_4bit_quant_storage: bfloat16}",
    ),
    "claims of memory that is not there": (
        "model: {id: Qwen/Qwen2.5-72B}\nexpect: {training.memory_per_gpu: ..30 GB, training.memory_total: ..200 GB}",
        "HB109",
        {"HB401"},
        "model: {id: Qwen/Qwen2.5-7B}\nexpect: {training.memory_per_gpu: ..30 GB, training.memory_total: ..200 GB}",
    ),
    "a mistyped instance type": (
        "instance: {type: ml.p4d.24xlage}\n"
        "expect: {training.effective_batch_size: 32, training.epochs: 4.35, training.duration: 1m..9h}",
        "HB112",
        {"HB404"},
        "expect: {training.effective_batch_size: 32, training.epochs: 4.35, training.duration: 1m..9h}",
    ),
    "a mistyped model": (
        "model: {id: Qwen/Qwen2.5-77B}\nexpect: {model.memory_fp16: 65.5 GB, deployment.memory: 19.2 GB}",
        "HB118",
        {"HB404"},
        "expect: {model.memory_fp16: 65.5 GB, deployment.memory: 19.2 GB}",
    ),
    "a copy that is not trained": (
        "model: {id: Qwen/Qwen2.5-7B-Instruct-AWQ}",
        "HB231",
        {"HB516"},
        "model: {id: Qwen/Qwen2.5-7B-Instruct}",
    ),
    "a mistyped target": (
        "hyperparameters: {target_modules: [v_prj]}\nexpect: {training.memory_per_gpu: ..30 GB}",
        "HB204",
        {"HB404"},
        "hyperparameters: {target_modules: [v_proj]}\nexpect: {training.memory_per_gpu: ..30 GB}",
    ),
    "a mistyped optimizer": (
        "hyperparameters: {optim: adamw_toch}\nexpect: {training.memory_per_gpu: ..30 GB}",
        "HB214",
        {"HB404"},
        "hyperparameters: {optim: adamw_torch}\nexpect: {training.memory_per_gpu: ..30 GB}",
    ),
    "a price that nobody knows": (
        "instance: {type: ml.p6-b200.48xlarge}\nexpect: {training.cost: 1 USD..9000 USD}",
        "HB310",
        {"HB404"},
        "instance: {type: ml.p6-b200.48xlarge, price: 80 USD/h}\nexpect: {training.cost: 1 USD..9000 USD}",
    ),
    "an exchange rate that is missing": (
        "budget: {max_cost: 525 CAD}\nexpect: {training.cost: 1 CAD..500 CAD}",
        "HB306",
        {"HB404"},
        "budget: {max_cost: 525 CAD, exchange_rates: {USD: {rate: 1.38, date: 2026-11-01}}}\n"
        "expect: {training.cost: 1 CAD..500 CAD}",
    ),
    "an endpoint that nobody hosts on": (
        "deployment: {instance: {type: ml.g5.12xlage}}\nexpect: {deployment.daily_cost: 170 USD}",
        "HB506",
        {"HB404"},
        "expect: {deployment.daily_cost: 170 USD}",
    ),
    "a split that the script does not do": (
        "instance: {tensor_parallel: 3}\nexpect: {training.effective_batch_size: 32, training.epochs: 4.35}",
        "HB124",
        {"HB107", "HB404"},
        "expect: {training.effective_batch_size: 32, training.epochs: 4.35}",
    ),
    "sharding that the script does not do": (
        "model: {id: Qwen/Qwen2.5-72B}\ninstance: {type: ml.p5.48xlarge, parallelism: fsdp, sharding: none}\n"
        "hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}\nbudget: {max_cost: 9999 USD}\n"
        "deployment: {instance: {type: ml.g5.48xlarge}}",
        "HB124",
        {"HB109"},
        "model: {id: Qwen/Qwen2.5-72B}\ninstance: {type: ml.p5.48xlarge, parallelism: fsdp}\n"
        "hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}\nbudget: {max_cost: 9999 USD}\n"
        "deployment: {instance: {type: ml.g5.48xlarge}}",
    ),
    "instances that nothing connects, one process": (
        "instance: {parallelism: single, count: 2}",
        "HB105",
        {"HB102"},
        "instance: {parallelism: ddp, count: 2}\nbudget: {max_cost: 999 USD}",
    ),
    "instances that nothing connects, a pipeline": (
        "instance: {parallelism: pipeline, count: 2}",
        "HB105",
        {"HB101"},
        "instance: {parallelism: ddp, count: 2}\nbudget: {max_cost: 999 USD}",
    ),
    "a rank far above the width": (
        "hyperparameters: {lora_r: 4096}\nmonitoring: {gpu_memory: {max: 35 GB}}\n"
        "expect: {training.memory_per_gpu: ..35 GB}",
        "HB208",
        {"HB109", "HB110", "HB401", "HB501", "HB503"},
        "monitoring: {gpu_memory: {max: 35 GB}}\nexpect: {training.memory_per_gpu: ..35 GB}",
    ),
    "a rank that the engine has no room for": (
        f"hyperparameters: {{lora_r: 1000}}\n{ONE_GPU}",
        "HB503",
        {"HB501"},
        f"hyperparameters: {{lora_r: 8}}\n{ONE_GPU}",
    ),
    "a cap beyond the positions": (
        "hyperparameters: {max_length: 200000}",
        "HB205",
        {"HB206"},
        "hyperparameters: {max_length: 1000}",
    ),
    "a window beyond the positions": (
        "deployment: {max_model_len: 140000, concurrency: 8}",
        "HB205",
        {"HB515"},
        "deployment: {max_model_len: 4096, concurrency: 8}",
    ),
    "offload that the script does not do": (
        "instance: {parallelism: zero2, offload: all}",
        "HB124",
        {"HB213"},
        "instance: {parallelism: zero2}",
    ),
    "a machine that is described and not named": (
        "instance: {type: null, gpus: 1, host_memory: 32 GB}",
        "HB117",
        {"HB213"},
        "instance: {type: null, gpu: A100-40, gpus: 8, price: 30 USD/h}",
    ),
    "a type without a GPU, of no price": (
        "instance: {type: ml.c5.4xlarge, region: eu-west-1}",
        "HB121",
        {"HB310"},
        "instance: {type: ml.p4d.24xlarge}",
    ),
    "an endpoint without a GPU, of no price": (
        "deployment: {region: ca-central-1, instance: {type: ml.c5.4xlarge}, tensor_parallel: null}",
        "HB504",
        {"HB310"},
        "deployment: {instance: {type: ml.g5.12xlarge}}",
    ),
    "a limit and claims that the prediction passes": (
        "instance: {max_runtime: 5m}\nexpect: {training.duration: ..4m}",
        "HB301",
        {"HB401"},
        "expect: {training.duration: 1m..9h}",
    ),
    "options of four bits beside eight": (
        "instance: {type: ml.p5en.48xlarge}\nhyperparameters: {bnb_quant_type: int8}",
        "HB213",
        {"HB222"},
        "instance: {type: ml.p5en.48xlarge}",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cause_is_reported_and_what_follows_is_named_with_it(case, tmp_path):
    fragment, cause, following, _ = CASES[case]
    (found,) = [entry for entry in verdicts(fragment, tmp_path) if entry.code in {cause, *following}]
    assert found.code == cause
    assert {code for code, _ in found.also} >= following


@pytest.mark.parametrize("case", CASES)
def test_what_follows_is_gone_when_the_cause_is(case, tmp_path):
    _, cause, following, fixed = CASES[case]
    assert {entry.code for entry in verdicts(fixed, tmp_path)}.isdisjoint({cause, *following})


OTHERS = {
    "HB030": f"model: {{config: ./none.json}}\n{MEMORY}",
    "HB031": f"model: {{config: ./train.profile.json}}\n{MEMORY}",
    "HB032": f"data: {{profile: ./base.json, tokens: null, train: {{examples: null}}}}\n{HOURS}",
    "HB107": f"script: {{entry_point: base.yaml}}\ninstance: {{tensor_parallel: 3}}\n{HOURS}",
    "HB113": "instance: {region: eu-north-1, type: ml.p4de.24xlarge}\nexpect: {training.cost: 1 USD..99 USD}",
    "HB117": f"instance: {{type: null}}\n{HOURS}",
    "HB119": f"instance: {{type: null, gpu: A100-400}}\n{HOURS}",
    "HB121": f"instance: {{type: ml.c5.4xlarge}}\n{HOURS}",
    "HB122": "instance: {region: eu-west-77}\nexpect: {training.cost: 1 USD..99 USD}",
    "HB504": "deployment: {instance: {type: ml.c5.4xlarge}}\nexpect: {deployment.latency: 1s..9s}",
    "HB507": "deployment: {region: eu-north-1, instance: {type: ml.p4de.24xlarge}, tensor_parallel: 8}\n"
    "expect: {deployment.daily_cost: 9 USD}",
    "HB610": f"instance: {{type: null, gpu: RTX 3060, gpu_memory: 80 GB, price: 1 USD/h}}\n{HOURS}",
}
"""By the rule that says what is wrong, a spec in which a claim cannot be computed for it."""


@pytest.mark.parametrize("code", OTHERS)
def test_a_claim_that_lacks_what_is_wrong_is_named_with_it(code, tmp_path):
    (tmp_path / "base.json").write_text("{}")
    found = verdicts(OTHERS[code], tmp_path)
    assert "HB404" not in {entry.code for entry in found}
    (cause,) = [entry for entry in found if entry.code == code]
    assert (cause.severity, [one for one, _ in cause.also]) == ("error", ["HB404"])


WIDE = "data: {tokens: null}\n"
HUGE = "model: {id: Qwen/Qwen2.5-72B}\ndata: {tokens: null}\n"
SEEN = (
    "task: grpo\ndata: {type: prompt_only}\nreward: {functions: [finetune.py:train]}\n"
    "hyperparameters: {max_completion_length: 704}",
    "model: {id: meta-llama/Llama-3.1-8B-Instruct}",
    "data: {train: {examples: 100}}\nhyperparameters: {max_steps: 8}\nexpect: {training.examples_processed: 256}",
    "data: {profile: ./train.profile.json, train: {examples: 2198}}\nexpect: {training.examples_processed: 9600}",
    "data: {profile: ./train.profile.json, train: {examples: 2198}}\nexpect: {training.examples_processed: 9.6K}",
    "deployment: {max_model_len: 9000000}",
    "evaluation: [{suite: tool-usage, min_score: 1, items: 100000}]",
    'data: {train: {uri: "s3://bucket"}, validation: {uri: "s3://bucket/validation/"}}',
    'data: {validation: {uri: "s3://bucket/train"}}',
    f"sagemaker: {{tags: {{purpose: 'why, {'and ' * 80}how'}}}}",
    "sagemaker: {serving_image: vllm/vllm-openai:latest}",
    "sagemaker: {image: pytorch/pytorch:2.8.0-py310}",
    "sagemaker: {image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:7-cpu-py39}",
    "sagemaker: {image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:7-py38-cu102}",
    "sagemaker: {image: pytorch/pytorch:2.8.0-cpu}",
    "sagemaker: {image: 'pytorch/pytorch:1.6.0-cuda10.1-cudnn7'}",
    "sagemaker: {serving_image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:1-gpu-cu102}",
    "instance: {max_runtime: 1m}\nmonitoring: {step_time: {max: 60s}}",
    "deployment: {max_model_len: 512}",
    "deployment: {instance: {type: ml.p4d.24xlarge}, tensor_parallel: 5}",
    "deployment: {instance: {type: ml.g4dn.12xlarge}, tensor_parallel: 1}",
    "deployment: {tensor_parallel: 1, concurrency: 64}",
    WIDE + "budget: {max_cost: 20 USD}",
    WIDE
    + "instance: {max_runtime: 30m, price: 9 USD/h}\nbudget: {max_cost: 5 USD}\nexpect: {training.duration: ..30m}",
    WIDE + "instance: {max_runtime: null}\nbudget: {max_cost: 20 USD}\nexpect: {training.cost: ..20 USD}",
    HUGE + "instance: {max_runtime: 90m}\nexpect: {training.memory_per_gpu: ..46 GB}",
    HUGE + "instance: {max_runtime: null}\nbudget: {max_cost: 30 USD}",
    "data: {validation: null}\nhyperparameters: {eval_steps: 500}",
    "hyperparameters: {per_device_batch_size: 2000}",
    "hyperparameters: {bf16: true, fp16: true}",
    "model: {id: Qwen/Qwen2.5-0.5B}\ninstance: {type: ml.g4dn.12xlarge}\n"
    "hyperparameters: {fp16: false, attn_implementation: flash_attention_2}",
    "hyperparameters: {fp16: true}\nsoftware: {adapter_dtype: float16}",
    "model: {id: Qwen/Qwen2.5-0.5B}\nhyperparameters: {modules_to_save: [lm_head]}",
    "software: {transformers: 4.57.6}\nhyperparameters: {warmup_steps: 0.8}",
    "model: {id: Qwen/Qwen3-30B-A3B}\ninstance: {type: ml.p5en.48xlarge}\n"
    "hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null, lora_dropout: 0.9}",
)
"""Specs of the pairs that the cases above do not have."""


class TestOneWideInterval:
    def test_of_time_is_one_finding(self, tmp_path):
        time = estimate_of("data: {tokens: null}", tmp_path).time.total_seconds
        limit = (time.low + time.high) / 2
        fragment = (
            f"data: {{tokens: null}}\ninstance: {{max_runtime: {limit:.0f}s}}\nbudget: {{max_cost: 9999 USD}}\n"
            f"expect: {{training.duration: ..{limit:.0f}s, training.cost: ..30 USD, training.step_time: ..3s}}"
        )
        (found,) = verdicts(fragment, tmp_path)
        assert (found.code, found.severity) == ("HB301", "warning")
        assert found.also == (("HB402", ("expect", "training.duration")),)

    def test_a_budget_that_is_passed_surely_is_reported_beside_it(self, tmp_path):
        time = estimate_of("data: {tokens: null}", tmp_path).time.total_seconds
        fragment = f"data: {{tokens: null}}\ninstance: {{max_runtime: {(time.low + time.high) / 2:.0f}s}}\n"
        found = verdicts(f"{fragment}budget: {{max_cost: 0.5 USD}}", tmp_path)
        assert {(one.code, one.severity) for one in found} >= {("HB301", "warning"), ("HB303", "error")}

    def test_claims_that_it_leaves_open_are_one_finding(self, tmp_path):
        fragment = "data: {tokens: null}\nexpect: {training.duration: ..30m, training.cost: ..12 USD}"
        (found,) = verdicts(fragment, tmp_path)
        assert (found.code, found.route) == ("HB402", ("expect", "training.duration"))
        assert "; training.cost is claimed as ..12 USD" in found.message


class TestIndependentMistakes:
    @pytest.mark.parametrize(
        ("fragment", "codes"),
        [
            ("model: {id: Qwen/Qwen2.5-72B}\ninstance: {max_runtime: 1m}", {"HB109", "HB301"}),
            ("instance: {type: ml.p4d.24xlage}\nexpect: {model.parameters: 7B}", {"HB112", "HB401"}),
            (
                "data: {train: {examples: null}}\ninstance: {parallelism: single, type: ml.p4d.24xlage}\n"
                "expect: {training.epochs: 3}",
                {"HB112", "HB404"},
            ),
            ("model: {id: Qwen/Qwen2.5-72B}\nhyperparameters: {lora_r: 4096}", {"HB109", "HB208"}),
            ("instance: {type: ml.p4d.24xlage, alternatives: [ml.p5.48xlage]}", {"HB112"}),
            ("instance: {tensor_parallel: 2}\ndeployment: {tensor_parallel: 3}", {"HB124", "HB107"}),
            (
                "hyperparameters: {max_length: 200000}\ndeployment: {concurrency: 4000}",
                {"HB205", "HB502"},
            ),
            ("hyperparameters: {lora_r: 4096}\nexpect: {training.duration: 999h}", {"HB208", "HB401"}),
            ("instance: {price: 2500 USD/h}\nbudget: {max_cost: 0.5 USD}", {"HB304", "HB303"}),
            (
                "data: {profile: ./train.profile.json, train: {examples: 175}}\nhyperparameters: {max_steps: 3000}",
                {"HB207", "HB211"},
            ),
            ("instance: {max_runtime: 5m}\nexpect: {training.duration: 999h}", {"HB301", "HB401"}),
            ("instance: {price: 36 USD/h, max_runtime: 20h}", {"HB304", "HB302"}),
            ("instance: {type: ml.p4d.24xlage, max_runtime: 40d}", {"HB112", "HB309"}),
            ("instance: {type: null, gpus: 2, offload: all}", {"HB117", "HB213"}),
        ],
    )
    def test_each_is_reported(self, fragment, codes, tmp_path):
        assert {entry.code for entry in verdicts(fragment, tmp_path)} >= codes

    def test_claims_that_lack_one_input_are_one_finding_and_of_two_inputs_two(self, tmp_path):
        claims = "expect: {training.epochs: 3, training.duration: 1m..9h, deployment.memory: 19.2 GB}"
        missing = "data: {train: {examples: null}}\ndeployment: null\n"
        epochs, memory = verdicts(missing + claims, tmp_path)
        assert (epochs.code, epochs.route) == ("HB404", ("expect", "training.epochs"))
        assert epochs.message.endswith("without data.train.examples; nor can training.duration")
        assert (memory.code, memory.route) == ("HB404", ("expect", "deployment.memory"))


class TestAllowed:
    FITS_NOT = (
        "model: {id: Qwen/Qwen2.5-72B}\ninstance: {type: ml.p4d.24xlarge}%s\nmonitoring: {gpu_memory: {max: 35 GB}}%s"
    )
    ALLOW = " # hbspec: allow %s -- measured"

    def report(self, first, second, folder):
        verdicts(self.FITS_NOT % (first, second), folder)
        return check(folder / "spec.yaml", as_of=AS_OF)

    def test_who_allows_the_cause_allows_what_follows(self, tmp_path):
        report = self.report(self.ALLOW % "HB109", "", tmp_path)
        assert {entry.code for entry in report.diagnostics}.isdisjoint({"HB109", "HB110"})
        assert report.allowed == 2

    def test_what_follows_is_allowed_on_its_own(self, tmp_path):
        report = self.report("", self.ALLOW % "HB110", tmp_path)
        (cause,) = [entry for entry in report.diagnostics if entry.code == "HB109"]
        assert cause.also == ()
        assert report.allowed == 1

    def test_an_allowed_warning_allows_no_error(self, tmp_path):
        fragment = "instance: {type: ml.p6-b200.48xlarge}%s\nexpect: {training.cost: 1 USD..9000 USD}"
        found = verdicts(fragment % (self.ALLOW % "HB310"), tmp_path)
        assert [(entry.code, entry.severity) for entry in found] == [("HB404", "error")]


def finding(code: str, severity: Severity = Severity.WARNING, *route: str, cause=None) -> Finding:
    return Finding(code, code.lower(), severity, route, "message", "help", cause=cause)


class TestGathered:
    def test_chains_end_at_their_first_cause(self):
        first, second, third = finding("HB901"), finding("HB902"), finding("HB903")
        relation = {"HB903": (Beside("HB902"),), "HB902": (Beside("HB901"),)}
        assert gathered([third, first, second], relation) == {first: [third, second]}

    def test_nothing_is_dropped_without_its_cause(self):
        alone = finding("HB902")
        assert gathered([alone], {"HB902": (Beside("HB901"),)}) == {alone: []}

    def test_conditions(self):
        own, here = finding("HB902", Severity.ERROR, "a", "b"), finding("HB901", Severity.ERROR, "a", "b")
        there = finding("HB901", Severity.ERROR, "c")
        assert always(own, there)
        assert same_route(own, here)
        assert not same_route(own, there)
        assert at_its_cause(own._replace(cause=("c",)), there)
        assert not at_its_cause(own._replace(cause=("c", "d")), there)
        assert not at_its_cause(own, there)


class TestRelation:
    def test_has_no_cycle(self):
        graph = {code: {beside.code for beside in rules} for code, rules in explained().items()}
        assert list(TopologicalSorter(graph).static_order())

    def test_is_on_the_pages(self):
        pages = {found.code: set(found.beside) for found in manual_pages() if found.beside}
        assert pages == {code: {beside.code for beside in rules} for code, rules in explained().items()}

    def test_names_codes_that_there_are(self):
        codes = {module.RULE.code for module in all_rules()} | {"HB030", "HB031", "HB032"}
        assert {beside.code for rules in explained().values() for beside in rules} <= codes

    def test_every_pair_is_seen(self, tmp_path):
        """Each declared pair occurs in a spec above, so that none is declared that cannot happen."""
        (tmp_path / "base.json").write_text("{}")
        seen = set()
        for fragment in [*(case[0] for case in CASES.values()), *OTHERS.values(), *SEEN]:
            found, _ = findings_of(estimate_of(fragment, tmp_path).analysis)
            causes = ((one.code, explaining(one, found, explained())) for one in found)
            seen |= {(code, cause.code) for code, cause in causes if cause}
        declared = {(code, beside.code) for code, rules in explained().items() for beside in rules}
        assert declared == seen


class TestOneAlternative:
    def test_the_worst_stands_for_the_others(self):
        route = ("instance", "alternatives", 0)
        warned, error, other = (
            Finding("HB901", "a", Severity.WARNING, route, "m", "h"),
            Finding("HB902", "b", Severity.ERROR, route, "m", "h"),
            Finding("HB903", "c", Severity.WARNING, (*route[:2], 1), "m", "h"),
        )
        assert gathered([warned, error, other], {}) == {error: [warned], other: []}

    def test_other_places_are_findings_of_their_own(self):
        one, two = (Finding(code, "a", Severity.ERROR, ("instance", "type"), "m", "h") for code in ("HB901", "HB902"))
        assert gathered([one, two], {}) == {one: [], two: []}
