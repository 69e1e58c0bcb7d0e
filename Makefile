# Shortcuts; the build itself is CMake's (CMakePresets.json). `make demo` and `make test` install what is missing.
#
#   make demo       build, and plan an example
#   make test       build, and run all tests; the last line is the count
#   make            build the release: build/release/bin/moccasin
#   make install    install it (PREFIX=/usr/local, DESTDIR=)
#   make format     format the C sources            make lint       clang-tidy over them
#   make fuzz       run every fuzz target for FUZZ_SECONDS=900
#   make valgrind   the C tests under Valgrind      make tsan       under ThreadSanitizer
#   make coverage   what the C tests cover          make clean      remove build/

PREFIX ?= /usr/local
FUZZ_SECONDS ?= 900
SOURCES = $(shell find include src cli report tests bench python -name '*.[ch]' 2> /dev/null)
# Formatting differs between versions: the one the sources were formatted with comes first.
CLANG_FORMAT = $(firstword $(shell command -v clang-format-19 clang-format clang-format-14))
CLANG_TIDY = $(firstword $(shell command -v clang-tidy-19 clang-tidy clang-tidy-14))

all: release

# Without the tests, for which more is needed; a build folder that is there keeps what it has.
release:
	@tools/setup build
	@[ -e build/release/build.ninja ] || cmake --preset release -DBUILD_TESTING=OFF -DMOCCASIN_WARNINGS_AS_ERRORS=OFF > /dev/null
	@cmake --build --preset release

demo: release
	@tools/demo

test:
	@tools/setup build test python fuzz
	@tools/python tools/test

install:
	@[ -e build/release/build.ninja ] || { echo "Run make first." >&2; exit 1; }
	DESTDIR="$(DESTDIR)" cmake --install build/release --prefix "$(PREFIX)"

format:
	@tools/setup lint
	$(CLANG_FORMAT) -i $(SOURCES)

lint:
	@tools/setup build test lint
	@cmake --preset debug -DBUILD_TESTING=ON > /dev/null
	@tools/lint $(CLANG_TIDY) build/debug

fuzz:
	@tools/setup build test fuzz
	@tools/python tools/test --only fuzz --fuzz-seconds $(FUZZ_SECONDS)

valgrind:
	@tools/setup build test valgrind
	@cmake --preset debug -DBUILD_TESTING=ON > /dev/null
	@cmake --build --preset debug
	@for test in build/debug/tests/test_*; do echo "$$test"; MOCCASIN_TEST_SCALE=0.01 \
	  valgrind --quiet --leak-check=full --error-exitcode=9 "$$test" > build/debug/valgrind.log 2>&1 \
	  || { cat build/debug/valgrind.log; exit 1; }; done

tsan:
	@tools/setup build test
	@cmake --preset tsan -DBUILD_TESTING=ON > /dev/null
	@cmake --build --preset tsan
	MOCCASIN_TEST_SCALE=0.1 ctest --preset tsan

coverage:
	@tools/setup build test coverage
	@cmake --preset coverage -DBUILD_TESTING=ON > /dev/null
	@cmake --build --preset coverage
	MOCCASIN_TEST_SCALE=0.2 ctest --test-dir build/coverage --output-on-failure
	gcovr --root . --filter 'src/' --filter 'report/' build/coverage

clean:
	rm -rf build

.PHONY: all release demo test install format lint fuzz valgrind tsan coverage clean
