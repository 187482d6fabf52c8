# SPDX-License-Identifier: Apache-2.0
# ntsd: one Makefile, one pass. `make help` lists the targets.
# Variants: CC=clang, SAN=address,undefined, SAN=thread, BUILD=DIR; each gets its own objects.

MAKEFLAGS += -rR -j$(shell nproc) --no-print-directory
SHELL     := bash
COVER     := $(filter cover,$(MAKECMDGOALS))
CC        := $(if $(COVER),clang,$(if $(filter default undefined,$(origin CC)),gcc,$(CC)))
BUILD     ?= build
comma     := ,
B         := $(BUILD)$(if $(COVER),/cover,$(if $(filter-out gcc,$(CC)),/$(notdir $(CC))))$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
VERSION   := 0.1.0
PREFIX    ?= /usr/local

# A fresh machine has neither compiler nor libraries: this installs what the goals need, or says so.
GOALS     := $(or $(MAKECMDGOALS),all)
ifneq ($(filter-out help clean dist,$(GOALS)),)
DEPS_OK   := $(shell tests/support/deps.sh $(GOALS) >&2 && echo yes)
ifneq ($(DEPS_OK),yes)
$(error packages are missing, see above)
endif
endif

PKGS      := nettle libuv openssl jansson libseccomp
# libcurl is loaded at run time by the one process that needs it (common/net/curl_lib.h).
PKG_CFLAGS:= $(shell pkg-config --cflags $(PKGS) libcurl 2>/dev/null)
PKG_LIBS  := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
MACHINE   := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))
GCM_SIV   := $(if $(shell pkg-config --atleast-version=3.9 nettle 2>/dev/null && echo y),nettle,none)

WARN      := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
             -Wimplicit-fallthrough -Wswitch-enum -Wformat=2 -Werror
HARDEN    := -fPIE -fstack-protector-strong -fstack-clash-protection $(if $(SAN),,-D_FORTIFY_SOURCE=2) \
             $(if $(filter x86_64,$(MACHINE)),-fcf-protection=full) \
             $(if $(filter aarch64,$(MACHINE)),-mbranch-protection=standard)
SANFLAGS  := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
             $(if $(COVER),-fprofile-instr-generate -fcoverage-mapping)
CPPFLAGS  += -I. -D_GNU_SOURCE -DNTSD_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
CFLAGS    += -std=c11 -O2 -g $(WARN) $(HARDEN) $(SANFLAGS)
LDFLAGS   += -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(SANFLAGS)
LDLIBS    := $(PKG_LIBS) -lpthread -lm
# ntp and ntp/clock use each other: the libraries a program lists are searched as one group.
LINK       = $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group
COMPILE    = @mkdir -p $(@D); $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# One static library a folder, listed so that each one follows all that use it.
FOLDERS   := ntsd tools nts-ke certs ntp/clock ntp common/keys common/net common/crypto common/base
MAINS     := ntsd/main.c tools/ntsq.c tools/ntsctl.c
NOT_BUILT := common/crypto/aead_gcmsiv_$(if $(filter nettle,$(GCM_SIV)),none,nettle).c
src_of     = $(filter-out $(MAINS) $(NOT_BUILT),$(sort $(wildcard $(1)/*.c)))
lib_of     = $(B)/lib/$(subst /,-,$(1)).a
LIB_SRC   := $(foreach f,$(FOLDERS),$(call src_of,$(f)))
BINS      := $(B)/ntsd $(B)/ntsq $(B)/ntsctl

# Who may use whom (the table of STYLE.md): tests and programs link these and nothing else.
common    := common/keys common/net common/crypto common/base
uses_common := $(common)
uses_certs  := certs $(common)
uses_nts-ke := nts-ke certs $(common)
uses_ntp    := ntp/clock ntp $(common)
uses_ntsd   := ntsd nts-ke certs ntp/clock ntp $(common)
uses_tools  := tools nts-ke certs ntp $(common)
uses_sim    := ntp/clock ntp $(common)
uses_e2e    := nts-ke certs ntp/clock ntp $(common)
libs_for    = $(foreach f,$(uses_$(1)),$(call lib_of,$(f)))

all: $(BINS) ## build ntsd, ntsq and ntsctl into build/

define library
$(call lib_of,$(1)): $(patsubst %.c,$(B)/obj/%.o,$(call src_of,$(1)))
	@mkdir -p $$(@D); rm -f $$@; ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call library,$(f))))

$(B)/obj/%.o: %.c Makefile
	$(COMPILE)
$(B)/ntsd: $(B)/obj/ntsd/main.o $(call libs_for,ntsd)
$(B)/ntsq: $(B)/obj/tools/ntsq.o $(call libs_for,tools)
$(B)/ntsctl: $(B)/obj/tools/ntsctl.o $(call libs_for,tools)
$(BINS):
	$(LINK) $(LDLIBS)

# Unit tests: tests/unit/AREA/test_X.c, linked with what AREA may use.
UNIT_SRC  := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT      := $(UNIT_SRC:%.c=$(B)/%)
# Criterion's runner cannot start under ThreadSanitizer, and ends its children before they have
# written their counters; tsan_runner.c runs its tests instead.
RUNNER    := $(if $(findstring thread,$(SAN))$(COVER),$(B)/obj/tests/unit/tsan_runner.o,-lcriterion)
define unit_area
$(patsubst %.c,$(B)/%,$(sort $(wildcard tests/unit/$(1)/test_*.c))): $(B)/%: $(B)/obj/%.o $(filter %.o,$(RUNNER)) $(call libs_for,$(1))
	@mkdir -p $$(@D); $$(LINK) $(filter -l%,$(RUNNER)) $(LDLIBS)
endef
$(foreach a,common certs nts-ke ntp ntsd tools,$(eval $(call unit_area,$(a))))

$(B)/tests/unit/ntsd/test_daemon: | $(B)/ntsd

# Simulations: of the clock, and of a fleet with one secret (tests/sim/fleet_*.c).
SIM       := $(B)/tests/sim/clock_sim $(B)/tests/sim/fleet_sim
SIM_SRC   := $(sort $(wildcard tests/sim/*.c))
$(B)/tests/sim/clock_sim: $(patsubst %.c,$(B)/obj/%.o,$(filter-out tests/sim/fleet_%,$(SIM_SRC))) $(call libs_for,sim)
$(B)/tests/sim/fleet_sim: $(patsubst %.c,$(B)/obj/%.o,$(filter tests/sim/fleet_%,$(SIM_SRC))) $(call libs_for,sim)
$(SIM):
	@mkdir -p $(@D); $(LINK) $(LDLIBS)

# End-to-end helpers in C: tests/e2e/X.c, each a program of its own, over tests/support/*.c.
E2E_BIN   := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/e2e/*.c)))
$(eval $(call library,tests/support))
$(E2E_BIN): $(B)/%: $(B)/obj/%.o $(call lib_of,tests/support) $(call libs_for,e2e)
	@mkdir -p $(@D); $(LINK) $(LDLIBS)

# Fuzzing: clang, all core code instrumented; the corpora are replayed by `make check`.
FUZZ      := $(patsubst %.c,$(if $(COVER),$(B),$(BUILD))/fuzz/%,$(notdir $(sort $(wildcard tests/fuzz/fuzz_*.c))))
FUZZ_FLAGS:= -std=c11 -O1 -g $(WARN) -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_OBJ  := $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(LIB_SRC))
$(BUILD)/fuzz/obj/%.o: %.c Makefile
	@mkdir -p $(@D); clang $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<
$(BUILD)/fuzz/libntsd.a: $(FUZZ_OBJ)
	@rm -f $@; ar rcs $@ $^
$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(BUILD)/fuzz/libntsd.a
	clang $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer -MMD -MF $@.d -o $@ $(filter %.c %.a,$^) $(LDLIBS)

ALL_LIBS  := $(foreach f,$(FOLDERS),$(call lib_of,$(f)))
$(BUILD)/cover/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(ALL_LIBS)
	@mkdir -p $(@D); clang $(CPPFLAGS) -std=c11 $(WARN) $(SANFLAGS) -fsanitize=fuzzer -o $@ $< \
	    -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)

# The unit tests for valgrind: Criterion's workers take it ten times as long.
$(B)/valgrind/%: $(B)/obj/%.o $(B)/obj/tests/unit/tsan_runner.o $(ALL_LIBS)
	@mkdir -p $(@D); $(LINK) $(LDLIBS)

unit: $(BINS) $(UNIT) ## run the unit tests (with SAN=address,undefined or SAN=thread: sanitized)
	@tests/support/run.sh unit $(B)
sim: $(SIM) ## simulate the clock and the fleet, print what came of it; PLOT=docs/clock.svg draws it, too
	@$(B)/tests/sim/clock_sim $(if $(PLOT),--plot $(PLOT)); clock=$$?; echo; $(B)/tests/sim/fleet_sim && exit $$clock
check: $(BINS) $(UNIT) $(SIM) $(E2E_BIN) $(FUZZ) ## everything: unit, simulations, corpora, end to end; ends with one line
	@tests/support/run.sh unit,sim,fuzz,e2e $(B) $(BUILD)/fuzz
e2e: $(BINS) $(E2E_BIN) ## the end-to-end tests alone
	@tests/support/run.sh e2e $(B)
fuzz: $(FUZZ) ## fuzz T=target for TIME=seconds (60); without T all targets share them; KEEP=1 keeps
	@tests/support/fuzz.sh $(BUILD)/fuzz "$(T)" "$(or $(TIME),60)"
cover: $(BINS) $(UNIT) $(FUZZ) ## lines of core files that unit tests and corpora run; 95 % wanted
	@tests/support/cover.sh $(B)
judges: $(BINS) $(UNIT_SRC:%.c=$(B)/valgrind/%) $(E2E_BIN) ## independent judges: TLS scanners, checksec, valgrind, cppcheck, clang-tidy
	@tests/support/judges.sh $(B) $(CPPFLAGS)
demo: $(BINS) ## dev CA, ntsd on loopback, asked by ntsq and chronyd, stopped again
	@tests/support/demo.sh $(B)
run: $(BINS) ## the same server, staying in the foreground until Ctrl-C
	@tests/support/demo.sh $(B) --stay
docs: $(BINS) $(E2E_BIN) ## write into docs/ what the programs know: directives, bad input
	@tests/support/docs.sh $(B)
lint: ## format, layers, lengths, clang-tidy, cppcheck, shellcheck, man pages
	@tests/support/lint.sh $(CPPFLAGS)
format: ## let clang-format have its way
	@git ls-files '*.c' '*.h' | xargs clang-format -i
install: $(BINS) ## install under DESTDIR and PREFIX
	install -D -m 0755 $(B)/ntsd $(DESTDIR)$(PREFIX)/sbin/ntsd
	install -D -m 0755 $(B)/ntsctl $(DESTDIR)$(PREFIX)/sbin/ntsctl
	install -D -m 0755 $(B)/ntsq $(DESTDIR)$(PREFIX)/bin/ntsq
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man1 docs/man/*.1
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man5 docs/man/*.5
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man8 docs/man/*.8
dist: ## a source tarball in build/
	@mkdir -p $(BUILD)
	git archive --prefix=ntsd-$(VERSION)/ -o $(BUILD)/ntsd-$(VERSION).tar.gz HEAD
compdb: ## compile_commands.json for clangd and clang-tidy
	bear -- $(MAKE) -B all
clean: ## remove build/
	rm -rf $(BUILD)
help: ## this list
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: all unit sim check e2e fuzz cover judges demo run docs lint format install dist compdb clean help
.SECONDARY:
-include $(shell find $(BUILD) -name peers -prune -o -name '*.d' -type f -print 2>/dev/null)
