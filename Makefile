# The short way in; CMake does the work.
#   make            build the library and the program in build/
#   make demo       install what is missing, build, train DCGAN on Fashion-MNIST for two minutes
#   make test       install what is missing, build, run the tests (under 8 minutes on two cores)
#   make test-full  everything: Clang, thread sanitizer, valgrind, fuzzing, oneDNN 3.x, ...
#   make install    to PREFIX (/usr/local), below DESTDIR when it is set
#   make deps       install the Debian packages that the build and the tests need
#   make clean      remove every build directory
PREFIX ?= /usr/local

all: build/build.ninja
	cmake --build build

build/build.ninja:
	cmake --preset release

deps:
	tools/deps.sh

demo: deps
	$(MAKE) all
	tools/demo.sh

test: deps
	tools/test.sh

test-full:
	tools/deps.sh --test-full
	tools/test_full.sh

install:
	cmake --preset release -DCMAKE_INSTALL_PREFIX="$(PREFIX)"
	cmake --build build
	DESTDIR="$(DESTDIR)" cmake --install build

clean:
	rm -rf build build-*

.PHONY: all deps demo test test-full install clean
