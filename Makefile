# The two commands of the README are `make demo` and `make test`; the rest is for builders.
PYTHON ?= python3
BIN := .venv/bin
DEBIAN := mosquitto chromium libatomic1 fonts-inter postgresql poppler-utils \
	libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0

.PHONY: demo test gates style types ready suite speed nightly faults words picture pages lock clean

demo:
	@$(PYTHON) .ci/prepare.py coop
	@$(BIN)/kwartier demo

test:
	@$(PYTHON) .ci/prepare.py dev --debian $(DEBIAN)
	@$(MAKE) --no-print-directory style
	@$(MAKE) --no-print-directory -j2 types ready
	@$(MAKE) --no-print-directory suite

gates: style types

style:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types:
	$(BIN)/mypy --num-workers 2

# Beside mypy, which leaves much of the processors free: every test is collected once, so that what
# the processes of the suite import is compiled for all of them.
ready:
	@mkdir -p build
	@$(BIN)/pytest -q --collect-only --no-header --no-summary >build/collected.txt || \
		(tail -n 40 build/collected.txt; exit 1)

# A file of tests stays in one process: its parts share servers and books. Files keep their order,
# so that the long ones, which start servers and browsers, do not come last and alone. Two processes
# for a processor, as many tests wait for what they started.
suite:
	$(BIN)/pytest -n $$(($$(nproc) * 2)) --dist loadfile --no-loadscope-reorder

speed:
	$(BIN)/pytest -m speed -s tests/speed

nightly:
	$(BIN)/pytest -m nightly --timeout 7200

# Of the nightly runs those that break something: kills and power cuts under gateway, record, months
# and shards, wear, guesses, corrupted prices, an InfluxDB that is away for a day.
faults:
	$(BIN)/pytest -m nightly --timeout 7200 tests/faults tests/gateway tests/collectors \
		tests/api/test_enrol_claims.py tests/api/test_broker_config.py tests/api/test_plan_check.py

# Every key with the languages that have it, and the checks of them all.
words:
	$(BIN)/python -m tests.house.word_use
	$(BIN)/pytest -q tests/house/test_words.py

picture:
	KWARTIER_PICTURES=docs/pictures $(BIN)/pytest tests/browser/test_pictures.py
	KWARTIER_PICTURES=docs/pictures $(BIN)/pytest tests/house/test_paper_pictures.py -k drawn
	KWARTIER_PICTURES=build/wizard $(BIN)/pytest tests/browser/test_wizard.py
	for step in meter gevonden andersom toestemming overgedragen papier; do \
		cp build/wizard/*-$$step-en.png docs/pictures/wizard-$$step.png; done
	KWARTIER_PICTURES=build/afar $(BIN)/pytest -m nightly tests/browser/test_wizard_afar.py
	cp build/afar/afar-4-andersom-en.png docs/pictures/wizard-server.png

# Every page for everybody, judged in every way, and kept as pictures for whoever looks.
pages:
	KWARTIER_PAGES=build/pages $(BIN)/pytest -m "browser and nightly" --timeout 7200 tests/browser

lock:
	.ci/lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
