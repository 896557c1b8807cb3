"""`hbspec optimize` as a user runs it."""

import json

import pytest

from hbspec.search.request import AXES

SPEC = """\
# Fine-tuning, small.
hbspec: 1
name: small
model: {id: Qwen/Qwen2.5-0.5B}
data:
  train: {examples: 1000}
  tokens: {mean: 300, max: 500} # measured
instance:
  type: ml.g5.xlarge # one A10G
  region: us-east-1
  parallelism: single
  max_runtime: 20h
hyperparameters:
  {method: lora, learning_rate: 2e-4, max_steps: 60, per_device_batch_size: 1,
  gradient_accumulation_steps: 8, max_length: 512}
expect: {training.effective_batch_size: 8}
"""
BATCH = ("hyperparameters.per_device_batch_size", "hyperparameters.gradient_accumulation_steps")


def kept(*free):
    """The options that keep every axis but some."""
    return [word for key in AXES if key not in free for word in ("--keep", key)]


@pytest.fixture
def optimize(hbspec):
    def run(*words, spec=SPEC, free=BATCH):
        (hbspec.folder / "small.yaml").write_text(spec)
        return hbspec("optimize", "small.yaml", *words, *kept(*free))

    return run


def test_the_best_plans_as_json(optimize):
    code, out, err = optimize("--format", "json")
    found = json.loads(out)
    assert (code, err, found["format_version"]) == (0, "", 1)
    best = found["front"][0]
    assert best["changes"] == {BATCH[0]: 2, BATCH[1]: 4}  # longer micro-batches pad more
    assert float(best["cost"]["expected"]) < float(found["current"]["cost"]["expected"])
    assert best["memory"]["verdict"] == "fits"
    assert found["searched"]["plans"] == 4 == len(found["front"]) + sum(one["plans"] for one in found["rejected"])


def test_figures_are_those_of_the_estimate(optimize, hbspec):
    best = json.loads(optimize("--format", "json")[1])["front"][0]
    words = [word for key, value in best["changes"].items() for word in ("--set", f"{key}={value}")]
    there = json.loads(hbspec("estimate", "small.yaml", "--format", "json", *words)[1])
    assert best["time"] == there["time"]["total_seconds"]
    assert best["cost"] == {key: there["cost"][key] for key in best["cost"]}


def test_the_order_of_keys_does_not_matter(optimize):
    head, data, instance = SPEC.partition("data:")[0], *SPEC.partition("data:")[2].partition("instance:")[::2]
    turned = f"{head}instance:{instance}data:{data}"
    assert optimize("--format", "json", spec=turned)[1] == optimize("--format", "json")[1]


def test_the_page_fits_a_narrow_terminal(optimize):
    code, out, _ = optimize()
    assert code == 0
    assert "cheapest" in out
    assert "quota and capacity" in out


def test_the_first_plan_is_written_into_the_spec(optimize, hbspec):
    code, _, err = optimize("--apply")
    changed = SPEC.replace("per_device_batch_size: 1", "per_device_batch_size: 2").replace("steps: 8,", "steps: 4,")
    assert (code, (hbspec.folder / "small.yaml").read_text()) == (0, changed)
    assert "was changed to the first plan" in err
    assert "best plan already" in hbspec("optimize", "small.yaml", "--apply", *kept(*BATCH))[2]
    assert list(hbspec.folder.glob(".hbspec*")) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--apply", "--set", "name=other"], "--set"),
        (["--keep", "instance.kind"], "did you mean"),
        (["--max-cost", "5 CAD"], "in USD, not in CAD"),
        (["--repair"], "no errors"),
        (["--regions", "mars-1"], "mars-1"),
    ],
)
def test_what_is_asked_wrongly_changes_nothing(optimize, hbspec, words, said):
    code, out, err = optimize(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert (hbspec.folder / "small.yaml").read_text() == SPEC


def test_a_budget_that_nothing_meets_names_the_nearest_plan(optimize, hbspec):
    code, out, _ = optimize("--max-cost", "0.01 USD", "--apply")
    assert code == 1
    assert "Nearest plan: without --max-cost" in out
    assert "is an error under every plan" not in out
    assert "may cost more than --max-cost" in out
    assert (hbspec.folder / "small.yaml").read_text() == SPEC


def test_a_region_without_prices_is_said(optimize):
    code, out, _ = optimize("--regions", "af-south-1", free=(*BATCH, "instance.region", "instance.type"))
    assert code == 1
    assert "no price is known there" in out


def test_a_broken_spec_is_repaired_by_the_smallest_change(optimize, hbspec):
    broken = SPEC.replace("model: {id: Qwen/Qwen2.5-0.5B}", "model: {id: Qwen/Qwen2.5-7B}").replace("lora", "full")
    code, _, err = optimize("--repair", "--apply", spec=broken, free=("instance.type", "instance.parallelism"))
    assert (code, "was changed" in err) == (0, True)
    assert hbspec("check", "small.yaml")[0] == 0
    assert "# measured" in (hbspec.folder / "small.yaml").read_text()


SERVED = """\
deployment:
  instance: {type: ml.g5.2xlarge, count: 2} # two, for now
  max_model_len: 2048
  concurrency: 1
  typical_output_tokens: 100
"""
AT_ENDPOINT = ("--deployment", "--keep", "deployment.instance.type", "--keep", "deployment.tensor_parallel")


@pytest.fixture
def best_endpoint(hbspec):
    def run(*words, spec=SPEC + SERVED):
        (hbspec.folder / "small.yaml").write_text(spec)
        return hbspec("optimize", "small.yaml", *words)

    return run


def test_the_best_endpoint_as_json_and_written_into_the_spec(best_endpoint, hbspec):
    code, out, _ = best_endpoint(*AT_ENDPOINT, "--format", "json", "--apply")
    found = json.loads(out)["front"]
    assert code == 0
    assert found[0]["changes"] == {"deployment.instance.count": None, "deployment.concurrency": 2}
    text = (hbspec.folder / "small.yaml").read_text()
    assert text == SPEC + SERVED.replace(", count: 2", "").replace("concurrency: 1", "concurrency: 2")
    there = json.loads(hbspec("estimate", "small.yaml", "--format", "json")[1])["serving"]
    assert found[0]["time"] == there["load"]["latency_seconds"]
    assert found[0]["cost"]["expected"] == there["hourly_cost"]["amount"]


def test_the_best_endpoint_as_text(best_endpoint):
    code, out, err = best_endpoint(*AT_ENDPOINT)
    assert (code, err) == (0, "")
    assert "Best endpoints: the cheapest first" in out
    assert "per hour" in out


@pytest.mark.parametrize(("model", "region"), [("Qwen/Qwen2.5-14B", "us-east-1"), ("Qwen/Qwen2.5-0.5B", "af-south-1")])
def test_an_endpoint_that_does_not_fit_or_has_no_price_is_the_current_one(best_endpoint, model, region):
    spec = (SPEC + SERVED).replace("Qwen/Qwen2.5-0.5B", model).replace("us-east-1", region)
    code, out, err = best_endpoint(*AT_ENDPOINT, "--format", "json", spec=spec)
    found = json.loads(out)
    assert (code, err) == (1, "")
    assert found["current"]["memory"]["verdict"] == ("fits" if region == "af-south-1" else "does_not_fit")
    assert (found["current"]["cost"], found["front"]) == (None, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--keep", "instance.type"), "is not one of deployment.instance.type"),
        (("--allow", "optimizer"), "--allow optimizer does not change an endpoint"),
        (("--repair",), "leave out --deployment"),
    ],
)
def test_an_option_of_the_other_search_is_refused(best_endpoint, words, said):
    code, out, err = best_endpoint("--deployment", *words)
    assert (code, out) == (2, "")
    assert said in err


def test_a_spec_without_a_deployment_has_no_best_endpoint(best_endpoint):
    code, out, err = best_endpoint("--deployment", spec=SPEC)
    assert (code, out) == (2, "")
    assert "without a deployment" in err


def test_regions_without_prices_are_told_which_have_some(optimize):
    code, out, _ = optimize("--regions", "ap-southeast-5", free=("instance.type", "instance.region"))
    assert code == 1
    assert "no price is known there: search ap-southeast-1, " in out


@pytest.mark.long
def test_what_fits_nowhere_is_told_what_would_do(optimize):
    """A model whose weights alone exceed the GPU in 16 bits fits with fewer bits."""
    large = SPEC.replace("Qwen2.5-0.5B", "Qwen2.5-14B")
    code, out, _ = optimize(spec=large)
    assert code == 1
    assert "Nearest plan: without these and --keep" in out


def test_an_error_that_no_plan_mends_stops_the_search_at_once(optimize):
    code, out, _ = optimize(spec=SPEC.replace("Qwen/Qwen2.5-0.5B", "meta-llama/Llama-3.2-1B"))
    assert code == 1
    assert "HB233 is an error under every plan: correct it first, as `hbspec check` says" in " ".join(out.split())
    assert "0 estimated, 0 judged" in out


def test_the_current_cost_is_said_to_run_to_the_end_where_max_runtime_may_cut_it(optimize):
    assert "max_runtime may stop it earlier" not in optimize()[1]
    cut = SPEC.replace("max_runtime: 20h", "max_runtime: 13m")
    page = " ".join(optimize(spec=cut)[1].split())
    assert "cost and time are those to its end; max_runtime may stop it earlier" in page


def test_a_cheaper_plan_may_cost_more_and_give_up_claims(optimize):
    claimed = SPEC.replace("batch_size: 8}", "batch_size: 8, training.memory_per_gpu: 1 kB}")
    page = " ".join(optimize(spec=claimed)[1].split())
    assert " less, but may cost more), " in page
    assert "claims that may not hold: training.memory_per_gpu" in page


def test_a_limit_that_every_plan_may_break_is_named_with_one_that_holds(optimize):
    """Of lengths that are not known, every plan may take longer than its limit."""
    short = SPEC.replace("max_runtime: 20h", "max_runtime: 10m").replace("tokens: {mean: 300, max: 500}", "")
    page = " ".join(optimize(spec=short.replace("max_steps: 60", "max_steps: 90"))[1].split())
    assert "Nearest plan: without the spec's limits" in page
    assert "it passes with instance.max_runtime=1h (10m now)" in page
