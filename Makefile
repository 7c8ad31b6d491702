# `make` alone prints what there is. Everything runs in .venv, which is made on first use, and made anew when setup.cfg
# or pyproject.toml changed, when its making was interrupted, when it was moved, and when PYTHON names another Python.

PYTHON ?= python3
ARGS ?=

PIP := .venv/bin/python -m pip install -qq --disable-pip-version-check
CODE := rnnlab experiments tests benchmarks
DEMO := results/demo
DRAWN := results/pictures
STUDIES := minibatch lengths gradients long_memory overtraining sparse initial_condition cells

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench studies pictures clean FORCE
.NOTPARALLEL:

help:  ## print this list
	@sed -n 's/^\([a-z]*\):.*  ## /  make \1	/p' Makefile

demo: .venv/.core  ## sweep three widths by three seeds of the dot product; compare them, draw their learning curves
	@.venv/bin/rnnlab sweep experiments/sweeps/dot_product_widths.yaml --store $(DEMO)
	@.venv/bin/rnnlab compare --store $(DEMO)
	@.venv/bin/rnnlab plot --store $(DEMO) --metric valid.loss --band range --smooth 0.7 -o $(DEMO)/learning_curves.png
	@echo "The runs are in $(DEMO). What to try next, after \`source .venv/bin/activate\`:"
	@echo "  rnnlab ls --store $(DEMO)                           all runs; rnnlab show 1 says all about one"
	@echo "  rnnlab report --store $(DEMO) -o report.html        everything on one page"
	@echo "  python experiments/dot_product.py with post         the blog post's experiment"
	@echo "  python experiments/noisy_series.py                  predict a driven, noisy, nonlinear system"

test: .venv/.test  ## run all tests, with a real MongoDB server; ARGS="-m 'not slow'" goes to pytest
	@.venv/bin/python -m pytest -q --numprocesses auto --maxprocesses 8 --dist worksteal $(ARGS)

lint: .venv/.lint  ## check formatting, style, types and layers
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy rnnlab
	.venv/bin/lint-imports --no-logo

bench: .venv/.test .venv-bench/.done .venv-theano/.done  ## measure rnnlab beside what else one would use; ARGS=--quick
	@.venv/bin/python -m benchmarks $(ARGS)

studies: .venv/.core  ## run the studies of docs/findings.md, or what is left of them; takes half an hour
	@for study in $(STUDIES); do \
		.venv/bin/rnnlab sweep experiments/studies/$$study.yaml --store results/studies/$$study || exit; \
	done
	@.venv/bin/python experiments/studies/findings.py

pictures: .venv/.core  ## draw the pictures of the README and the docs again; takes some minutes
	@.venv/bin/rnnlab sweep experiments/sweeps/dot_product_widths.yaml --store $(DEMO)
	@.venv/bin/rnnlab plot --store $(DEMO) --metric valid.loss --band range --smooth 0.7 -o docs/pictures/widths.png
	@.venv/bin/rnnlab plot --store $(DEMO) --where model.n_hidden=20 --where seed=0 -o docs/pictures/one_run.png
	@.venv/bin/rnnlab sweep experiments/sweeps/overtraining.yaml --store $(DRAWN)
	@.venv/bin/rnnlab plot --store $(DRAWN) --experiment noisy_series --by training.input_noise_std --log y \
		--band range -o docs/pictures/overtraining.png
	@.venv/bin/rnnlab sweep experiments/sweeps/widths_and_rates.yaml --store $(DRAWN)/pairs
	@.venv/bin/rnnlab plot metric --store $(DEMO) --by model.n_hidden -o docs/pictures/metric.png
	@.venv/bin/rnnlab plot heatmap --store $(DRAWN)/pairs --by model.n_hidden --by training.learning_rate \
		-o docs/pictures/heatmap.png
	@.venv/bin/rnnlab plot parallel --store $(DRAWN)/pairs --by model.n_hidden --by training.learning_rate --by seed \
		-o docs/pictures/parallel.png
	@.venv/bin/rnnlab plot --store $(DRAWN)/pairs --metric valid.loss --by training.learning_rate --band range \
		--small-multiples model.n_hidden -o docs/pictures/small_multiples.png
	@rm -rf $(DRAWN)/post
	@.venv/bin/python experiments/dot_product.py -F $(DRAWN)/post with post
	@cp $(DRAWN)/post/1/moving_average.png docs/pictures/post.png
	@rm -rf $(DRAWN)/sea
	@.venv/bin/python experiments/sea_surface.py -F $(DRAWN)/sea
	@.venv/bin/rnnlab evaluate 1 --store $(DRAWN)/sea -o docs/pictures/forecasts.png

clean:  ## remove .venv and all caches; results/ stays
	rm -rf .venv .venv-bench .venv-theano build rnnlab.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find $(wildcard $(CODE)) -name __pycache__ -prune -exec rm -rf {} +

# The stamp .venv/.core holds the place that .venv was made for. A Python that was named, and not taken by default, must
# be the one that .venv is made of.
identity := -c 'import sys; print(sys.base_prefix, sys.version)' 2>/dev/null
found := $(shell test "$$(cat .venv/.core 2>/dev/null)" = "$$(pwd -P)" && .venv/bin/python $(identity))
wanted := $(if $(filter file,$(origin PYTHON)),$(found),$(shell "$(PYTHON)" $(identity)))
ifneq ($(or $(found),nothing),$(wanted))
.venv/.core: FORCE
endif

# Where no Python was named and python3 will not do, one that will is looked for by name.
candidates := "$(PYTHON)" $(if $(filter file,$(origin PYTHON)),python3.13 python3.12 python3.11)

# As python_requires in setup.cfg.
supported := (3, 11) <= sys.version_info[:2] < (3, 14)

# _base_executable: in an activated .venv, python3 is the one that is about to be removed. compileall: pip would compile
# on one core, and the packages' own tests too, which takes longer than all the rest.
.venv/.core: setup.cfg pyproject.toml
	@for candidate in $(candidates); do \
		python=$$("$$candidate" -c 'import ensurepip, os, sys, venv; $(supported) or sys.exit(1); \
			print(os.path.realpath(sys._base_executable))' 2>/dev/null) && break; \
	done; \
	if [ -z "$$python" ]; then \
		why=$$("$(PYTHON)" -c 'import sys; print("has no venv or no ensurepip (on Debian: apt install python3-venv)" \
			if $(supported) else "is Python " + sys.version.split()[0])' 2>/dev/null) || why="cannot be run"; \
		echo "rnnlab needs Python 3.11, 3.12 or 3.13; $(PYTHON) $$why. Name another: make PYTHON=/path/to/python" >&2; \
		exit 1; \
	fi; \
	echo "Setting up .venv with $$python: about 250 MB to download, one or two minutes, once ..."; \
	rm -rf .venv/.core .venv && "$$python" -m venv .venv && $(PIP) --no-compile --editable . \
		&& .venv/bin/python -m compileall -q -j 0 -x /tests/ .venv/lib && pwd -P >.venv/.core

.venv/.test .venv/.lint: .venv/.%: .venv/.core
	@echo "Adding to .venv what make $* needs ..."
	@$(PIP) --editable '.[$*]' && touch $@

# What `make bench` measures rnnlab beside, in environments of its own. JAX and PyTensor by hand use those of .venv.
PEERS := numpy setuptools "torch ==2.13.*" "mlflow-skinny >=3.7,<4" "hydra-core ==1.3.*" "hydra-joblib-launcher ==1.2.*"

.venv-bench/.done: Makefile .venv/.core
	@echo "Setting up .venv-bench with PyTorch, MLflow and Hydra: 0.2 to 3 GB to download, once ..."
	@rm -rf .venv-bench && .venv/bin/python -m venv .venv-bench
	@.venv-bench/bin/python -m pip install -qq --disable-pip-version-check $(PEERS) && touch $@

# Theano 1.0.5 needs Python 3.8 and compiles C against NumPy 1.19. Without either its rows say that it is absent.
python38 := $(or $(PYTHON38),python3.8 $(wildcard $(HOME)/.pyenv/versions/3.8.*/bin/python))

.venv-theano/.done: Makefile
	@rm -rf .venv-theano && mkdir .venv-theano
	@for python in $(python38); do \
		"$$python" -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 8))' 2>/dev/null || continue; \
		echo "Setting up .venv-theano with $$python, once ..."; \
		"$$python" -m venv .venv-theano && .venv-theano/bin/python -m pip install -qq --disable-pip-version-check \
			"numpy <1.20" "scipy <1.6" "Theano ==1.0.5" || rm -rf .venv-theano/bin; \
		break; \
	done; touch $@
