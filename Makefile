# Everything a person or CI does with this checkout. `make run` and `make test` need nothing but
# Debian 12 with git, make, python3 and the Swift 6.3 toolchain; the rest is installed here.

BUILD_PACKAGES = libnghttp2-dev libprotobuf-c-dev zlib1g-dev libsqlite3-dev pkg-config
TEST_PACKAGES = curl python3-venv protobuf-c-compiler nghttp2-client graphviz openssl systemd strace procps

ACCEPTANCE = Tests/Acceptance
PYTHON = .venv/bin/python
REPORT = .build/pytest_report.json
SPANGATE = .build/release/spangate

# The modules on a span's way: what `make sanitize` runs.
STAGES = Model|HTTP2|OTLP|Receive|Journal|Assemble|Analyse|Windows|Gateway

.NOTPARALLEL:
.PHONY: run demo build test unit acceptance lint coverage sanitize bench gate-table accuracy crash sbom results clean packages test-packages

## Builds a release and starts the gateway: ARGS are handed on to `spangate serve`.
run: build
	@exec $(SPANGATE) serve $(ARGS)

## A gateway, a simulated shop with a good and a bad rollout, the graph and both verdicts.
demo: build
	@scripts/demo $(dir $(SPANGATE))

build: packages
	swift build -c release --product spangate
	swift build -c release --product spangate-bench
	swift build -c release --product spangate-gate-table
	swift build -c release --product spangate-accuracy
	swift build -c release --product spangate-demo

## All tests: Swift with coverage, then pytest against the release binary.
test: unit coverage build acceptance

unit: packages test-packages
	proto/generate.sh check
	swift test --enable-code-coverage

acceptance: test-packages .venv/installed .venv/bin/prometheus
	@mkdir -p $(dir $(REPORT))
	@scripts/run-acceptance $(PYTHON) $(REPORT)

## Lines covered by the last `make unit`, a line a module; fails under 90 %, and under 95 % in modules that decide what the graph says.
coverage:
	@scripts/coverage

lint:
	swift format lint --strict -r Sources Tests loadtest Package.swift

## The stages' tests under the thread and the address sanitizer; each in a build of its own. Leaks are
## not looked for: the toolchain's Foundation has some when it reads a file.
sanitize: packages
	TSAN_OPTIONS=suppressions=$(CURDIR)/scripts/thread-sanitizer.supp \
	  swift test --no-parallel --sanitize=thread --scratch-path .build-tsan --filter '^($(STAGES))Tests\.'
	ASAN_OPTIONS=detect_leaks=0 \
	  swift test --no-parallel --sanitize=address --scratch-path .build-asan --filter '^($(STAGES))Tests\.'

## Times each stage on its own; ARGS=--tiny for a short run.
bench: build
	@.build/release/spangate-bench $(ARGS)

## What the gate says about simulated rollouts; fails when that is below the floors in the repository.
## ARGS='--runs 1000 --seed 2' for other runs than the tests make.
gate-table: build
	@.build/release/spangate-gate-table $(ARGS)

## What the gate, root causes and attribution say where the truth is known, in one table; fails when
## that is below the floors in the repository. ARGS='--each 10 --seed 2' for other cases, ARGS=--quick.
accuracy: build
	@.build/release/spangate-accuracy $(ARGS)

## Kills a gateway at random moments, ROUNDS times, and looks whether anything acknowledged was lost or
## counted twice. SPANGATE_SEED=… for the same choices again.
ROUNDS = 500
crash: build test-packages .venv/installed
	SPANGATE_CRASH_ROUNDS=$(ROUNDS) $(PYTHON) -m pytest $(ACCEPTANCE)/test_crash_rounds.py -s \
	  -c $(ACCEPTANCE)/pytest.ini --rootdir=.

## What the release is made of, as CycloneDX JSON on standard output: `make -s sbom > spangate.cdx.json`.
sbom:
	@$(MAKE) --no-print-directory build >&2
	@scripts/sbom $(SPANGATE) Package.resolved

## Writes pytest_results.json anew from the last `make acceptance`.
results:
	@scripts/check-results --renew $(REPORT) pytest_results.json

clean:
	rm -rf .build .build-tsan .build-asan .venv .pytest_cache

packages:
	@scripts/install-packages $(BUILD_PACKAGES)

test-packages:
	@scripts/install-packages $(TEST_PACKAGES)

.venv/installed: $(ACCEPTANCE)/requirements.txt | test-packages
	python3 -m venv --clear .venv
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.venv/bin/prometheus: .venv/installed
	@scripts/install-prometheus $(dir $@)
