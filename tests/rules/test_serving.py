"""The plan of an endpoint: a `max_model_len` that is not written, and the same endpoint on another instance."""

from __future__ import annotations

from datetime import date

import pytest
from judged import SPECS, judged

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
        assert len(judged("HB513", spec, tmp_path)) == 1
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

    def test_many_requests_of_an_assumed_length_are_no_warning(self, tmp_path):
        many = "deployment: {concurrency: 128, max_model_len: null}"
        for code in ("HB502", "HB515"):
            assert judged(code, many, tmp_path) == []

    def test_of_a_model_that_is_not_known_nothing_is_assumed(self, tmp_path):
        judged("HB502", UNWRITTEN.replace("Qwen/Qwen2.5-7B", "nobody/knows") % "", tmp_path)
        assert analysis(tmp_path / "spec.yaml").serving_plan.max_model_len is None


class TestAnotherInstance:
    def test_only_what_the_type_decides_changes(self):
        seed = analysis(SEED)
        plan = seed.serving_plan
        other = with_instance(plan, seed.catalog, "ml.g5.2xlarge")
        assert (plan.dtype, other.dtype) == ("float16", "bfloat16")
        changed = {name for name in plan._fields if getattr(plan, name) != getattr(other, name)}
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
