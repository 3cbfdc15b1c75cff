# SPDX-License-Identifier: BSD-2-Clause
# All of the build, the checks and the tests. `make help` lists the targets.
#
# The BPF side is compiled against the types in vmlinux/ and relocated when it is loaded (CO-RE):
# nothing here looks at the kernel of the machine that builds.

VERSION := 0.1.0

# ---- What a packager may override ----------------------------------------------------------------

PREFIX    ?= /usr/local
DESTDIR   ?=
SBINDIR   ?= $(PREFIX)/sbin
MANDIR    ?= $(PREFIX)/share/man
DOCDIR    ?= $(PREFIX)/share/doc/tlsfail
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR  ?= $(PREFIX)/share/zsh/vendor-completions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d
SYSCONFDIR ?= /etc
UNITDIR   ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d

# CC, CFLAGS, CPPFLAGS, LDFLAGS have their usual meaning; make's own CC is `cc`.
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG     ?= clang
BPFTOOL   ?= bpftool
PYTHON    ?= /usr/bin/python3
STRIP     ?= strip
ARM64_CC    ?= aarch64-linux-gnu-gcc
ARM64_STRIP ?= aarch64-linux-gnu-strip
CFLAGS    ?= -O2 -g
LDLIBS    ?= -lbpf -lelf -lz -ljansson -lconfig -lssl -lcrypto
# Of the program that does not trace.
ASK_LDLIBS ?= -lz -ljansson -lconfig -lssl -lcrypto
# The unit tests have OpenSSL make the handshakes that they decode.
UNIT_LDLIBS ?= -lcmocka
HARDENING_CFLAGS  ?= -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
HARDENING_LDFLAGS ?= -Wl,-z,relro,-z,now
# The linker warns of what libcrypto can do with names of hosts, which nobody here asks it to do.
STATIC_LDFLAGS    ?= -static-pie -Wl,--no-warnings

# The traced machine's architecture, in libbpf's words: x86 or arm64.
BPF_ARCH  ?= $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(shell uname -m)))
# v2 is what Linux 5.10 takes from every architecture's verifier and JIT.
BPF_CFLAGS ?= -O2 -g -mcpu=v2
# Every program gets a context, and libbpf's BPF_PROG() passes it on, used or not.
BPF_WARNINGS := -Wall -Wextra -Wno-unused-parameter -Werror

# ---- What is built from what ---------------------------------------------------------------------

BPF_SRCS  := $(sort $(wildcard bpf/*.bpf.c))
SRCS      := $(sort $(shell find src -name '*.c'))
# X_none.c stands in for X.c in a static program: X.c loads a library (through Xlib.c) of which there
# is no static one.
STATIC_SRCS := $(filter %_none.c,$(SRCS))
SHARED_SRCS := $(STATIC_SRCS:%_none.c=%.c) $(filter %lib.c,$(SRCS))
# In a program without libbpf one file stands in for all that needs it.
UNTRACED_SRCS := src/command/without_kernel.c
PROGRAM_SRCS        := $(filter-out $(STATIC_SRCS) $(UNTRACED_SRCS),$(SRCS))
STATIC_PROGRAM_SRCS := $(filter-out $(SHARED_SRCS) $(UNTRACED_SRCS),$(SRCS))
TRACING_SRCS        := $(filter-out src/kernel/hooks.c,$(wildcard src/kernel/*.c)) \
                       src/command/trace.c src/command/doctor.c
ASK_SRCS            := $(filter-out $(TRACING_SRCS),$(PROGRAM_SRCS)) $(UNTRACED_SRCS)
# A test and a fuzzer have a main() of their own.
TESTABLE_SRCS       := $(filter-out src/main.c,$(PROGRAM_SRCS))
UNIT_SRCS       := $(sort $(wildcard tests/unit/test_*.c))
UNIT_HELPERS    := $(filter-out $(UNIT_SRCS),$(sort $(wildcard tests/unit/*.c)))
ARM64_OBJS      := $(STATIC_PROGRAM_SRCS:src/%.c=build/arm64/obj/%.o)
ARM64_SYSROOT   := build/arm64-sysroot
UNIT_PROGRAMS   := $(UNIT_SRCS:tests/unit/%.c=build/asan/unit/%)
COVERAGE_PROGRAMS := $(UNIT_SRCS:tests/unit/%.c=build/coverage/unit/%)
FUZZERS         := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))

C_FILES   := $(sort $(shell find bpf include src vmlinux tests -name '*.[ch]'))
HASH      := \#
comma     := ,
scripts    = $(shell grep -rIlE '^$(HASH)!.*[/ ]$(1)$$' .ci tools tests)
SH_FILES   = $(sort $(call scripts,(ba)?sh))
PY_FILES   = $(sort $(call scripts,python3) $(wildcard $(addsuffix /*.py,tools/* tests/*)))

# ---- Flags ---------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wwrite-strings -Wundef -Wvla
INCLUDES := -iquote include -iquote src -iquote build
USER_CPPFLAGS := -std=gnu11 $(INCLUDES) -DTLSFAIL_VERSION='"$(VERSION)"'
# The skeleton for arm64 stands before the one in build/.
ARM64_CPPFLAGS := -iquote build/arm64 $(USER_CPPFLAGS) \
	-isystem $(ARM64_SYSROOT)/usr/include -isystem $(ARM64_SYSROOT)/usr/include/aarch64-linux-gnu
build/arm64/obj/%.o: USER_CPPFLAGS := $(ARM64_CPPFLAGS)
build/static-arm64/verifier: USER_CPPFLAGS := $(ARM64_CPPFLAGS)
SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
COVERAGE := -O0 -g --coverage
# In percent of the lines of src/.
COVERAGE_LEAST := 85
# How fuzzers are built. The sources are instrumented for the engine, whose main() is linked into them;
# OSS-Fuzz has a compiler, flags and an engine of its own.
FUZZ_DIR    ?= build/fuzz
FUZZ_CC     ?= $(CLANG)
FUZZ_CFLAGS ?= $(SANITIZE) -fsanitize=fuzzer-no-link -Werror
FUZZ_ENGINE ?= -fsanitize=fuzzer
DEPFLAGS  = -MMD -MP
# So that the same sources make the same program in any directory.
PREFIX_MAP = -ffile-prefix-map=$(CURDIR)=.

# Debian keeps bpftool in /usr/sbin, which is not in a user's PATH.
export PATH := $(PATH):/usr/sbin:/sbin
export PYTHONDONTWRITEBYTECODE := 1
export UBSAN_OPTIONS := print_stacktrace=1

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')

.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

# Targets that are run as root on a bare machine install what they need before anything is compiled.
ROOT_GOALS := $(filter test accuracy bench demo vmtest soak fault,$(MAKECMDGOALS))
DEPS := $(if $(ROOT_GOALS),install-deps)
groups_test     := test vm
groups_accuracy := test
groups_demo     := demo
groups_bench    := demo bench
groups_soak     := test
groups_fault    := test
groups_vmtest   := vm
groups_vmcost   := vm

# ---- The program ---------------------------------------------------------------------------------

# A compiler that is missing is not for make to explain.
need = command -v $(1) >/dev/null || { echo "$(1) is missing: sudo tools/install-deps --group build" >&2; exit 1; }

.PHONY: all
all: build/tlsfail ## build build/tlsfail (the default)

# bpf_rules DIRECTORY ARCHITECTURE SKELETON: one BPF object and its skeleton.
define bpf_rules
$(1)/%.o: bpf/%.bpf.c Makefile | $$(DEPS)
	@mkdir -p $$(@D)
	$$(call say,BPF,$$@)
	$$(Q)$$(call need,$$(CLANG)); $$(call need,$$(BPFTOOL))
	$$(Q)$$(CLANG) -target bpf $$(BPF_CFLAGS) -D__TARGET_ARCH_$(2) -Ivmlinux -Iinclude -Ibpf \
		$$(BPF_WARNINGS) $$(PREFIX_MAP) $$(DEPFLAGS) -c $$< -o $$@

$(1)/tlsfail.bpf.o: $$(BPF_SRCS:bpf/%.bpf.c=$(1)/%.o)
	$$(call say,BPFLINK,$$@)
	$$(Q)$$(BPFTOOL) gen object $$@ $$^

$(3): $(1)/tlsfail.bpf.o
	$$(call say,SKEL,$$@)
	$$(Q){ echo '/* NOLINTBEGIN: generated */'; \
		$$(BPFTOOL) gen skeleton $$< name tlsfail_bpf && echo '/* NOLINTEND */'; } > $$@

-include $$(BPF_SRCS:bpf/%.bpf.c=$(1)/%.d)
endef

$(eval $(call bpf_rules,build/bpf,$(BPF_ARCH),build/tlsfail.skel.h))
$(eval $(call bpf_rules,build/arm64,arm64,build/arm64/tlsfail.skel.h))

# object_rules DIRECTORY COMPILER FLAGS: the objects of user space, one way of compiling each.
define object_rules
$(1)/%.o: src/%.c Makefile | build/tlsfail.skel.h
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(2) $$(USER_CPPFLAGS) $$(CPPFLAGS) $$(WARNINGS) $(3) $$(DEPFLAGS) -c $$< -o $$@

$(1)/unit/%.o: tests/unit/%.c Makefile | build/tlsfail.skel.h
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(2) $$(USER_CPPFLAGS) $$(CPPFLAGS) $$(WARNINGS) $(3) $$(DEPFLAGS) -c $$< -o $$@

-include $$(SRCS:src/%.c=$(1)/%.d)
-include $$(patsubst tests/unit/%.c,$(1)/unit/%.d,$$(UNIT_SRCS) $$(UNIT_HELPERS))
endef

objects = $(patsubst src/%.c,$(1)/%.o,$(SRCS)) \
          $(patsubst tests/unit/%.c,$(1)/unit/%.o,$(UNIT_SRCS) $(UNIT_HELPERS))

$(eval $(call object_rules,build/obj,$$(CC),$$(CFLAGS) $$(HARDENING_CFLAGS) $$(PREFIX_MAP)))
$(eval $(call object_rules,build/arm64/obj,$$(ARM64_CC),$$(CFLAGS) $$(HARDENING_CFLAGS) $$(PREFIX_MAP)))
$(eval $(call object_rules,build/asan,$$(CC),$$(SANITIZE)))
$(eval $(call object_rules,build/coverage,$$(CC),$$(COVERAGE)))
$(eval $(call object_rules,build/gcc,gcc,-O2 -Werror))
$(eval $(call object_rules,$(FUZZ_DIR),$$(FUZZ_CC),$$(FUZZ_CFLAGS)))

build/tlsfail: $(PROGRAM_SRCS:src/%.c=build/obj/%.o)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(HARDENING_CFLAGS) -pie $(HARDENING_LDFLAGS) $(LDFLAGS) $^ \
		$(LDLIBS) -o $@

# The verbs that ask and do not trace need no libbpf, and to build them takes neither clang nor bpftool. Of
# the archive is linked what they use.
.PHONY: ask
ask: build/ask/tlsfail ## build build/ask/tlsfail, which explains, lints, probes, replays: without libbpf

build/ask/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(USER_CPPFLAGS) $(CPPFLAGS) $(WARNINGS) $(CFLAGS) $(HARDENING_CFLAGS) $(PREFIX_MAP) \
		$(DEPFLAGS) -c $< -o $@

-include $(ASK_SRCS:src/%.c=build/ask/obj/%.d)

build/ask/ask.a: $(filter-out build/ask/obj/main.o,$(ASK_SRCS:src/%.c=build/ask/obj/%.o))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

build/ask/tlsfail: build/ask/obj/main.o build/ask/ask.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(HARDENING_CFLAGS) -pie $(HARDENING_LDFLAGS) $(LDFLAGS) $^ $(ASK_LDLIBS) -o $@

# static_rules PROGRAM OBJECTS COMPILER STRIP FLAGS: one file that needs nothing from the machine it
# is copied to.
define static_rules
$(1): $(2)
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$(3) $$(CFLAGS) $$(HARDENING_CFLAGS) $$(STATIC_LDFLAGS) $$(HARDENING_LDFLAGS) $(5) \
		$$(LDFLAGS) $$^ $$(LDLIBS) -o $$@
	$$(Q)$(4) $$@
endef

$(eval $(call static_rules,build/static/tlsfail,$(STATIC_PROGRAM_SRCS:src/%.c=build/obj/%.o),$$(CC),$$(STRIP)))
$(eval $(call static_rules,build/static-arm64/tlsfail,$(ARM64_OBJS),$$(ARM64_CC),$$(ARM64_STRIP),\
	-L$(ARM64_SYSROOT)/usr/lib/aarch64-linux-gnu))

# verifier_rules PROGRAM SKELETON COMPILER STRIP FLAGS: what the kernel's verifier says of the BPF programs, as one
# file, which guests can run, too.
define verifier_rules
$(1): tests/verifier/verifier.c $(2)
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$(3) $$(USER_CPPFLAGS) $$(CPPFLAGS) $$(WARNINGS) $$(CFLAGS) -static $(5) $$< -lbpf -lelf -lz -o $$@
	$$(Q)$(4) $$@
endef

$(eval $(call verifier_rules,build/verifier,build/tlsfail.skel.h,$$(CC),$$(STRIP)))
$(eval $(call verifier_rules,build/static-arm64/verifier,build/arm64/tlsfail.skel.h,$$(ARM64_CC),$$(ARM64_STRIP),\
	-L$(ARM64_SYSROOT)/usr/lib/aarch64-linux-gnu))

VERIFIERS := build/verifier build/static-arm64/verifier

.PHONY: static static-arm64
static: build/static/tlsfail ## build build/static/tlsfail, without shared libraries
static-arm64: build/static-arm64/tlsfail ## the same for arm64, compiled on any Debian machine

$(ARM64_SYSROOT): tools/arm64-sysroot | $(DEPS)
	$(call say,SYSROOT,$@)
	$(Q)tools/arm64-sysroot $@ && touch $@

$(ARM64_OBJS) build/static-arm64/verifier: | build/arm64/tlsfail.skel.h $(ARM64_SYSROOT)

# test_rules DIRECTORY FLAGS: the program, and the unit tests. An archive, so that a test program holds
# just the modules that it tests.
define test_rules
$(1)/tlsfail: $$(PROGRAM_SRCS:src/%.c=$(1)/%.o)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $(2) $$^ $$(LDLIBS) -o $$@

$(1)/testable.a: $$(TESTABLE_SRCS:src/%.c=$(1)/%.o)
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^

$(1)/unit/helpers.a: $$(UNIT_HELPERS:tests/unit/%.c=$(1)/unit/%.o)
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^

$$(UNIT_SRCS:tests/unit/%.c=$(1)/unit/%): $(1)/unit/%: $(1)/unit/%.o $(1)/unit/helpers.a $(1)/testable.a
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $(2) $$^ $$(UNIT_LDLIBS) $$(LDLIBS) -o $$@
endef

$(eval $(call test_rules,build/asan,$$(SANITIZE)))
$(eval $(call test_rules,build/coverage,$$(COVERAGE)))

.SECONDARY: $(UNIT_PROGRAMS:%=%.o) $(COVERAGE_PROGRAMS:%=%.o)

$(FUZZ_DIR)/testable.a: $(TESTABLE_SRCS:src/%.c=$(FUZZ_DIR)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

FUZZ_PROGRAMS := $(FUZZERS:%=$(FUZZ_DIR)/fuzz_%)

$(FUZZ_PROGRAMS): $(FUZZ_DIR)/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_DIR)/testable.a Makefile
	$(call say,LINK,$@)
	$(Q)$(FUZZ_CC) $(USER_CPPFLAGS) -iquote tests/unit $(CPPFLAGS) $(WARNINGS) $(FUZZ_CFLAGS) \
		$(DEPFLAGS) -c $< -o $@.o
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_ENGINE) $@.o $(FUZZ_DIR)/testable.a $(LDLIBS) -o $@

-include $(FUZZ_PROGRAMS:%=%.d)

.PHONY: bpf-arm64
bpf-arm64: build/arm64/tlsfail.skel.h ## compile the BPF side for arm64 too

# ---- Checks (no root) ----------------------------------------------------------------------------

STATIC_CHECKS := check-format check-gcc check-clang check-tidy check-cppcheck check-shell check-python \
                 check-man check-layers check-faces check-stores bpf-arm64 check-docs check-ask check-fault \
                 check-fuzz

.PHONY: check
check: check-static check-unit check-golden check-cli ## all checks that need no root: format, warnings, analysers, layers, unit, golden

.PHONY: check-static
check-static: $(STATIC_CHECKS) ## those of them that are not among what `make test` runs

.PHONY: check-format
check-format: ## formatting of the C files
	$(call say,FORMAT,$(words $(C_FILES)) files)
	$(Q)clang-format --dry-run -Werror --ferror-limit=1 $(C_FILES)

.PHONY: format
format: ## reformat the C files
	clang-format -i $(C_FILES)

.PHONY: check-gcc check-clang
check-gcc: $(call objects,build/gcc) ## gcc's warnings, as errors

# Unlike gcc, clang warns before it optimises.
check-clang: build/tlsfail.skel.h ## clang's warnings, as errors
	$(call say,CLANG,$(words $(SRCS) $(UNIT_SRCS) $(UNIT_HELPERS)) files)
	$(Q)$(CLANG) -fsyntax-only $(USER_CPPFLAGS) $(CPPFLAGS) $(WARNINGS) -Werror \
		$(SRCS) $(UNIT_SRCS) $(UNIT_HELPERS)

# -fno-caret-diagnostics keeps clang from counting the warnings that clang-tidy did not show.
.PHONY: check-tidy
check-tidy: build/tlsfail.skel.h ## clang-tidy
	$(call say,TIDY,$(words $(SRCS)) files)
	$(Q)printf '%s\n' $(SRCS) | xargs -P "$$(nproc)" -I{} clang-tidy --quiet {} -- \
		$(USER_CPPFLAGS) $(CPPFLAGS) $(WARNINGS) -fno-caret-diagnostics

# cppcheck does not read the system's headers, so it is told what it cannot do without.
CPPCHECK_DEFINES := -D__x86_64__ -D__linux__ \
	'-DLIBBPF_OPTS(TYPE,NAME,...)=struct TYPE NAME = {.sz = sizeof(struct TYPE), __VA_ARGS__}'

.PHONY: check-cppcheck
check-cppcheck: ## cppcheck
	$(call say,CPPCHECK,$(words $(SRCS)) files)
	@mkdir -p build/cppcheck
	$(Q)cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--error-exitcode=1 --cppcheck-build-dir=build/cppcheck $(CPPCHECK_DEFINES) -Iinclude -Isrc $(SRCS)

.PHONY: check-shell
check-shell: ## shellcheck
	$(call say,SHELL,$(SH_FILES))
	$(Q)shellcheck $(SH_FILES)

.PHONY: check-python
check-python: ## do the Python files compile; what judges judges itself
	$(call say,PYTHON,$(words $(PY_FILES)) files)
	$(Q)PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=build/pycache $(PYTHON) -W error \
		-m py_compile $(PY_FILES)
	$(Q)$(PYTHON) tests/e2e/accuracy.py --self-test
	$(Q)tools/tap-summary --self-test

.PHONY: check-man
check-man: ## mandoc's lint of the manual pages
	$(call say,MAN,$(wildcard man/*.8))
	$(Q)mandoc -T lint -W warning man/*.8

.PHONY: check-layers
check-layers: ## who may know what: the rules that keep the layers apart
	$(call say,LAYERS,bpf include src)
	$(Q)tools/check-layers --self-test
	$(Q)tools/check-layers

# Those of the diagnosis, and of what it hands over. Any other may be about a program.
FACELESS := $(filter $(foreach part,diagnose% own_alert correlate fold peers notes invariants certwatch,\
              build/asan/unit/test_$(part)),$(UNIT_PROGRAMS))

.PHONY: check-faces
check-faces: $(FACELESS) ## the diagnosis does without nginx: nothing of program/nginx/ is in its tests
	$(call say,FACES,$(words $(FACELESS)) tests)
	$(Q)! nm -A $(FACELESS) | grep -i ' [tdr] nginx'

.PHONY: check-stores
check-stores: ## do the index template and the table know every key of the events
	$(call say,STORES,docs/event.schema.json)
	$(Q)tools/event-stores --check

# ---- Tests ---------------------------------------------------------------------------------------

# So many unit tests at the same time. The cli and the e2e suite see to that by themselves.
JOBS         ?= $(shell nproc)
UNIT_SUITES   = --jobs $(JOBS) $(foreach p,$(UNIT_PROGRAMS),'unit/$(notdir $(p))=CMOCKA_MESSAGE_OUTPUT=TAP $(p)')
GOLDEN_SUITE := 'golden=tests/golden/run --tlsfail build/asan/tlsfail'
DOCS_SUITE   := 'docs=tests/docs/run --tlsfail build/asan/tlsfail'
CLI_SUITE    := 'cli=tests/cli/run --tlsfail build/asan/tlsfail'
STATIC_PROGRAMS := build/static/tlsfail build/static-arm64/tlsfail
STATIC_SUITES := $(foreach p,$(STATIC_PROGRAMS),'$(p:build/%/tlsfail=%)=tests/vm/check-static $(p)')
# One suite for each virtual machine.
VM            = $(shell tests/vm/run --list)
vm_suites     = $(foreach guest,$(1),'vm/$(guest)=tests/vm/run --guests $(guest)')
# Kernels before and after 6.3, which brought the tracepoints that are the first choice. One suite, so
# that the second one's file system is made while the first one runs.
TEST_VM       := bookworm,trixie
TEST_VM_SUITE := 'vm=tests/vm/run --quick --guests $(TEST_VM)'
# A sample of the calls; the same one each time.
FAULT        ?= 30
FAULT_SUITE   = 'fault=tests/fault/run --tlsfail build/tlsfail --only trace --trace $(FAULT)'
E2E_SUITE    := 'e2e=$(PYTHON) tests/e2e/run.py --tlsfail build/tlsfail'

.PHONY: check-unit
check-unit: $(UNIT_PROGRAMS) ## unit tests, under ASan and UBSan
	$(Q)tools/tap-summary $(UNIT_SUITES)

.PHONY: check-golden
check-golden: build/asan/tlsfail check-stores ## replay every recording and compare, under ASan and UBSan
	$(Q)tools/tap-summary $(GOLDEN_SUITE)

.PHONY: check-cli
check-cli: build/asan/tlsfail ## the command line as it is typed, under ASan and UBSan
	$(Q)tools/tap-summary $(CLI_SUITE)

.PHONY: check-docs
check-docs: build/asan/tlsfail ## the commands in README.md, docs/ and the manual pages
	$(Q)tools/tap-summary $(DOCS_SUITE)

.PHONY: docs-expected
docs-expected: build/tlsfail ## what these commands print is right: take it over into the pages
	$(Q)tools/report-words
	$(Q)tests/docs/run --tlsfail build/tlsfail --update

.PHONY: coverage
coverage: $(COVERAGE_PROGRAMS) build/coverage/tlsfail ## line coverage of src/ by unit, golden and cli tests, by folder; fails below COVERAGE_LEAST %
	$(Q)find build/coverage -name '*.gcda' -delete
	$(Q)tools/tap-summary $(foreach p,$(COVERAGE_PROGRAMS),'unit/$(notdir $(p))=CMOCKA_MESSAGE_OUTPUT=TAP $(p)') \
		'golden=tests/golden/run --tlsfail build/coverage/tlsfail' \
		'cli=tests/cli/run --tlsfail build/coverage/tlsfail' >build/coverage/log || \
		{ cat build/coverage/log; exit 1; }
	$(Q)tools/coverage --least $(COVERAGE_LEAST) build/coverage

.PHONY: check-ask
check-ask: ## the verbs that do not trace, built where there is no libbpf, no clang and no bpftool
	$(Q)tools/tap-summary 'ask=tests/ask/run'

.PHONY: check-fault
check-fault: build/tlsfail ## each call of a library that replay, explain, lint and probe make, made to fail once
	$(Q)tools/tap-summary 'fault=tests/fault/run --tlsfail build/tlsfail'

.PHONY: fault
fault: need-root build/tlsfail ## calls that a trace makes, made to fail once each, for FAULT=30 seconds; 300 is all (root)
	$(Q)tools/tap-summary $(FAULT_SUITE); status=$$?; $(HAND_BACK); exit $$status

# fuzz_run NAME OPTIONS: what is found goes to build/fuzz/found/NAME, inputs that fail beside it. The
# fuzzers of recordings begin with the golden ones.
T ?= 60
fuzz_seeds = $(or $(wildcard tests/fuzz/corpus/$(1)/.),build/fuzz/golden) build/fuzz/seeds/$(1)
fuzz_dict  = $(addprefix -dict=,$(wildcard tests/fuzz/dictionaries/$(1).dict))
fuzz_run   = mkdir -p build/fuzz/found/$(1) && build/fuzz/fuzz_$(1) -artifact_prefix=build/fuzz/$(1)- \
             -timeout=10 $(call fuzz_dict,$(1)) $(2) build/fuzz/found/$(1) $(call fuzz_seeds,$(1))

.PHONY: fuzz-seeds
fuzz-seeds:
	$(Q)mkdir -p build/fuzz/golden && cp tests/golden/*.rec build/fuzz/golden
	$(Q)tools/fuzz-corpus --unpack $(FUZZERS)

.PHONY: fuzzers
fuzzers: $(FUZZ_PROGRAMS)

.PHONY: fuzz
fuzz: $(FUZZ_PROGRAMS) fuzz-seeds ## look for crashes, T=60 seconds for each fuzzer
	$(Q)$(foreach f,$(FUZZERS),$(call fuzz_run,$(f),-close_fd_mask=3 -max_total_time=$(T)) &&) true

FUZZ_CHECKS := $(FUZZERS:%=check-fuzz-%)

.PHONY: check-fuzz $(FUZZ_CHECKS)
check-fuzz: $(FUZZ_CHECKS) ## the fuzzers for a moment, from a fixed seed

$(FUZZ_CHECKS): check-fuzz-%: build/fuzz/fuzz_% fuzz-seeds
	$(call say,FUZZ,$*)
	$(Q)rm -rf build/fuzz/found/$*
	$(Q)$(call fuzz_run,$*,-seed=1 -close_fd_mask=3 -runs=20000 -max_total_time=10) >build/fuzz/$*.log 2>&1 || \
		{ cat build/fuzz/$*.log; exit 1; }

# What the fuzzers found so far, without what adds nothing, becomes their seeds.
.PHONY: fuzz-corpus
fuzz-corpus: $(FUZZ_PROGRAMS) fuzz-seeds ## keep the smallest seeds that reach what was found: after make fuzz
	$(Q)tools/fuzz-corpus $(FUZZERS)

# With PAGE=docs/testing.md the result goes there, too.
.PHONY: fuzz-coverage
fuzz-coverage: fuzz-seeds ## which part of the lines that it touches each fuzzer reaches with its seeds
	$(Q)$(MAKE) fuzzers FUZZ_DIR=build/fuzz-coverage \
		FUZZ_CFLAGS='-O1 -g -fprofile-instr-generate -fcoverage-mapping -fsanitize=fuzzer-no-link'
	$(Q)tools/fuzz-coverage $(PAGE:%=--page %) build/fuzz-coverage

.PHONY: check-oss-fuzz
check-oss-fuzz: ## build the fuzzers as OSS-Fuzz does, and run each of them once
	$(Q)rm -rf build/oss-fuzz-out
	$(Q)CC=$(CLANG) CFLAGS='-O1 -g -fsanitize=address -fsanitize=fuzzer-no-link' OUT=$(CURDIR)/build/oss-fuzz-out \
		LIB_FUZZING_ENGINE=-fsanitize=fuzzer tests/fuzz/oss-fuzz/build.sh
	$(Q)for fuzzer in build/oss-fuzz-out/fuzz_*[a-z0-9]; do \
		[ ! -x $$fuzzer ] || $$fuzzer -runs=1 >$$fuzzer.log 2>&1 || { cat $$fuzzer.log; exit 1; }; done

# What sudo built inside somebody's checkout is handed back to them at the end.
HAND_BACK = if [ -n "$$SUDO_UID" ]; then chown -R "$$SUDO_UID:$$SUDO_GID" build; fi

.PHONY: test
test: need-root $(UNIT_PROGRAMS) build/asan/tlsfail build/tlsfail build/static/tlsfail build/verifier ## unit, golden, end to end: here and in two virtual machines (root)
	$(Q)tools/tap-summary $(UNIT_SUITES) $(GOLDEN_SUITE) \
		--jobs 1 $(CLI_SUITE) $(E2E_SUITE) $(FAULT_SUITE) $(TEST_VM_SUITE); \
		status=$$?; $(HAND_BACK); exit $$status

.PHONY: vmtest
vmtest: need-root $(STATIC_PROGRAMS) $(VERIFIERS) deb ## end to end on the kernels of VM="bookworm trixie" or all (root)
	$(Q)tools/tap-summary $(STATIC_SUITES) $(call vm_suites,$(VM)); \
		status=$$?; $(HAND_BACK); exit $$status

COST_VM ?= bullseye bookworm bookworm-arm64 trixie sid

.PHONY: vmcost
vmcost: need-root $(STATIC_PROGRAMS) ## what tracing costs on several kernels, in instructions, into docs/overhead.md (root)
	$(Q)tools/tap-summary $(foreach guest,$(COST_VM),'$(guest)=tests/vm/run --cost --guests $(guest)'); \
		status=$$?; [ $$status != 0 ] || tests/vm/matrix $(COST_VM:%=build/vm/results/%/result.json); \
		$(HAND_BACK); exit $$status

# SOAK=2h: how long. Half an hour shows a leak that matters.
SOAK ?= 30m

.PHONY: soak
soak: need-root build/tlsfail ## traffic and the life of a host for SOAK=30m: nothing lost, nothing grows (root)
	$(Q)$(PYTHON) tests/e2e/run.py --tlsfail build/tlsfail --only 'soak/*' --soak $(SOAK); \
		status=$$?; $(HAND_BACK); exit $$status

# The last tlsfail that had uprobes on each handshake, to compare with: built from the history, where there is
# one.
PREVIOUS ?= 5c6259f
ROUNDS   ?= 10

build/previous/build/tlsfail:
	$(Q)rm -rf build/previous && mkdir -p build/previous
	$(Q)git archive $(PREVIOUS) | tar x -C build/previous
	$(Q)$(MAKE) -C build/previous build/tlsfail >build/previous/build.log 2>&1

.PHONY: bench
bench: need-root build/tlsfail ## what tracing costs, beside other tracers, ROUNDS=10, into docs/overhead.md (root)
	$(Q)previous=; if git rev-parse -q --verify $(PREVIOUS)^{commit} >/dev/null 2>&1; then \
		$(MAKE) build/previous/build/tlsfail && previous="--previous build/previous/build/tlsfail"; \
	else echo "bench: $(PREVIOUS) is not in the history: not compared with an older tlsfail" >&2; fi; \
	$(PYTHON) tests/bench/overhead.py $$previous --rounds $(ROUNDS) --page docs/overhead.md; \
		status=$$?; $(HAND_BACK); exit $$status

.PHONY: demo
demo: need-root build/tlsfail ## nginx, broken upstreams, and tlsfail watching them (root)
	$(Q)tools/demo; status=$$?; $(HAND_BACK); exit $$status

# With PAGE=docs/accuracy.md the result goes there, too, and that about other programs into docs/programs.md.
.PHONY: accuracy
accuracy: need-root build/tlsfail ## every case on nginx: what was wrong, what tlsfail said (root)
	$(Q)$(PYTHON) tests/e2e/accuracy.py --tlsfail build/tlsfail $(PAGE:%=--page %) && \
	$(PYTHON) tests/e2e/programs.py --tlsfail build/tlsfail $(if $(PAGE),--page docs/programs.md); \
		status=$$?; $(HAND_BACK); exit $$status

.PHONY: golden
golden: need-root build/tlsfail ## record the golden files anew (root)
	$(Q)$(PYTHON) tests/e2e/record_golden.py --tlsfail build/tlsfail; \
		status=$$?; $(HAND_BACK); exit $$status

.PHONY: docs
docs: build/asan/unit/test_cause_docs ## write what is made from the rule table: docs/causes.md, docs/evidence.md, a part of the manual
	$(Q)TLSFAIL_WRITE_DOCS=1 $<

.PHONY: golden-expected
golden-expected: build/asan/tlsfail ## what replay makes of the golden recordings is right: expect it
	$(Q)tests/golden/run --tlsfail build/asan/tlsfail --update
	$(Q)tools/event-stores
	$(Q)tools/report-words

.PHONY: need-root
need-root:
	@[ "$$(id -u)" -eq 0 ] || { echo "this needs root: sudo make $(MAKECMDGOALS)" >&2; exit 1; }

.PHONY: install-deps
install-deps: need-root
	$(Q)tools/install-deps $(addprefix --group ,build $(foreach goal,$(ROOT_GOALS),$(groups_$(goal))))

# ---- Install -------------------------------------------------------------------------------------

# Configuration for other programs.
DIST_DIRS := ci clickhouse docker elasticsearch fluent-bit grafana kubernetes logrotate otelcol prometheus rsyslog vector

.PHONY: install
install: build/tlsfail ## install into PREFIX (/usr/local) and SYSCONFDIR (/etc), below DESTDIR
	install -D -m 755 build/tlsfail $(DESTDIR)$(SBINDIR)/tlsfail
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man8 man/*.8
	install -D -m 644 -t $(DESTDIR)$(DOCDIR) README.md CHANGELOG.md LICENSE
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/docs docs/*.md docs/*.schema.json
	install -d $(DESTDIR)$(BASHCOMPDIR) $(DESTDIR)$(ZSHCOMPDIR) $(DESTDIR)$(FISHCOMPDIR)
	build/tlsfail completion bash >$(DESTDIR)$(BASHCOMPDIR)/tlsfail
	build/tlsfail completion zsh >$(DESTDIR)$(ZSHCOMPDIR)/_tlsfail
	build/tlsfail completion fish >$(DESTDIR)$(FISHCOMPDIR)/tlsfail.fish
	for dir in $(DIST_DIRS); do \
		install -D -m 644 -t $(DESTDIR)$(DOCDIR)/dist/$$dir dist/$$dir/* || exit; \
	done
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|@SBINDIR@|$(SBINDIR)|' dist/tlsfail.service >$(DESTDIR)$(UNITDIR)/tlsfail.service
	chmod 644 $(DESTDIR)$(UNITDIR)/tlsfail.service
	install -D -m 644 dist/sysusers.conf $(DESTDIR)$(SYSUSERSDIR)/tlsfail.conf
	[ -e $(DESTDIR)$(SYSCONFDIR)/tlsfail/tlsfail.conf ] || \
		install -D -m 644 dist/tlsfail.conf $(DESTDIR)$(SYSCONFDIR)/tlsfail/tlsfail.conf
	[ -e $(DESTDIR)$(SYSCONFDIR)/logrotate.d/tlsfail ] || \
		install -D -m 644 dist/logrotate/tlsfail $(DESTDIR)$(SYSCONFDIR)/logrotate.d/tlsfail

.PHONY: uninstall
uninstall: ## remove what install put there, but for the configuration
	rm -f $(DESTDIR)$(SBINDIR)/tlsfail $(patsubst man/%,$(DESTDIR)$(MANDIR)/man8/%,$(wildcard man/*.8))
	rm -f $(DESTDIR)$(BASHCOMPDIR)/tlsfail $(DESTDIR)$(ZSHCOMPDIR)/_tlsfail
	rm -f $(DESTDIR)$(FISHCOMPDIR)/tlsfail.fish
	rm -f $(DESTDIR)$(UNITDIR)/tlsfail.service $(DESTDIR)$(SYSUSERSDIR)/tlsfail.conf
	rm -rf $(DESTDIR)$(DOCDIR)

# In a copy, so that the package is compiled with the flags of a package and nothing else.
DEB_COPY := build/package/tlsfail-$(VERSION)

.PHONY: deb
deb: ## build the Debian package: build/package/tlsfail_*.deb
	@command -v dpkg-buildpackage >/dev/null && command -v dh >/dev/null || \
		{ echo "dpkg-dev or debhelper is missing: sudo tools/install-deps --group build --group package" >&2; exit 1; }
	@[ "$$(dpkg-parsechangelog -S Version)" = "$(VERSION)" ] || \
		{ echo "debian/changelog is not about version $(VERSION)" >&2; exit 1; }
	rm -rf build/package && mkdir -p $(DEB_COPY)
	tar -c --exclude=./build --exclude=./.git . | tar -x -C $(DEB_COPY)
	cd $(DEB_COPY) && dpkg-buildpackage --build=binary --no-sign

# What is committed, and nothing else; the times in it are that of the commit.
DIST_NAME  := tlsfail-$(VERSION)
DIST_EPOCH  = $(shell git log -1 --format=%ct)

.PHONY: dist
dist: ## the release: build/dist/tlsfail-VERSION.tar.gz, its SBOM (SPDX), SHA256SUMS
	@git rev-parse --verify --quiet HEAD >/dev/null || \
		{ echo "dist packs what is committed, and this is no checkout of git" >&2; exit 1; }
	rm -rf build/dist && mkdir -p build/dist
	git archive --format=tar --prefix=$(DIST_NAME)/ HEAD | \
		gzip -9n >build/dist/$(DIST_NAME).tar.gz
	SOURCE_DATE_EPOCH=$(DIST_EPOCH) tools/sbom $(VERSION) build/dist/$(DIST_NAME).tar.gz \
		>build/dist/$(DIST_NAME).spdx.json
	cd build/dist && sha256sum $(DIST_NAME).tar.gz $(DIST_NAME).spdx.json >SHA256SUMS

# Without the build dependencies, which have other names where rpm did not install them.
.PHONY: rpm
rpm: dist ## build the package for Fedora and its kin: build/rpm/RPMS/*/tlsfail-*.rpm
	@command -v rpmbuild >/dev/null || \
		{ echo "rpmbuild is missing: sudo tools/install-deps --group build --group rpm" >&2; exit 1; }
	rm -rf build/rpm && mkdir -p build/rpm/SOURCES
	cp build/dist/$(DIST_NAME).tar.gz build/rpm/SOURCES
	sed 's/@VERSION@/$(VERSION)/' dist/rpm/tlsfail.spec >build/rpm/tlsfail.spec
	SOURCE_DATE_EPOCH=$(DIST_EPOCH) rpmbuild -bb --nodeps --define '_topdir $(CURDIR)/build/rpm' \
		build/rpm/tlsfail.spec

.PHONY: check-dist
check-dist: ## of the packages what takes seconds: version, tarball, SBOM
	$(Q)tools/tap-summary 'package=tests/package/run version dist'

.PHONY: check-package
check-package: ## the packages: reproducible, clean for lintian, installed into a root, checksums
	$(Q)tools/tap-summary 'package=tests/package/run'

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
