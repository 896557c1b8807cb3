from __future__ import annotations

import re
from datetime import date

import pytest
from judged import SPECS, judged, said

from hbspec.analysis import Analysis, analyse
from hbspec.catalog import catalog
from hbspec.diagnostics import NotKnownError
from hbspec.plan.serving import with_each_instance, with_instance
from hbspec.source import load
from hbspec.spec import Spec, read
from hbspec.targets.deployment import lower

SEED = SPECS / "heartbeat-as-written.yaml"
ALTERNATIVE = ("deployment", "instance", "alternatives", 0)


def analysis(spec) -> Analysis:
    document = load(spec)
    typed = read(document)
    assert isinstance(typed, Spec)
    return analyse(document, typed, catalog(), date(2026, 11, 22))


class TestSeed:
    def test_the_t4_cannot_serve_it(self):
        (found,) = said("HB501", SEED)
        assert found.route == ("deployment", "instance", "type")
        assert found.severity == "error"
        for words in ("19.2 GB", "14.56 GiB", "T4", "bfloat16", "FlashAttention-2"):
            assert words in found.message

    def test_the_a10g_can_but_not_four_long_requests(self):
        (found,) = said("HB502", SEED)
        assert found.route == ALTERNATIVE
        assert found.severity == "warning"
        assert "4 x 4,096 tokens take 4.00 GiB of cache" in found.message

    def test_three_seconds_are_a_hundred_tokens(self):
        found = {diagnostic.route: diagnostic.message for diagnostic in said("HB508", SEED)}
        assert "at most 67 to 101 tokens on the A10G" in found[ALTERNATIVE]
        assert "at most 35 to 53 tokens on the T4" in found["expect", "deployment.latency"]


class TestFit:
    def test_an_alternative_is_a_warning_at_its_own_place(self, tmp_path):
        small = "deployment: {tensor_parallel: 1, instance: {type: ml.p5.48xlarge, alternatives: [ml.g4dn.2xlarge]}}"
        (found,) = judged("HB501", small, tmp_path)
        assert (found.route, found.severity) == (ALTERNATIVE, "warning")

    def test_an_alternative_with_too_few_gpus(self, tmp_path):
        (found,) = judged("HB501", "deployment: {instance: {alternatives: [ml.g5.2xlarge]}}", tmp_path)
        assert "tensor_parallel is 4, ml.g5.2xlarge has 1 GPU" in found.message

    def test_four_gpus_hold_what_one_does_not(self, tmp_path):
        four = "deployment: {instance: {type: ml.g4dn.12xlarge}, tensor_parallel: %d}"
        assert judged("HB501", four % 4, tmp_path) == []
        assert len(judged("HB501", four % 1, tmp_path)) == 1

    def test_what_the_engine_may_not_use_is_not_there(self, tmp_path):
        share = "deployment: {instance: {type: ml.g5.2xlarge}, tensor_parallel: 1, gpu_memory_utilization: %s}"
        (found,) = judged("HB501", share % 0.8, tmp_path)
        assert found.help == "raise gpu_memory_utilization above 0.8"
        assert judged("HB501", share % 0.95, tmp_path) == []

    def test_a_type_that_does_not_exist_is_the_matter_of_one_rule(self, tmp_path):
        wrong = "deployment: {instance: {type: ml.g5.13xlarge, alternatives: [ml.g4dn.2xlarge]}}"
        assert judged("HB501", wrong, tmp_path) == []
        assert len(judged("HB506", wrong, tmp_path)) == 1

    def test_a_gpu_of_unknown_memory_is_not_judged(self, tmp_path):
        assert judged("HB501", "deployment: {instance: {type: ml.g7.12xlarge}}", tmp_path) == []


class TestCache:
    def test_the_offered_concurrency_is_the_largest_that_surely_fits_no_error(self, tmp_path):
        (found,) = judged("HB502", "deployment: {concurrency: 512}", tmp_path)
        assert found.severity == "error"
        most = found.fixes[0].value
        assert 1 <= most < 512
        fewer = judged("HB502", f"deployment: {{concurrency: {most}}}", tmp_path)
        assert [diagnostic.severity for diagnostic in fewer] in ([], ["warning"])  # the engine's share is an estimate

    def test_no_request_that_fits_has_no_concurrency_to_offer(self, tmp_path):
        one = "deployment: {instance: {type: ml.g5.2xlarge}, tensor_parallel: 1, concurrency: 1, max_model_len: 32768}"
        (found,) = judged("HB502", one, tmp_path)
        assert found.fixes == ()
        assert "one request of" in found.message

    def test_weights_that_do_not_fit_are_not_told_of_caches(self, tmp_path):
        small = "deployment: {instance: {type: ml.g4dn.2xlarge}, tensor_parallel: 1}"
        assert judged("HB502", small, tmp_path) == judged("HB515", small, tmp_path) == []

    def test_long_requests_that_only_wait_are_a_warning(self, tmp_path):
        many = "deployment: {concurrency: 128}"
        assert judged("HB502", many, tmp_path) == []
        (found,) = judged("HB515", many, tmp_path)
        assert (found.severity, found.route) == ("warning", ("deployment", "concurrency"))
        assert "room for 53 to 58 of them, or 281 to 307 typical ones of 774 tokens" in found.message

    def test_without_a_typical_answer_one_longest_request_must_fit(self, tmp_path):
        open_ended = "deployment: {concurrency: 512, typical_output_tokens: null}"
        assert judged("HB502", open_ended, tmp_path) == []
        (found,) = judged("HB515", open_ended, tmp_path)
        assert "typical" not in found.message

    def test_a_typical_load_is_judged_where_no_length_is_given(self, tmp_path):
        (found,) = judged("HB502", "deployment: {concurrency: 512, max_model_len: null}", tmp_path)
        assert found.severity == "error"
        assert "512 typical requests of 774 tokens" in found.message

    @pytest.mark.parametrize(
        "asked",
        [
            "concurrency: 512",
            "concurrency: 290",  # between what fits as expected and what surely does
            "concurrency: 290, max_model_len: null",
            "concurrency: 80, typical_input_tokens: 3600, max_model_len: 4096, instance: {type: ml.g6.12xlarge}",
        ],
    )
    def test_what_is_offered_makes_the_finding_vanish(self, tmp_path, asked):
        (found,) = judged("HB502", f"deployment: {{{asked}}}", tmp_path)
        (fix,) = found.fixes
        wanted = analysis(tmp_path / "spec.yaml").serving_plan.concurrency
        assert fix.value < wanted
        sure, best = re.search(r"room for (\d+) to (\d+) of them", found.message).groups()
        assert (int(sure), found.severity) == (fix.value, "warning" if int(best) >= wanted else "error")
        spec = (tmp_path / "spec.yaml").read_text().replace(f"concurrency: {wanted}", f"concurrency: {fix.value}")
        (tmp_path / "spec.yaml").write_text(spec)
        assert said("HB502", tmp_path / "spec.yaml") == []

    def test_one_longest_request_and_the_typical_load_lack_room_each_for_itself(self, tmp_path):
        both = "deployment: {tensor_parallel: 2, concurrency: 512, max_model_len: 131072}"
        found = judged("HB502", both, tmp_path)
        assert {diagnostic.route[-1] for diagnostic in found} == {"max_model_len", "concurrency"}

    def test_djl_is_judged_as_vllm(self, tmp_path):
        for engine in ("vllm", "djl-lmi"):
            many = f"deployment: {{engine: {engine}, concurrency: 128}}"
            assert judged("HB502", many, tmp_path) == []
            assert len(judged("HB515", many, tmp_path)) == 1

    @pytest.mark.parametrize(
        ("asked", "verdict", "codes"),
        [
            ("concurrency: 4", "fits", set()),
            ("concurrency: 128", "tight", {"HB515"}),
            ("concurrency: 512", "does_not_fit", {"HB502"}),
            ("concurrency: 1, max_model_len: 131072, tensor_parallel: 2", "does_not_fit", {"HB502"}),
        ],
    )
    def test_the_estimate_says_what_the_check_says(self, tmp_path, asked, verdict, codes):
        fragment = f"deployment: {{{asked}}}"
        found = {code for code in ("HB501", "HB502", "HB515") if judged(code, fragment, tmp_path)}
        assert (analysis(tmp_path / "spec.yaml").serving.verdict, found) == (verdict, codes)


UNWRITTEN = (
    "model: {id: Qwen/Qwen2.5-7B}\n"
    "deployment: {instance: {type: ml.g5.2xlarge}, tensor_parallel: 1, quantization: none, concurrency: null, "
    "typical_output_tokens: null, max_model_len: null%s}"
)
LENGTH = ("deployment", "max_model_len")


class TestUnwrittenLength:
    """vLLM takes the model's positions where it is told no length, and does not start where that does not fit."""

    @pytest.mark.parametrize("engine", ["vllm", "djl-lmi"])
    def test_it_is_chosen_listed_estimated_and_compiled(self, tmp_path, engine):
        spec = UNWRITTEN % f", engine: {engine}, dtype: bfloat16"
        for code in ("HB501", "HB502", "HB513", "HB515", "HB205"):
            assert judged(code, spec, tmp_path) == []
        found = analysis(tmp_path / "spec.yaml")
        assert {entry.route: entry.value for entry in found.assumptions}[LENGTH] == 4096
        assert found.serving.terms["kv_cache"] == 4096 * 57_344
        compiled = lower(found).environment
        assert compiled["SM_VLLM_MAX_MODEL_LEN" if engine == "vllm" else "OPTION_MAX_MODEL_LEN"] == "4096"

    @pytest.mark.parametrize(
        ("more", "data", "length"),
        [
            (", typical_output_tokens: 400", "max: 689", 4096),
            (", typical_output_tokens: 400", "max: 3696", 4096),
            (", typical_output_tokens: 400", "max: 3697", 5120),
            (", typical_input_tokens: 6000, typical_output_tokens: 400", "max: 689", 7168),
            (", typical_output_tokens: null", "max: 10000", 10_240),
        ],
    )
    def test_it_has_room_for_the_data_and_the_typical_request(self, tmp_path, more, data, length):
        spec = (UNWRITTEN % "").replace(", typical_output_tokens: null", more)
        judged("HB502", f"data: {{tokens: {{mean: 374, {data}}}}}\n{spec}", tmp_path)
        assert analysis(tmp_path / "spec.yaml").serving_plan.max_model_len == length

    def test_it_is_within_the_positions(self, tmp_path):
        spec = UNWRITTEN.replace("Qwen/Qwen2.5-7B", "google/gemma-2-9b") % ", typical_input_tokens: 9000"
        (found,) = judged("HB513", spec, tmp_path)
        assert "the model has 8,192 positions" in found.message
        assert "raise" not in found.help
        assert analysis(tmp_path / "spec.yaml").serving_plan.max_model_len == 8192
        assert judged("HB205", spec, tmp_path) == []

    def test_one_long_example_does_not_keep_the_endpoint_from_starting(self, tmp_path):
        spec = f"data: {{tokens: {{mean: 374, max: 120000}}}}\n{UNWRITTEN % ''}"
        for code in ("HB502", "HB515"):
            assert judged(code, spec, tmp_path) == []
        found = analysis(tmp_path / "spec.yaml")
        length = found.serving_plan.max_model_len
        assert 60_000 < length == found.serving.sure_room.context < 120_000
        (assumed,) = (entry for entry in found.assumptions if entry.route == LENGTH)
        assert (assumed.value, "fits" in assumed.source) == (length, True)

    def test_where_not_one_typical_request_has_room_it_is_said_at_the_instance(self, tmp_path):
        spec = "deployment: {tensor_parallel: 2, max_model_len: null, concurrency: 1, %s}"
        (found,) = judged("HB502", spec % "typical_input_tokens: 120000", tmp_path)
        assert (found.severity, found.route) == ("error", ("deployment", "instance", "type"))
        assert "one request of 120,400 tokens" in found.message
        assert judged("HB502", spec % "typical_input_tokens: 300", tmp_path) == []

    def test_many_requests_of_an_assumed_length_are_no_warning(self, tmp_path):
        many = "deployment: {concurrency: 128, max_model_len: null}"
        for code in ("HB502", "HB515"):
            assert judged(code, many, tmp_path) == []

    def test_of_a_model_that_is_not_known_nothing_is_assumed(self, tmp_path):
        judged("HB502", UNWRITTEN.replace("Qwen/Qwen2.5-7B", "nobody/knows") % "", tmp_path)
        assert analysis(tmp_path / "spec.yaml").serving_plan.max_model_len is None


class TestRank:
    @pytest.mark.parametrize(("rank", "fix"), [(17, 32), (32, 32), (33, 64), (512, 512)])
    def test_the_next_rank_that_the_engine_knows(self, tmp_path, rank, fix):
        adapters = f"hyperparameters: {{lora_r: {rank}}}\ndeployment: {{adapters: separate, max_lora_rank: %s}}"
        (found,) = judged("HB503", adapters % 16, tmp_path)
        assert found.fixes[0].value == fix
        for enough in (fix, "null"):
            assert judged("HB503", adapters % enough, tmp_path) == []

    def test_no_engine_serves_more_than_512(self, tmp_path):
        (found,) = judged("HB503", "hyperparameters: {lora_r: 513}\ndeployment: {adapters: separate}", tmp_path)
        assert (found.fixes, found.route) == ((), ("hyperparameters", "lora_r"))

    def test_merged_adapters_have_none(self, tmp_path):
        assert judged("HB503", "hyperparameters: {lora_r: 512}\ndeployment: {adapters: merged}", tmp_path) == []


class TestFormats:
    def test_fp8_before_ada_warns_of_weights_and_cache(self, tmp_path):
        found = judged("HB505", "deployment: {quantization: fp8, kv_cache_dtype: fp8}", tmp_path)
        assert [diagnostic.route[-1] for diagnostic in found] == ["quantization", "kv_cache_dtype"]
        assert {diagnostic.severity for diagnostic in found} == {"warning"}

    def test_fp8_on_ada(self, tmp_path):
        ada = "deployment: {instance: {type: ml.g6e.12xlarge}, quantization: fp8, kv_cache_dtype: fp8}"
        assert judged("HB505", ada, tmp_path) == []

    def test_an_assumed_dtype_follows_the_gpu(self, tmp_path):
        assert judged("HB505", "deployment: {instance: {type: ml.g4dn.12xlarge}}", tmp_path) == []

    def test_an_alternative_that_lacks_it(self, tmp_path):
        other = "deployment: {dtype: bfloat16, instance: {alternatives: [ml.g4dn.12xlarge]}}"
        (found,) = judged("HB505", other, tmp_path)
        assert (found.route, found.severity) == (ALTERNATIVE, "warning")


class TestTypes:
    @pytest.mark.parametrize(
        ("name", "action"),
        [
            ("g5.12xlarge", "did you mean ml.g5.12xlarge?"),
            ("ml.p3dn.24xlarge", "choose one of SageMaker's hosting types"),  # trains, but does not host
            ("nonsense", "choose one of SageMaker's hosting types"),
        ],
    )
    def test_what_is_offered_instead(self, tmp_path, name, action):
        (found,) = judged("HB506", f"deployment: {{instance: {{type: {name}}}}}", tmp_path)
        assert found.help == action

    def test_an_accelerator_of_another_kind_is_no_gpu(self, tmp_path):
        assert len(judged("HB504", "deployment: {instance: {alternatives: [ml.inf2.xlarge]}}", tmp_path)) == 1

    def test_regions(self, tmp_path):
        other = "deployment: {region: ca-central-1, instance: {alternatives: [ml.g6e.12xlarge]}}"
        (found,) = judged("HB507", other, tmp_path)
        assert (found.route, found.severity) == (ALTERNATIVE, "warning")

    def test_an_unknown_offer_is_a_note(self, tmp_path):
        unlisted = next(row.name for row in catalog().instances.values() if row.hosting and row.regions is None)
        (found,) = judged("HB507", f"deployment: {{instance: {{type: {unlisted}}}}}", tmp_path)
        assert found.severity == "note"


class TestLatency:
    @pytest.mark.parametrize("claim", ["..10m", "1s..", "soon"])
    def test_what_allows_the_answer_or_says_nothing(self, tmp_path, claim):
        assert judged("HB508", f"expect: {{deployment.latency: {claim}}}", tmp_path) == []

    def test_without_a_typical_answer_there_is_nothing_to_cut(self, tmp_path):
        none = "deployment: {typical_output_tokens: null}\nexpect: {deployment.latency: 1ms..2ms}"
        assert judged("HB508", none, tmp_path) == []

    def test_no_low_end(self, tmp_path):
        (found,) = judged("HB508", "expect: {deployment.latency: ..10ms}", tmp_path)
        assert "10.0 ms are at most 1 tokens" in found.message


class TestAnotherInstance:
    def test_only_what_the_type_decides_changes(self):
        seed = analysis(SEED)
        plan = seed.serving_plan
        other = with_instance(plan, seed.catalog, "ml.g5.2xlarge")
        assert (plan.dtype, other.dtype) == ("float16", "bfloat16")
        changed = {name for name in plan.__slots__ if getattr(plan, name) != getattr(other, name)}
        assert changed == {"hardware", "price", "dtype", "assumptions"}
        assumed = {entry.route: entry.value for entry in other.assumptions}
        assert assumed["deployment", "dtype"] == "bfloat16"

    def test_the_same_type_changes_nothing(self):
        seed = analysis(SEED)
        assert with_instance(seed.serving_plan, seed.catalog, "ml.g4dn.2xlarge") == seed.serving_plan

    def test_a_type_without_a_gpu(self):
        seed = analysis(SEED)
        with pytest.raises(NotKnownError):
            with_instance(seed.serving_plan, seed.catalog, "ml.c5.4xlarge")

    def test_each(self):
        seed = analysis(SEED)
        routes = {
            route: hardware.name
            for route, hardware, _ in with_each_instance(seed.serving_plan, seed.catalog, seed.spec)
        }
        assert routes == {("deployment", "instance", "type"): "ml.g4dn.2xlarge", ALTERNATIVE: "ml.g5.2xlarge"}

    def test_a_machine_of_ones_own(self, tmp_path):
        judged("HB501", "deployment: {instance: {type: null, gpu: A100-40, gpus: 4}}", tmp_path)
        own = analysis(tmp_path / "spec.yaml")
        (route,) = (route for route, _, _ in with_each_instance(own.serving_plan, own.catalog, own.spec))
        assert route == ("deployment", "instance", "gpu")
