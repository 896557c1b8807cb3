"""The shipped tables: unique keys, ranges, references that hold, a source and a date on every row."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import botocore.session
import pytest

from hbspec.catalog import catalog
from hbspec.catalog.partitions import partition
from hbspec.catalog.rows import DATA, day, lines, rows
from hbspec.units import GIB

TABLES = [
    "gpus.csv",
    "instances.csv",
    "prices.csv",
    "markups.csv",
    "names.csv",
    "untemplated.csv",
    "chat_templates.csv",
    "trl_training_templates.csv",
]
KEYS = {
    "gpus.csv": ("name",),
    "instances.csv": ("name",),
    "prices.csv": ("instance_type", "region", "component", "as_of", "source"),
    "markups.csv": ("family", "size"),
    "names.csv": ("id",),
    "untemplated.csv": ("id",),
    "chat_templates.csv": ("name",),
    "trl_training_templates.csv": ("digest",),
}
TABLES = [*KEYS]
SHAPES = {path: json.loads(path.read_text(encoding="utf-8")) for path in (DATA / "models").rglob("*.json")}
FIRST_CHECK = date(2026, 11, 22)


@pytest.mark.parametrize("table", TABLES)
def test_keys_are_unique(table):
    keys = Counter(tuple(row[column] for column in KEYS[table]) for row in rows(table))
    assert keys.most_common(1)[0][1] == 1


def test_names_of_models_are_unique_in_any_case():
    names = [*catalog().models]
    assert len({name.lower() for name in names}) == len(names) == len(catalog().models)


def test_every_shape_is_of_a_name_and_the_other_way_round():
    """A file that no name leads to is never read; a name without its file ends in a traceback."""
    files = {path.relative_to(DATA / "models").with_suffix("").as_posix() for path in SHAPES}
    assert files == {row["shape"] for row in rows("names.csv")}
    assert files <= {*catalog().models}


def test_an_id_is_looked_up_as_a_whole():
    for wrong in ("", "id", "Qwen/Qwen2.5", "Qwen/Qwen2.5-7B,Qwen/Qwen2.5-7B", "../names", "Qwen/Qwen2.5-7B\n"):
        assert wrong not in catalog().models
        assert catalog().models.get(wrong) is None


def test_an_id_is_known_in_any_case():
    assert catalog().models["meta-llama/Meta-Llama-3-70b"].id == "meta-llama/Meta-Llama-3-70B"
    assert (DATA / "names.csv").read_bytes().isascii()


def test_a_quantised_copy_has_the_shape_of_its_base_and_says_how_it_is_stored():
    models = catalog().models
    base, copy = models["meta-llama/Llama-3.1-8B-Instruct"], models["unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit"]
    assert (base.stored, copy.stored) == (None, "bnb-4bit")
    assert copy.architecture == base.architecture._replace(quant_method="bitsandbytes")


def test_a_shape_of_a_family_that_is_not_counted_is_no_architecture():
    model = catalog().models["state-spaces/mamba-2.8b-hf"]
    assert (model.model_type, model.architecture) == ("mamba", None)


@pytest.mark.parametrize("table", [*TABLES, "models"])
def test_every_row_has_a_source_and_the_day_it_was_checked(table):
    for row in SHAPES.values() if table == "models" else rows(table):
        assert row["source"].strip(), row
        assert date.fromisoformat(row["checked"]) >= FIRST_CHECK, row


@pytest.mark.parametrize("path", sorted(path for path in DATA.rglob("*") if path.is_file()), ids=lambda path: path.name)
def test_no_row_names_a_place_that_readers_cannot_reach(path):
    """A path on some machine; /opt/ml is SageMaker's in every container."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"""(?:^|[\s,;("'])/(?!opt/ml/)\w+/|localhost|127\.0\.0\.1|file://""", text, re.MULTILINE)


@pytest.mark.parametrize("component", ["training", "hosting"])
def test_the_enums_are_those_of_botocore(component):
    shape = {"training": "TrainingInstanceType", "hosting": "ProductionVariantInstanceType"}[component]
    model = botocore.session.get_session().get_service_model("sagemaker")
    ours = getattr(catalog(), f"{component}_types")
    # A later botocore may add types, and so may a row with another source; none that was shipped may have gone.
    for name in ours - set(model.shape_for(shape).enum):
        assert "botocore" not in catalog().instances[name].source, name
    assert len(ours) >= {"training": 225, "hosting": 277}[component]


def test_the_types_of_a_cluster_are_those_of_botocore():
    """Of the types with a row; a later botocore may add more."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    ours = {name for name, instance in catalog().instances.items() if instance.cluster}
    assert ours <= set(model.shape_for("ClusterInstanceType").enum)
    assert {"ml.p4d.24xlarge", "ml.g5.12xlarge"} <= ours
    assert len(ours) >= 60


def test_every_gpu_type_that_sagemaker_accepts_is_there():
    accepted = catalog().training_types | catalog().hosting_types
    with_gpu = {name for name in accepted if name.split(".")[1].startswith(("p2", "p3", "p4", "p5", "p6", "g"))}
    assert len(with_gpu) > 50
    assert with_gpu <= catalog().instances.keys()
    for name in with_gpu:
        assert catalog().gpu_of(name) is not None, name
        assert catalog().instances[name].gpus >= 1, name


@pytest.mark.parametrize("component", ["training", "hosting"])
def test_no_type_is_listed_twice(component):
    """A type with a row is told by its row; the list has those without one."""
    assert not set(lines(f"{component}_types.txt")) & catalog().instances.keys()


def test_instances_are_in_range():
    for name, instance in catalog().instances.items():
        assert instance.accelerator in ("gpu", "neuron", "none"), name
        assert (instance.accelerator == "gpu") == (instance.gpu is not None) == (instance.gpus > 0), name
        assert instance.gpu is None or instance.gpu in catalog().gpus, name
        assert instance.gpu_link in (None, "nvlink", "pcie"), name
        assert instance.gpu_link is None or instance.gpus > 1, name
        assert 2 <= instance.vcpus <= 192, name
        assert 4 * GIB <= instance.memory_bytes <= 4096 * GIB, name
        assert instance.nvme_bytes is None or 0 <= instance.nvme_bytes <= 40e12, name
        assert instance.network_bits_per_second is None or 0.2e9 <= instance.network_bits_per_second <= 6.4e12, name
        assert instance.efa_interfaces is None or 0 <= instance.efa_interfaces <= 32, name
        assert instance.regions is None or all(map(partition, instance.regions)), name


def test_nvlink_is_between_gpus_that_have_it():
    for instance in catalog().instances.values():
        gpu = catalog().gpu_of(instance.name)
        if gpu is not None and instance.gpu_link == "nvlink":
            assert gpu.nvlink_bandwidth, instance.name
        if gpu is not None and instance.gpu_link == "pcie":
            assert gpu.nvlink_bandwidth == 0.0, instance.name


def test_gpus_are_in_range():
    for name, gpu in catalog().gpus.items():
        if gpu.usable_bytes is not None and gpu.nominal_bytes is not None:
            assert 0.85 < gpu.usable_bytes / gpu.nominal_bytes < 1, name
        assert gpu.bandwidth is None or 0.3e12 <= gpu.bandwidth <= 8e12, name
        assert gpu.bf16_flops is None or gpu.bf16_flops == gpu.fp16_flops, name
        assert gpu.fp8_flops is None or gpu.fp16_flops is None or 1.9 < gpu.fp8_flops / gpu.fp16_flops < 2.1, name
        assert gpu.bf16 is not False or gpu.bf16_flops is None, name
        if gpu.compute_capability and gpu.flash_attention_2 is not None:
            assert gpu.flash_attention_2 == gpu.bf16 == (gpu.compute_capability >= (8, 0)), name


def test_what_is_not_known_is_none():
    gpu, instance = catalog().gpus["RTX PRO 4500"], catalog().instances["ml.p3.8xlarge"]
    assert (gpu.bandwidth, gpu.usable_bytes, gpu.bf16, gpu.compute_capability) == (None, None, None, None)
    assert (instance.nvme_bytes, instance.efa_interfaces, instance.gpu_link, instance.regions) == (None,) * 4
    assert catalog().gpus["B200"].pcie_generation is None
    assert catalog().instances["ml.inf2.xlarge"].nvme_bytes == 0


@pytest.mark.parametrize(
    ("instance_type", "gpu", "gpus", "usable_gib"),
    [
        ("ml.p4d.24xlarge", "A100-40", 8, 39.39),
        ("ml.p4de.24xlarge", "A100-80", 8, 79.14),
        ("ml.p5.48xlarge", "H100-80", 8, 79.18),
        ("ml.g4dn.2xlarge", "T4", 1, 14.56),
        ("ml.g5.2xlarge", "A10G", 1, 21.98),
        ("ml.p3.16xlarge", "V100-16", 8, 15.75),
        ("ml.p3dn.24xlarge", "V100-32", 8, 31.73),
        ("ml.g7e.48xlarge", "RTX PRO 6000", 8, 94.5),
    ],
)
def test_hosts_have_the_right_gpus(instance_type, gpu, gpus, usable_gib):
    found = catalog().gpu_of(instance_type)
    assert found is catalog().gpus[gpu]
    assert catalog().instances[instance_type].gpus == gpus
    assert found.usable_bytes == int(usable_gib * GIB)


def test_where_the_reference_example_can_run():
    instances = catalog().instances
    assert "ca-central-1" in instances["ml.p4d.24xlarge"].regions
    assert "ca-central-1" not in instances["ml.p4de.24xlarge"].regions
    assert not catalog().gpus["T4"].bf16
    assert not catalog().gpus["T4"].flash_attention_2
    assert catalog().gpu_of("ml.m5.xlarge") is None
    assert catalog().gpu_of("ml.none.xlarge") is None


def test_prices_are_in_range_and_about_known_types():
    accepted = catalog().training_types | catalog().hosting_types
    for row in rows("prices.csv"):
        assert row["instance_type"] in accepted, row
        assert partition(row["region"]), row
        assert row["component"] in ("training", "hosting", "studio", "ec2"), row
        assert Decimal("0.04") < Decimal(row["usd_per_hour"]) < 200, row
        assert row["superseded"] in ("", "yes"), row
        assert (day(row["as_of"]) or FIRST_CHECK) <= date.fromisoformat(row["checked"]), row


def test_markups_were_measured():
    for row in rows("markups.csv"):
        assert int(row["pairs"]) >= 1
        assert Decimal(row["lowest"]) <= Decimal(row["highest"])
        for bound in ("lowest", "highest"):
            assert abs(Decimal(row[bound]) / Decimal(row["markup"]) - 1) < Decimal("0.005"), row


def test_licenses_are_tags():
    tags = {"mit", "apache-2.0", "llama3.1", "llama3.2", "llama3.3", "llama4", "gemma", "qwen", "qwen-research", None}
    assert {model.license for model in catalog().models.values()} <= tags
    assert catalog().models["deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"].license == "mit"


def test_models_know_their_dtype_or_say_nothing():
    assert {model.dtype for model in catalog().models.values()} <= {"bfloat16", "float16", "float32", None}
    assert catalog().models["deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"].dtype == "bfloat16"


def test_regions_are_all_that_occur():
    assert {"ca-central-1", "us-east-1", "us-gov-west-1"} <= set(catalog().regions)
    assert list(catalog().regions) == sorted(set(catalog().regions))


def test_the_day_of_a_month_is_its_first():
    assert day("2026-08") == date(2026, 8, 1)
    assert day("2026-08-20") == date(2026, 8, 1) + timedelta(days=19)
    assert day("") is None
