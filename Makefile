# make run: set up, build and serve the embedded default model.   make test: set up and run every test.
# Everything is done once; a second start is quick.

BUILD := build
JOBS  := $(shell nproc)
ARGS  ?=

.PHONY: run test build setup clients clean bench format tidy

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

format:
	git ls-files '*.cpp' '*.hpp' | xargs clang-format -i

tidy: setup
	@cmake --preset dev > build-dev.log 2>&1 || { cat build-dev.log; exit 1; }
	git ls-files 'src/*.cpp' | xargs -P $(JOBS) -n 4 clang-tidy -p build-dev --quiet

bench: build
	bench/run.sh

clean:
	rm -rf build build-dev build-asan build-tsan build-fuzz
