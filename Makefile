# Front door. `make demo` shows it, `make test` checks it; everything else is for its developers.
BUILD ?= build
CMAKE ?= cmake
JOBS  ?= $(shell nproc 2>/dev/null || echo 2)

.PHONY: all demo test matrix attack bench prove fuzz check ct deb coverage install clean
all: $(BUILD)/.deps
	@scripts/step configuring $(BUILD)/configure.log $(CMAKE) -S . -B $(BUILD) -DCMAKE_BUILD_TYPE=RelWithDebInfo || { cat $(BUILD)/configure.log; exit 1; }
	@[ -x $(BUILD)/trueline ] || echo "building, which takes a minute; what the compiler says stands in $(BUILD)/build.log"
	@scripts/step building $(BUILD)/build.log $(CMAKE) --build $(BUILD) -j$(JOBS) || { cat $(BUILD)/build.log; exit 1; }

$(BUILD)/.deps: scripts/deps
	@scripts/deps
	@mkdir -p $(BUILD) && touch $@

demo: all
	@$(BUILD)/trueline demo

test: all
	@scripts/run-tests

# Every valid combination of the stream's modes, attacked; `make test` runs a sample of them.
matrix: all
	@$(BUILD)/tests/matrix/matrix --all

# `make attack N=1000000 ATTACK="--seed 7"`: packets and messages changed by chance, in simulated worlds.
N ?= 20000
attack: all
	@$(BUILD)/tests/world/attack -n $(N) $(ATTACK)

# `make bench BENCH="--only gmac --rounds 7"`; docs/PERFORMANCE.md says what it measures.
bench: all
	@scripts/deps --bench
	@scripts/step configuring $(BUILD)/configure.log $(CMAKE) -S . -B $(BUILD) || { cat $(BUILD)/configure.log; exit 1; }
	@scripts/step building $(BUILD)/build.log $(CMAKE) --build $(BUILD) -j$(JOBS) --target trueline_bench || { cat $(BUILD)/build.log; exit 1; }
	@$(BUILD)/trueline-bench --json $(BUILD)/bench.json $(BENCH)

prove:
	@scripts/prove

fuzz:
	@scripts/fuzz

check:
	@scripts/check

ct:
	@scripts/ct

# Debian packages of this build, in its folder.
deb: all
	@scripts/deps --package
	@scripts/deb $(BUILD)

# Which lines of src/ the tests run; docs/COVERAGE.md says why the others are not.
coverage:
	@scripts/deps --coverage
	@scripts/coverage

install: all
	@$(CMAKE) --install $(BUILD)

clean:
	rm -rf build out
