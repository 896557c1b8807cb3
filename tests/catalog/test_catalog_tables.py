"""Tables are read when they are asked for, and reading them needs nothing but the standard library."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hbspec.catalog import Catalog, catalog
from hbspec.catalog.gpu_names import gpus_meant


def test_the_shipped_catalog_is_one():
    assert catalog() is catalog()


def test_a_price_reads_no_models_and_no_gpus():
    fresh = Catalog()
    assert fresh.price("ml.p4d.24xlarge", "us-east-1", "training")
    assert not {"models", "gpus"} & vars(fresh).keys()


def test_reading_everything_needs_only_the_standard_library():
    program = (
        "import sys; from hbspec.catalog import catalog; from hbspec.catalog import parameters; c = catalog();"
        "assert all((c.gpus, c.instances, c.models, c.training_types, c.regions));"
        "outside = {name.partition('.')[0] for name in sys.modules} - {*sys.stdlib_module_names, 'hbspec', '__main__'};"
        "print(*sorted(name for name in outside if not name.startswith(('_', 'sitecustomize', 'usercustomize'))))"
    )
    bare = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert bare.stdout.split() == []


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("RTX4090", "RTX 4090"), ("4090", "RTX 4090"), ("NVIDIA GeForce RTX 4090", "RTX 4090"), ("t4", "T4"),
        ("NVIDIA A100-SXM4-80GB", "A100-80"), ("A100 80GB PCIe", "A100-PCIe-80"), ("Tesla V100-SXM2-16GB", "V100-16"),
        ("NVIDIA H100 80GB HBM3", "H100-80"), ("h100 nvl", "H100-NVL"), ("NVIDIA L40S", "L40S"), ("A6000", "RTX A6000"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX PRO 6000"), ("A10G", "A10G"), ("A10", "A10"),
        ("RTX 6000 Ada Generation", "RTX 6000 Ada"), ("AMD Instinct MI300X", "MI300X"),
    ],
)  # fmt: skip
def test_a_gpu_is_known_as_drivers_and_people_spell_it(spelling, name):
    assert catalog().gpu_called(spelling).name == name


@pytest.mark.parametrize(
    ("spelling", "meant"),
    [
        ("H100", ("H100-80", "H100-PCIe", "H100-NVL", "H100-96")), ("A100 PCIe", ("A100-PCIe-80",)),
        ("V100", ("V100-16", "V100-32")), ("P100", ("P100-16",)), ("RTX 6000", ("RTX PRO 6000", "RTX 6000 Ada")),
        ("3090 Ti", ()), ("RTX4090D", ()), ("RTX 4090 48GB", ()), ("A800", ()), ("H20", ()), ("NVIDIA", ()), ("", ()),
    ],
)  # fmt: skip
def test_a_spelling_that_leaves_the_memory_or_the_model_open_is_not_understood(spelling, meant):
    assert catalog().gpu_called(spelling) is None
    assert gpus_meant(spelling, catalog().gpus) == meant


def test_every_gpu_is_called_by_its_own_names():
    for name, gpu in catalog().gpus.items():
        assert catalog().gpu_called(name) is gpu
        assert name in gpus_meant(gpu.marketing_name, catalog().gpus)
