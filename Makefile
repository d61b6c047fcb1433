# seekd: `make help` lists what can be made. Objects mirror sources under $(BUILD); dependencies are generated.

BUILD     ?= build
PREFIX    ?= /usr/local
DESTDIR   ?=
ifeq ($(origin CC),default)
CC         = gcc
endif
PKGCONFIG ?= pkg-config

VERSION := 0.1.0
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

WARNINGS = -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wwrite-strings
CSTD     = -std=c11 -D_GNU_SOURCE -I. -I$(BUILD)
OPTIMISE = -O2 -g
# -ffp-contract=off: a sum's bits must not depend on what the compiler fuses.
CFLAGS_ALL = $(CSTD) $(OPTIMISE) $(WARNINGS) -ffp-contract=off -fno-math-errno -fvisibility=hidden -fno-strict-aliasing \
             -pthread $(CFLAGS)
ifdef DEVELOPER
CFLAGS_ALL += -Werror
endif
ifdef SANITIZER
CFLAGS_ALL += -fsanitize=$(SANITIZER) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS    += -fsanitize=$(SANITIZER)
endif

LIBS_text   = libpcre2-8 libutf8proc jansson
LIBS_config = inih jansson
LIBS_engine = jansson libsodium
LIBS_server = libmicrohttpd libuv jansson libsodium gnutls libedit

ALL_LIBS = $(sort $(LIBS_text) $(LIBS_config) $(LIBS_engine) $(LIBS_server))

FOLDERS = base config text kernels engine server
SRC_base    = $(wildcard base/*.c)
SRC_config  = $(wildcard config/*.c)
SRC_text    = $(wildcard text/*.c)
SRC_kernels = $(wildcard kernels/*.c kernels/cpu/*.c)
SRC_engine  = $(wildcard engine/*.c engine/*/*.c)
SRC_server  = $(filter-out server/main.c,$(wildcard server/*.c))
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

lib = $(BUILD)/lib$(1).a

.PHONY: all
all: $(BUILD)/seekd

# Without its libraries nothing builds: say which packages are missing rather than let the compiler fail.
ifneq ($(filter-out help clean deps deps-test run test test-long image uninstall fuzz,$(or $(MAKECMDGOALS),all)),)
MISSING := $(shell config/install_deps.sh --check build 2>&1)
ifneq ($(MISSING),)
$(error $(MISSING))
endif
endif

# ---- Compiling ---------------------------------------------------------------------------------------------

# A file's instruction set is in its name: foo_avx2.c may use AVX2, and only runs where the CPU has it.
ISA_avx2        = -mavx2 -mfma -mf16c -mbmi2
ISA_avx512      = $(ISA_avx2) -mavx512f -mavx512bw -mavx512vl -mavx512dq
ISA_avx512_vnni = $(ISA_avx512) -mavx512vnni -mavx512bf16
isa_flags = $(if $(filter %_avx512_vnni,$(basename $(1))),$(ISA_avx512_vnni),$(if $(filter %_avx512,$(basename $(1))),$(ISA_avx512),$(if $(filter %_avx2,$(basename $(1))),$(ISA_avx2))))

# Instrumented, one of these files takes minutes and gigabytes to compile; the sweeps hold them against the instrumented reference.
CFLAGS_PLAIN = $(filter-out -fsanitize=% -fno-sanitize-recover=%,$(CFLAGS_ALL))

# Tests pass literals where a main function's argv would stand.
$(BUILD)/tests/%.o: WARNINGS += -Wno-write-strings

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(if $(call isa_flags,$<),$(CFLAGS_PLAIN),$(CFLAGS_ALL)) $(call isa_flags,$<) $(EXTRA_$(basename $(notdir $<))) -MMD -MP -c $< -o $@

# Rebuild everything when the compiler or its flags change.
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@echo '$(CC) $(CFLAGS_ALL) $(LDFLAGS)' | cmp -s - $@ || echo '$(CC) $(CFLAGS_ALL) $(LDFLAGS)' > $@
FORCE:

define folder_library
$(BUILD)/lib$(1).a: $(call objects,$(SRC_$(1)))
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call folder_library,$(f))))

EXTRA_version = -DSEEKD_VERSION='"$(VERSION)"' -DSEEKD_COMMIT='"$(COMMIT)"'

# What each folder may link, in link order (architecture: server -> engine, text, config; engine -> kernels, text).
NEEDS_base    = base
NEEDS_config  = config base
NEEDS_kernels = kernels base
NEEDS_text    = text base
NEEDS_engine  = engine kernels text config base
NEEDS_server  = server engine kernels text config base
NEEDS_kernels_sweep = kernels base
NEEDS_sim     = engine kernels text config base
pkg_libs = $(if $(1),$(shell $(PKGCONFIG) --libs $(1)))
link_libs = $(foreach f,$(NEEDS_$(1)),$(BUILD)/lib$(f).a)
link_system = $(call pkg_libs,$(sort $(foreach f,$(NEEDS_$(1)),$(LIBS_$(f))))) -lm -pthread

$(BUILD)/seekd: $(BUILD)/server/main.o $(call link_libs,server)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(call link_system,server)

# ---- Tests -------------------------------------------------------------------------------------------------

# tests/unit/FOLDER/test_*.c and tests/kernels/test_*.c link what their folder may link, so that a test cannot
# reach past the layering either.
define test_programs
TESTS_$(1) = $(patsubst %.c,$(BUILD)/%,$(wildcard $(2)/test_*.c))
$$(TESTS_$(1)): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/support.o $(call link_libs,$(1))
	@mkdir -p $$(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $$@ $$^ -lcmocka $$(call link_system,$(1))
endef
$(foreach f,$(FOLDERS),$(eval $(call test_programs,$(f),tests/unit/$(f))))
$(eval $(call test_programs,kernels_sweep,tests/kernels))
$(eval $(call test_programs,sim,tests/sim))
UNIT_TESTS = $(foreach f,$(FOLDERS),$(TESTS_$(f)))

.PHONY: unit-tests
unit-tests: $(UNIT_TESTS) $(TESTS_kernels_sweep) $(TESTS_sim)

$(BUILD)/tests/model/forward: $(BUILD)/tests/model/forward.o $(call link_libs,engine)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(call link_system,engine)
$(BUILD)/tests/model/tokens: $(BUILD)/tests/model/tokens.o $(call link_libs,text)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(call link_system,text)
$(BUILD)/tests/model/render: $(BUILD)/tests/model/render.o $(call link_libs,text)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(call link_system,text)
unit-tests: $(BUILD)/tests/model/forward $(BUILD)/tests/model/tokens $(BUILD)/tests/model/render

BENCHES = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))
$(BENCHES): $(BUILD)/%: $(BUILD)/%.o $(call link_libs,engine)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(call link_system,engine)

# Fuzz targets: libFuzzer where clang has it; FUZZ_REPLAY=1 links a plain driver that replays the seeds instead.
FUZZERS = $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_DRIVER = $(if $(FUZZ_REPLAY),$(BUILD)/tests/fuzz/replay.o)
$(FUZZERS): $(BUILD)/%: $(BUILD)/%.o $(FUZZ_DRIVER) $(call link_libs,server)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) $(if $(FUZZ_REPLAY),,-fsanitize=fuzzer) -o $@ $^ $(call link_system,server)
.PHONY: fuzzers
fuzzers: $(FUZZERS)

FUZZ_BUILD   ?= $(BUILD)/fuzz
FUZZ_SECONDS ?= 60
.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZ_SECONDS (default 60) each
	$(MAKE) BUILD=$(FUZZ_BUILD) CC=clang SANITIZER=address,undefined CFLAGS='$(CFLAGS) -fsanitize=fuzzer-no-link' fuzzers
	python3 tests/run.py --build $(BUILD) --fuzz-seconds $(FUZZ_SECONDS) fuzz

# ---- For people ---------------------------------------------------------------------------------------------

MODEL ?=
PORT  ?= 8000
.PHONY: run test test-long check bench bench-peers lint docs deps deps-test install uninstall image clean help

run: ## build, fetch the default model, serve it on 127.0.0.1:8000
	@config/install_deps.sh build run
	@$(MAKE) --no-print-directory -j$$(nproc) $(BUILD)/seekd
	@model='$(MODEL)'; [ -n "$$model" ] || model=$$(config/fetch_model.sh $(BUILD)/models) || exit 1; \
	exec $(BUILD)/seekd serve --model "$$model" --port $(PORT) $(if $(MODEL),,--numerics exact)

test: deps-test ## run every test; ends with the line "N passed, N failed"
	@python3 tests/run.py --build $(BUILD) all

test-long: deps-test ## the hostile cases and storms at full size (hours)
	@python3 tests/run.py --build $(BUILD) --long all

.PHONY: test-openapi
test-openapi: deps-test all ## ten minutes of requests made up from the OpenAPI document
	@SEEKD_BUILD=$(abspath $(BUILD)) SEEKD_TEST_LONG=1 $(BUILD)/venv/bin/python -m pytest -q -p no:cacheprovider tests/conformance/test_openapi.py

.PHONY: train-tiny-r1 test-training eval eval-suites
# The allocator keeps its memory: giving it back between steps cost more than the arithmetic.
train-tiny-r1: ## train the built-in model anew: MINUTES of wall time on all cores, resumed where it was left
	@cd models/tiny-r1/train && MALLOC_MMAP_MAX_=0 MALLOC_TOP_PAD_=268435456 MALLOC_TRIM_THRESHOLD_=1000000000 \
	python3 train.py $(abspath $(BUILD))/tiny-r1 $(if $(MINUTES),--minutes $(MINUTES)) && python3 export.py $(abspath $(BUILD))/tiny-r1 $(abspath $(BUILD))/tiny-r1/model

test-training: all unit-tests ## tests of the training code (they need PyTorch)
	@python3 tests/run.py --build $(BUILD) training

# A suite of each kind of question; MODEL or URL says of whom, ARGS adds options of `seekd eval`.
eval: $(BUILD)/seekd ## measure the default model, or MODEL, or the server at URL, on every suite of tests/eval
	@$(BUILD)/seekd eval $(filter-out tests/eval/example.jsonl,$(wildcard tests/eval/*.jsonl)) \
	$(if $(URL),--url $(URL),$(if $(MODEL),--model $(MODEL))) $(ARGS)

eval-suites: ## write tests/eval from the task generators
	@cd models/tiny-r1/train && python3 suites.py $(abspath tests/eval)

check: all unit-tests ## fast tests, under a minute
	@python3 tests/run.py --build $(BUILD) check

bench: all $(BENCHES) ## speed of kernels, tokenizer, engine, each against its limit
	@python3 tests/run.py --build $(BUILD) bench

bench-peers: all ## speed against llama.cpp, side by side in one run
	@python3 tests/bench/peers.py --build $(BUILD)

lint: all ## layering, names, banned calls, generated files
	@python3 tests/lint/lint.py --selftest
	@BUILD=$(BUILD) CC="$(CC)" python3 tests/lint/lint.py
	@python3 tests/lint/image.py --selftest
	@python3 tests/lint/generated.py --build $(BUILD)

docs: all ## write the generated pages: options, routes, limits, metrics, config/seekd.conf
	@python3 tests/lint/generated.py --build $(BUILD) --write

deps: ## install what building and running needs (Debian, Ubuntu)
	@config/install_deps.sh build run

deps-test: ## install what the tests need
	@config/install_deps.sh build run test
	@tests/setup_venv.sh $(BUILD)/venv

install: $(BUILD)/seekd ## install under DESTDIR PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/seekd $(DESTDIR)$(PREFIX)/share/doc/seekd
	install -m 755 $(BUILD)/seekd $(DESTDIR)$(PREFIX)/bin/seekd
	install -m 644 config/seekd.conf config/seekd.service $(DESTDIR)$(PREFIX)/share/seekd/
	install -m 644 README.md LICENSE docs/options.md $(DESTDIR)$(PREFIX)/share/doc/seekd/

uninstall: ## remove what install put there; models stay
	rm -f $(DESTDIR)$(PREFIX)/bin/seekd $(addprefix $(DESTDIR)$(PREFIX)/share/seekd/,seekd.conf seekd.service)
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/seekd
	-@rmdir $(DESTDIR)$(PREFIX)/share/seekd 2>/dev/null || echo 'kept: $(DESTDIR)$(PREFIX)/share/seekd holds models'

image: ## build the container image seekd:VERSION with docker, podman or buildah
	docker/build.sh seekd:$(VERSION)

clean: ## remove the build folder
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
	@echo '  variables: DEVELOPER=1 SANITIZER=address|undefined|thread CC=clang BUILD=dir PREFIX=dir DESTDIR=dir'

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.DELETE_ON_ERROR:
.SECONDARY:
