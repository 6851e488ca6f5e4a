# Every target can be run again at any time; what is done already is not done twice.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help site teardown status venv test test-all lint sanity docs bench hosts hosts-down freeze packages \
	kernel-host-packages molecule matrix clean

# The interpreter that makes .venv, Python 3.11 to 3.13; one is looked for where none is named.
PYTHON ?=
# Handed on to ansible-playbook: make site ARGS='--check --diff'
ARGS ?=
# Handed on to pytest: make test PYTEST_ARGS='-k quantity'
PYTEST_ARGS ?=
# How many tests run side by side; most of them wait for clocks and containers.
PYTEST_WORKERS ?= 3
# The Molecule scenario, and what is done with it: make molecule SCENARIO=upgrade MOLECULE=converge
SCENARIO ?= default
MOLECULE ?= test
# Handed on to the comparison of one Pod, and to the benchmarks of stacks, the agent, workloads and a fleet: make bench STACK_BENCH_ARGS='--peer-pods 10'
BENCH_ARGS ?=
STACK_BENCH_ARGS ?=
AGENT_BENCH_ARGS ?=
WORKLOAD_BENCH_ARGS ?=
FLEET_BENCH_ARGS ?=

VENV := .venv
BENCH_VENV := .venv-bench
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
BENCH_RUN := PATH="$(CURDIR)/$(BENCH_VENV)/bin:$$PATH"
# A file's tests stay together, for they share a Podman; files go out in the order in which they were collected.
PYTEST = $(RUN) python -m pytest --numprocesses=$(PYTEST_WORKERS) --dist=loadfile --no-loadscope-reorder
PIP_INSTALL := -m pip install -qq --disable-pip-version-check --requirement

# The hosts that `make hosts` has: NAME or NAME=RECIPE, as in make hosts HOSTS='shop{1..10}=debian13'
HOSTS ?= debian12 debian13 forky

# What the tests need on the machine itself, by Debian's names.
TEST_PACKAGES := podman crun runc conmon netavark aardvark-dns iptables catatonit passt uidmap mmdebstrap busybox-static \
	curl git haproxy shellcheck openssh-client
# What hosts with a kernel of their own need beside these (tests/hosts/kernel_hosts.py).
KERNEL_HOST_PACKAGES := user-mode-linux e2fsprogs gcc libc6-dev

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## The hosts of the inventory

site: venv ## prepare the hosts of the inventory and bring up their pods (ARGS='--check --diff')
	$(RUN) ansible-playbook playbooks/site.yml $(ARGS)

status: venv ## show what runs on the hosts
	$(RUN) ansible-playbook playbooks/status.yml $(ARGS)

teardown: venv ## remove the pods from the hosts; data stays unless ARGS says otherwise
	$(RUN) ansible-playbook playbooks/teardown.yml $(ARGS)

## The collection itself

test: packages $(VENV)/dev.stamp lint sanity ## all checks and tests, the longest ones as a sample
	$(PYTEST) -m 'not long' --durations=20 $(PYTEST_ARGS)

test-all: kernel-host-packages $(VENV)/dev.stamp lint sanity ## all checks and tests in full
	PODWRIGHT_TEST_FULL=1 $(PYTEST) --timeout=7200 $(PYTEST_ARGS)

molecule: packages $(VENV)/dev.stamp ## one scenario on test hosts (SCENARIO=default MOLECULE=test, or converge, verify, login, destroy)
	ANSIBLE_HOME="$(CURDIR)/build/molecule" $(RUN) molecule $(MOLECULE) --scenario-name $(SCENARIO)

matrix: packages $(VENV)/dev.stamp ## all Molecule scenarios, one after another; each that passes writes its rows of docs/matrix.md
	for scenario in $(notdir $(patsubst %/,%,$(dir $(wildcard extensions/molecule/*/molecule.yml)))); do \
		PODWRIGHT_MATRIX=1 ANSIBLE_HOME="$(CURDIR)/build/molecule" $(RUN) molecule test --scenario-name $$scenario; \
	done

lint: $(VENV)/dev.stamp ## style, types, playbooks and roles, changelog, documentation
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) mypy --python-version 3.11 scripts roles/agent/files/podwright_cli
	$(RUN) yamllint --strict .
	$(RUN) ansible-lint --nocolor
	$(RUN) antsibull-changelog lint
	$(RUN) python scripts/documentation.py lint

sanity: $(VENV)/dev.stamp ## ansible-test sanity on a copy
	$(RUN) python scripts/sanity.py

docs: $(VENV)/dev.stamp ## module and role documentation as HTML in build/docs
	$(RUN) python scripts/documentation.py build

bench: packages $(BENCH_VENV)/bench.stamp ## compare with containers.podman and podman kube play; time many pods, the agent, workloads and a fleet
	$(BENCH_RUN) python tests/benchmarks/compare.py $(BENCH_ARGS)
	$(BENCH_RUN) python tests/benchmarks/stacks.py $(STACK_BENCH_ARGS)
	$(BENCH_RUN) python tests/benchmarks/agent.py $(AGENT_BENCH_ARGS)
	$(BENCH_RUN) python tests/benchmarks/workloads.py $(WORKLOAD_BENCH_ARGS)
	$(BENCH_RUN) python tests/benchmarks/fleet.py $(FLEET_BENCH_ARGS)

hosts: packages $(VENV)/control.stamp ## whole hosts in containers, with an inventory in build/hosts (HOSTS='debian12 debian13')
	$(RUN) python tests/hosts up $(HOSTS)

hosts-down: $(VENV)/control.stamp ## remove these hosts; their root file systems stay in the user's cache
	$(RUN) python tests/hosts down

## Tools

venv: $(VENV)/control.stamp ## the control node's tools in .venv

packages:
	@scripts/install_packages.sh $(TEST_PACKAGES)

kernel-host-packages: packages
	@scripts/install_packages.sh $(KERNEL_HOST_PACKAGES)

%/bin/python:
	scripts/make_venv.sh $* $(PYTHON)

$(VENV)/control.stamp: requirements/control.txt requirements/constraints.txt | $(VENV)/bin/python
	$(VENV)/bin/python $(PIP_INSTALL) $<
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/control.stamp
	$(VENV)/bin/python $(PIP_INSTALL) $<
	@touch $@

$(BENCH_VENV)/bench.stamp: requirements/bench.txt requirements/control.txt requirements/constraints.txt | $(BENCH_VENV)/bin/python
	$(BENCH_VENV)/bin/python $(PIP_INSTALL) $<
	@touch $@

freeze: ## write requirements/*constraints.txt anew from the pins in requirements/
	rm -rf build/freeze && mkdir -p build
	scripts/make_venv.sh build/freeze $(PYTHON)
	cp requirements/*.txt build/freeze/ && : > build/freeze/constraints.txt
	build/freeze/bin/python $(PIP_INSTALL) build/freeze/dev.txt --requirement build/freeze/bench.txt
	{ head -n 1 requirements/constraints.txt; build/freeze/bin/python -m pip freeze; } > build/constraints.txt
	mv build/constraints.txt requirements/constraints.txt
	rm -rf build/freeze
	scripts/make_venv.sh build/freeze $(PYTHON)
	cp requirements/importer.txt build/freeze/ && : > build/freeze/importer-constraints.txt
	build/freeze/bin/python $(PIP_INSTALL) build/freeze/importer.txt
	{ head -n 1 requirements/importer-constraints.txt; build/freeze/bin/python -m pip freeze; } > build/constraints.txt
	mv build/constraints.txt requirements/importer-constraints.txt
	rm -rf build/freeze

clean: ## remove the virtual environments, caches, hosts and built files of this checkout
	for hosts in $(wildcard build/hosts build/molecule/tmp/*/hosts); do $(RUN) python tests/hosts --directory $$hosts down; done
	rm -rf $(VENV) $(BENCH_VENV) build .ansible .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache
