"""Tables are read when they are asked for, and reading them needs nothing but the standard library."""

from __future__ import annotations

import subprocess
import sys

from hbspec.catalog import Catalog, catalog


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
