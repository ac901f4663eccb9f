# make run: set up, build and serve the embedded default model.   make test: set up and run every test.
# make check: what reviewers would ask for: format, clang-tidy, the tests under sanitizers.
# Everything is done once; a second start is quick.

BUILD := build
JOBS  := $(shell nproc)
ARGS  ?=
# make tidy SINCE=origin/main: only the files that changed since then.
SINCE ?=
# make asan CONTRACT="lifecycle raw_requests": only these contract tests.
CONTRACT ?=
# make fuzz TARGET=png SECONDS=600
TARGET  ?= all
SECONDS ?= 60

sources = git ls-files '*.cpp' '*.hpp'
# What threads share lives in these folders; OpenVINO's own threads are beyond the sanitizer.
TSAN_TESTS := unit_base unit_http unit_engine unit_api unit_metrics unit_storage property_engine

.PHONY: run test build setup clients clean bench setup-checks format format-check tidy asan tsan check fuzz

run: build
	exec $(BUILD)/limner serve $(ARGS)

build: setup
	@cmake --preset release > $(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@cmake --build --preset release --parallel $(JOBS) --target limner

test: setup clients
	@cmake --preset release > $(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	cmake --build --preset release --parallel $(JOBS)
	ctest --test-dir $(BUILD) --output-on-failure --no-tests=error

setup:
	@tools/setup.sh

# Only the contract tests need them.
clients: setup
	@tools/setup_clients.sh

# clang 19, whose formatter, linter and sanitizers the checks are written for. Builds do without.
setup-checks: setup
	@tools/setup.sh --checks

format: setup-checks
	$(sources) | xargs clang-format-19 -i

format-check: setup-checks
	$(sources) | xargs clang-format-19 --dry-run --Werror

tidy: setup-checks
	@cmake --preset asan > build-asan.log 2>&1 || { cat build-asan.log; exit 1; }
	@cmake --build build-asan --target limner_headers
	git diff --name-only --diff-filter=d $(or $(SINCE),$$(git hash-object -t tree /dev/null)) -- 'src/*.cpp' \
	  | xargs -r -P $(JOBS) -n 1 clang-tidy-19 -p build-asan --quiet

asan: setup-checks clients
	@cmake --preset asan > build-asan.log 2>&1 || { cat build-asan.log; exit 1; }
	cmake --build build-asan --parallel $(JOBS)
	LIMNER_BINARY=build-asan/limner LIMNER_SANITIZE=address PYTHONDONTWRITEBYTECODE=1 .deps/venv/bin/python -m pytest \
	  -q -p no:cacheprovider $(or $(CONTRACT:%=tests/contract/test_%.py),tests/contract)
	ctest --test-dir build-asan --label-exclude 'contract|tidy' --parallel $(JOBS) --output-on-failure --no-tests=error

tsan: setup-checks
	@cmake --preset tsan > build-tsan.log 2>&1 || { cat build-tsan.log; exit 1; }
	cmake --build build-tsan --parallel $(JOBS) --target $(TSAN_TESTS:%=test_%)
	ctest --test-dir build-tsan --label-regex "unit|property" --exclude-regex NOT_BUILT --parallel $(JOBS) --output-on-failure --no-tests=error

check: format-check tidy asan tsan

fuzz: setup-checks
	tools/fuzz.sh $(TARGET) $(SECONDS)

bench: build
	bench/run.sh

clean:
	rm -rf build build-dev build-asan build-tsan
