# Two commands matter: `make demo` and `make test`. Both set everything up first, in .venv.
PYTHON ?= python3
bin := .venv/bin
native := CMakeLists.txt $(shell find native)

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/.installed ## train on WordNet's text and look at the vectors
	@$(bin)/brasa demo --output build/demo

test: .venv/.installed ## run all Python tests (PYTEST_ARGS="-k ..." for some)
	@$(bin)/python -m pytest -n auto $(PYTEST_ARGS)

test-gpu: .venv/.gpu ## run the GPU's tests, on the GPU if there is one
	@$(bin)/python -m pytest -m 'gpu or not gpu' tests/gpu tests/conformance/test_gpu_backends.py $(PYTEST_ARGS)

check: .venv/.installed ## formatting, lint, types, import contract, dependencies, stubs
	$(bin)/ruff check --quiet
	$(bin)/ruff format --check --quiet
	find native -name '*.cpp' -o -name '*.h' | xargs $(bin)/clang-format --dry-run --Werror
	$(bin)/mypy --no-error-summary
	$(bin)/lint-imports --no-logo
	$(bin)/deptry src
	$(bin)/python -m nanobind.stubgen -q -m brasa._native -o build/_native.pyi && diff -u src/brasa/_native.pyi build/_native.pyi

fix: .venv/.installed generated ## format and mend what the tools can mend, Python and C++
	@$(bin)/ruff check --fix --quiet; $(bin)/ruff format; find native -name '*.cpp' -o -name '*.h' | xargs $(bin)/clang-format -i

generated: .venv/.installed ## write the native module's types and the table of hyperparameters anew
	@$(bin)/python -m nanobind.stubgen -q -m brasa._native -o src/brasa/_native.pyi
	@$(bin)/python tools/hyperparameter_table.py docs/hyperparameters.md

bench: .venv/.installed ## measure speed and quality beside fastText 0.9.2 (CORPUS=file for another text)
	@$(bin)/python benchmarks/compare.py $(CORPUS)

bench-gpu: .venv/.gpu ## check, time and score the GPU beside the CPU and fastText, in 8 minutes
	@$(bin)/python benchmarks/gpu.py

fuzz: .venv/.installed ## feed broken files and texts to sanitized code, MINUTES=30 for each of two programs
	@tools/fuzz_native $(or $(MINUTES),30)
	@tools/sanitized_python tools/fuzz_files.py $(or $(MINUTES),30)

ci: ## everything that CI runs
	@.ci/run

clean: ## remove what was built, and .venv
	rm -rf .venv .venv-interop .venv-sagemaker-v* build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# The package, editable: a Python edit needs nothing, a C++ edit is compiled by the next command.
.venv/.installed: .venv/.tools $(native)
	@echo 'brasa: building the native module' >&2
	@$(bin)/pip install --quiet --no-build-isolation --editable .
	@touch $@

# PyTorch and Triton, which only training on a GPU needs.
.venv/.gpu: .venv/.installed
	@$(bin)/pip install --quiet --disable-pip-version-check --group gpu
	@touch $@

# `pip --group` needs pip 25.1; the pip that comes with older Pythons has no such option.
.venv/.tools: pyproject.toml
	@$(PYTHON) tools/check_machine.py
	@echo 'brasa: setting up .venv (once; about half a minute)' >&2
	@test -x $(bin)/pip || $(PYTHON) -m venv .venv
	@$(bin)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(bin)/pip install --quiet --group dev
	@touch $@

.PHONY: help demo test test-gpu check fix generated bench bench-gpu fuzz ci clean
