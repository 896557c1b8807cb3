"""`check`, `estimate` and `import` of other programs' files."""

from __future__ import annotations

from pathlib import Path

AXOLOTL = (Path(__file__).parent / "axolotl.yml").read_text(encoding="utf-8")


def test_check_points_at_the_file_s_own_line(hbspec):
    name = hbspec.write("job.yml", AXOLOTL.replace("lora_r: 32", "lora_r: 0"))
    code, out, _ = hbspec("check", name, "--on", "ml.g5.12xlarge", "--region", "us-east-1")
    assert code == 1
    assert "job.yml:11:9: error[HB024]" in out
    assert "lora_r: 0" in out


def test_estimate_says_what_the_program_chose(hbspec):
    name = hbspec.write("job.yml", AXOLOTL)
    code, out, _ = hbspec("estimate", name, "--on", "A10Gx4", "--parallelism", "ddp")
    assert code == 0
    assert "on 4 x A10G, ddp" in out
    assert "axolotl 067b021c: src/axolotl/utils/config/__init__.py" in out


def test_without_hardware_the_option_is_named(hbspec):
    code, out, _ = hbspec("check", hbspec.write("job.yml", AXOLOTL))
    assert code == 1
    assert "name it with --on" in out


def test_import_never_overwrites(hbspec):
    name = hbspec.write("job.yml", AXOLOTL)
    assert hbspec("import", name, "--on", "ml.g5.2xlarge", "-o", "spec.yaml")[0] == 0
    written = (hbspec.folder / "spec.yaml").read_text()
    code, _, err = hbspec("import", name, "-o", "spec.yaml")
    assert (code, "spec.yaml exists" in err) == (2, True)
    assert (hbspec.folder / "spec.yaml").read_text() == written


def test_import_of_a_spec_and_of_what_cannot_be_read(hbspec):
    assert hbspec("import", hbspec.write("spec.yaml", "hbspec: 1\nname: a\n"))[0] == 1
    code, out, err = hbspec("import", "missing.yml")
    assert (code, out) == (2, "")
    assert "does not exist" in err


def test_fixes_leave_a_file_of_another_program_as_it_is(hbspec):
    text = AXOLOTL.replace("adapter: qlora", "adapter:")
    name = hbspec.write("job.yml", text)
    hbspec("check", name, "--on", "ml.g5.2xlarge", "--fix", "--unsafe-fixes")
    assert (hbspec.folder / name).read_text() == text
