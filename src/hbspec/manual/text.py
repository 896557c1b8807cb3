"""What can be wrong with the text of a spec: HB001 to HB019.

This table is the manual: `hbspec explain` and the generated pages read it, and the tests load each example as a file
`spec.yaml` beside a `base.yaml`. A coding line in an example says how it is saved, and a line
`# hbspec check spec.yaml --set …` how it is called.
"""

from __future__ import annotations

from collections.abc import Mapping

from hbspec.manual.page import Page

YAML_SYNTAX = Page(
    "HB001",
    "yaml-syntax",
    "The text is not YAML.",
    "Tabs in the indentation, a line indented like none above it, a quote or bracket that is never closed: from there "
    "on nobody can say what the author meant, so reading stops at the first such place.",
    "instance:\n  type: ml.p4d.24xlarge\n count: 1\n",
    "instance:\n  type: ml.p4d.24xlarge\n  count: 1\n",
)
DUPLICATE_KEY = Page(
    "HB002",
    "duplicate-key",
    "A map holds the same key twice.",
    "Most YAML readers keep the last one without a word, so one of two settings that somebody wrote is lost. YAML"
    " itself (1.2.2, section 3.2.1.1) wants keys to be unique.",
    "hyperparameters:\n  lora_r: 16\n  lora_r: 32\n",
    "hyperparameters:\n  lora_r: 32\n",
)
KEY_NOT_TEXT = Page(
    "HB003",
    "key-not-text",
    "A key is a number, a truth value, nothing at all, a list or a map.",
    "Every key of a spec is a name. A key that YAML reads as something else is a slip, often a missing quote.",
    "expect:\n  4: 16 GB\n",
    'expect:\n  "4": 16 GB\n',
)
COMPARISON_SIGN = Page(
    "HB004",
    "comparison-sign",
    "A bound is written with a comparison sign.",
    "An unquoted `>` begins a folded text in YAML, so `>= 5` does not even parse and `>5` silently becomes an "
    "empty text. Ranges are written with two dots: `5..` is at least 5, `..5` at most 5, `2..5` both, ends "
    "included.",
    "monitoring:\n  gradient_norm: >= 5\n",
    "monitoring:\n  gradient_norm: 5..\n",
)
UNUSABLE_NUMBER = Page(
    "HB005",
    "unusable-number",
    "A number is infinite, not a number, or too long or too small to compute with.",
    "Nothing can be estimated from `.inf` or `.nan`, and a number outside the range of 64-bit floats would turn "
    "into one of them, or into zero, on the way.",
    "hyperparameters:\n  learning_rate: .nan\n",
    "hyperparameters:\n  learning_rate: 1e-4\n",
)
NOT_PLAIN_DATA = Page(
    "HB006",
    "not-plain-data",
    "A value is no text, number, truth value, null, list or map.",
    "Tags such as `!!python/object` ask the reader to build something else, which from a stranger's file means "
    "running the stranger's code. A spec needs no tags: quotes make text, and everything else is recognised by "
    "its form.",
    "hyperparameters:\n  seed: !!python/name:os.system 42\n",
    "hyperparameters:\n  seed: 42\n",
)
MERGE_KEY = Page(
    "HB007",
    "merge-key",
    "A map uses the merge key `<<`.",
    "YAML 1.2 has no merge key, and readers that still know it disagree about what wins. `extends` merges whole "
    "specs by one stated rule, and an alias (`*name`) repeats a value as it is.",
    "instance: &big\n  type: ml.p4d.24xlarge\n  count: 1\ndeployment:\n  instance:\n    <<: *big\n",
    "instance: &big\n  type: ml.p4d.24xlarge\n  count: 1\ndeployment:\n  instance: *big\n",
)
UNKNOWN_ALIAS = Page(
    "HB008",
    "unknown-alias",
    "An alias refers to an anchor that no earlier line defines.",
    "`*name` repeats the value that `&name` marked above it. A text that merely begins with a star, like `*.jsonl`, "
    "needs quotes.",
    "deployment:\n  instance: *big\n",
    "instance: &big {type: ml.g5.2xlarge, count: 1}\ndeployment:\n  instance: *big\n",
)
LOOPING_ALIAS = Page(
    "HB009",
    "looping-alias",
    "An alias stands inside the very value that it repeats.",
    "Such a value contains itself without end and can be neither checked nor compiled.",
    "instance: &big\n  type: ml.p4d.24xlarge\n  alternatives: [*big]\n",
    "instance:\n  type: ml.p4d.24xlarge\n  alternatives: [ml.p4de.24xlarge]\n",
)
SEVERAL_DOCUMENTS = Page(
    "HB010",
    "several-documents",
    "One file holds several YAML documents.",
    "A line `---` begins a second document, and a spec is one document: which of them should be trained?",
    "name: first\n---\nname: second\n",
    "name: first\n",
)
NOT_A_MAPPING = Page(
    "HB011",
    "not-a-mapping",
    "The file is empty, or is not a map of keys to values.",
    "A spec is a map with sections such as `model` and `instance` at its top.",
    "- model\n- instance\n",
    "model: {id: Qwen/Qwen2.5-7B}\ninstance: {type: ml.g5.2xlarge}\n",
)
NOT_UTF8 = Page(
    "HB012",
    "not-utf8",
    "The file is not UTF-8 text.",
    "In another encoding the same bytes are other letters, and a name or a path would silently be a different one.",
    "# -*- coding: latin-1 -*-\nname: café-32b\n",
    "# -*- coding: utf-8 -*-\nname: café-32b\n",
)
CONTROL_CHARACTER = Page(
    "HB013",
    "control-character",
    "The text holds a character that cannot be seen.",
    "Control characters and line separators of Unicode move a terminal's cursor, end a path early or shift every line "
    "number. Marks of direction make a line read as what it is not (CVE-2021-42574), and characters without width make "
    "two names look like one. Of the control characters only tab, line feed and carriage return are text; zero-width "
    "joiners are where they stand between two letters of a script that has them.",
    'name: "heartbeat\\0"\n',
    'name: "heartbeat"\n',
)
OVER_LIMIT = Page(
    "HB014",
    "over-limit",
    "The spec is larger than a spec may be.",
    "A few lines of aliases can stand for billions of values. A spec is at most 1 MiB of text, 100,000 keys and "
    "values with aliases expanded, 100 levels deep, and 20 files long by `extends`.",
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
    "A file is not there, may not be read, or is not a regular file.",
    "Folders, pipes and devices are no specs, and reading some of them never ends.",
    "extends: ./no-such-file.yaml\n",
    "extends: ./base.yaml\n",
)
BAD_EXTENDS = Page(
    "HB016",
    "bad-extends",
    "The value of `extends` is not the path of one file.",
    "A spec extends one other spec, which may extend a third. With several at once the order would decide what holds.",
    "extends: [./base.yaml, ./other.yaml]\n",
    "extends: ./base.yaml\n",
)
EXTENDS_CYCLE = Page(
    "HB017",
    "extends-cycle",
    "A spec extends itself, directly or by way of others.",
    "There is no first file to begin with, so no value can be settled.",
    "extends: ./spec.yaml\n",
    "extends: ./base.yaml\n",
)
OUTSIDE_PROJECT = Page(
    "HB018",
    "outside-project",
    "A path leads out of the project.",
    "A spec from elsewhere must not reach your other files, be it by `..`, an absolute path or a symbolic link. "
    "The project is the nearest folder above the spec with a `.git` or a `pyproject.toml`, else the spec's own "
    "folder.",
    "extends: ../../../../elsewhere/base.yaml\n",
    "extends: ./base.yaml\n",
)
BAD_OVERRIDE = Page(
    "HB019",
    "bad-override",
    "An argument of `--set` cannot be applied.",
    "`--set` takes KEY=VALUE: the key is a dotted path with entries of lists in brackets and names that hold dots"
    " in quotes, the value is YAML, and null deletes what stands there.",
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
