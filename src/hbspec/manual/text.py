"""Defects in the text of a spec: HB001 to HB019.

This table is the manual: `hbspec explain` and the generated pages read it, and the tests load each example as a file
`spec.yaml` beside a `base.yaml`. A coding line in an example gives its encoding, and a line `# hbspec check spec.yaml
--set …` the command that loads it.
"""

from __future__ import annotations

from collections.abc import Mapping

from hbspec.manual.page import Page

YAML_SYNTAX = Page(
    "HB001",
    "yaml-syntax",
    "The text is not YAML.",
    "A tab in the indentation, a line whose indentation matches no line above it, a quote or bracket that is never "
    "closed: the rest of the file is ambiguous, so reading stops at the first such place.",
    "instance:\n  type: ml.p4d.24xlarge\n count: 1\n",
    "instance:\n  type: ml.p4d.24xlarge\n  count: 1\n",
)
DUPLICATE_KEY = Page(
    "HB002",
    "duplicate-key",
    "A mapping holds the same key twice.",
    "Most YAML readers silently keep the last one, so one of the two settings is lost. YAML itself (1.2.2, section "
    "3.2.1.1) requires keys to be unique.",
    "hyperparameters:\n  lora_r: 16\n  lora_r: 32\n",
    "hyperparameters:\n  lora_r: 32\n",
)
KEY_NOT_TEXT = Page(
    "HB003",
    "key-not-text",
    "A key is a number, a boolean, null, a list or a mapping.",
    "Every key of a spec is a string. A key that YAML reads as another type is a slip, often a missing quote.",
    "expect:\n  4: 16 GB\n",
    'expect:\n  "4": 16 GB\n',
)
COMPARISON_SIGN = Page(
    "HB004",
    "comparison-sign",
    "A bound is written with a comparison sign.",
    "An unquoted `>` begins a folded string in YAML, so `>= 5` does not parse and `>5` silently becomes an empty "
    "string. Ranges are written with two dots: `5..` is at least 5, `..5` at most 5, and `2..5` from 2 to 5 inclusive.",
    "monitoring:\n  gradient_norm: >= 5\n",
    "monitoring:\n  gradient_norm: 5..\n",
)
UNUSABLE_NUMBER = Page(
    "HB005",
    "unusable-number",
    "A number is infinite, NaN, too long, or too small to compute with.",
    "Nothing can be estimated from `.inf` or `.nan`, and a number outside the range of 64-bit floats would become "
    "infinite or zero.",
    "hyperparameters:\n  learning_rate: .nan\n",
    "hyperparameters:\n  learning_rate: 1e-4\n",
)
NOT_PLAIN_DATA = Page(
    "HB006",
    "not-plain-data",
    "A value is not a string, number, boolean, null, list or mapping.",
    "Tags such as `!!python/object` ask the reader to build another object, which runs code from whoever wrote the "
    "file. A spec needs no tags: quotes make a string, and every other value is recognised by its form.",
    "hyperparameters:\n  seed: !!python/name:os.system 42\n",
    "hyperparameters:\n  seed: 42\n",
)
MERGE_KEY = Page(
    "HB007",
    "merge-key",
    "A mapping uses the merge key `<<`.",
    "YAML 1.2 has no merge key, and readers that still support it disagree about which value wins. `extends` merges "
    "whole specs by one documented rule, and an alias (`*name`) repeats a value unchanged.",
    "instance: &big\n  type: ml.p4d.24xlarge\n  count: 1\ndeployment:\n  instance:\n    <<: *big\n",
    "instance: &big\n  type: ml.p4d.24xlarge\n  count: 1\ndeployment:\n  instance: *big\n",
)
UNKNOWN_ALIAS = Page(
    "HB008",
    "unknown-alias",
    "An alias refers to an anchor that no earlier line defines.",
    "`*name` repeats the value that `&name` marks on an earlier line. A string that merely begins with an asterisk, "
    "like `*.jsonl`, needs quotes.",
    "deployment:\n  instance: *big\n",
    "instance: &big {type: ml.g5.2xlarge, count: 1}\ndeployment:\n  instance: *big\n",
)
LOOPING_ALIAS = Page(
    "HB009",
    "looping-alias",
    "An alias is inside the value that it repeats.",
    "Such a value contains itself endlessly and can be neither checked nor compiled.",
    "instance: &big\n  type: ml.p4d.24xlarge\n  alternatives: [*big]\n",
    "instance:\n  type: ml.p4d.24xlarge\n  alternatives: [ml.p4de.24xlarge]\n",
)
SEVERAL_DOCUMENTS = Page(
    "HB010",
    "several-documents",
    "One file holds several YAML documents.",
    "A line `---` begins a second document. A spec is one document, and hbspec cannot know which one is meant.",
    "name: first\n---\nname: second\n",
    "name: first\n",
)
NOT_A_MAPPING = Page(
    "HB011",
    "not-a-mapping",
    "The file is empty, or its top level is not a mapping.",
    "A spec is a mapping with sections such as `model` and `instance` at its top level.",
    "- model\n- instance\n",
    "model: {id: Qwen/Qwen2.5-7B}\ninstance: {type: ml.g5.2xlarge}\n",
)
NOT_UTF8 = Page(
    "HB012",
    "not-utf8",
    "The file is not UTF-8 text.",
    "The same bytes are other letters in another encoding, so a name or a path would silently change.",
    "# -*- coding: latin-1 -*-\nname: café-32b\n",
    "# -*- coding: utf-8 -*-\nname: café-32b\n",
)
CONTROL_CHARACTER = Page(
    "HB013",
    "control-character",
    "The file contains an invisible character.",
    "Control characters and Unicode line separators move a terminal's cursor, end a path early or shift every line "
    "number. Direction marks make a line read as something else (CVE-2021-42574), and zero-width characters make two "
    "different names look alike. The allowed control characters are tab, line feed and carriage return; a zero-width "
    "joiner is allowed between two letters of a script that uses it.",
    'name: "heartbeat\\0"\n',
    'name: "heartbeat"\n',
)
OVER_LIMIT = Page(
    "HB014",
    "over-limit",
    "The spec exceeds a size limit.",
    "A few lines of aliases can expand to billions of values. A spec has at most 1 MiB of text, 100,000 keys and "
    "values with aliases expanded, 100 levels of nesting, and 20 files joined by `extends`.",
    "a: &a [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
    "b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
    "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
    "d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
    "e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n",
    "a: &a [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n",
)
UNREADABLE_FILE = Page(
    "HB015",
    "unreadable-file",
    "A file does not exist, cannot be read, or is not a regular file.",
    "Folders, pipes and devices are not specs, and reading some of them never ends.",
    "extends: ./no-such-file.yaml\n",
    "extends: ./base.yaml\n",
)
BAD_EXTENDS = Page(
    "HB016",
    "bad-extends",
    "The value of `extends` is not the path of one file.",
    "A spec extends one other spec, which may extend a third. With several at once, their order would decide which "
    "value wins.",
    "extends: [./base.yaml, ./other.yaml]\n",
    "extends: ./base.yaml\n",
)
EXTENDS_CYCLE = Page(
    "HB017",
    "extends-cycle",
    "A spec extends itself, directly or through other specs.",
    "A cycle has no first file to start from, so no value can be determined.",
    "extends: ./spec.yaml\n",
    "extends: ./base.yaml\n",
)
OUTSIDE_PROJECT = Page(
    "HB018",
    "outside-project",
    "A path leads out of the project.",
    "A spec from someone else must not reach your other files, whether by `..`, an absolute path or a symbolic link. "
    "The project is the nearest folder above the spec that holds a `.git` or a `pyproject.toml`; failing that, the "
    "folder of the spec.",
    "extends: ../../../../elsewhere/base.yaml\n",
    "extends: ./base.yaml\n",
)
BAD_OVERRIDE = Page(
    "HB019",
    "bad-override",
    "An argument of `--set` cannot be applied.",
    "`--set` takes KEY=VALUE. The key is a dotted path, with list indices in brackets and names that contain dots in "
    "quotes. The value is YAML; null deletes the key.",
    "# hbspec check spec.yaml --set name.short=hb\nname: heartbeat\n",
    "# hbspec check spec.yaml --set name=hb\nname: heartbeat\n",
)

PAGES: Mapping[str, Page] = {
    page.code: page
    for page in (
        YAML_SYNTAX,
        DUPLICATE_KEY,
        KEY_NOT_TEXT,
        COMPARISON_SIGN,
        UNUSABLE_NUMBER,
        NOT_PLAIN_DATA,
        MERGE_KEY,
        UNKNOWN_ALIAS,
        LOOPING_ALIAS,
        SEVERAL_DOCUMENTS,
        NOT_A_MAPPING,
        NOT_UTF8,
        CONTROL_CHARACTER,
        OVER_LIMIT,
        UNREADABLE_FILE,
        BAD_EXTENDS,
        EXTENDS_CYCLE,
        OUTSIDE_PROJECT,
        BAD_OVERRIDE,
    )
}
