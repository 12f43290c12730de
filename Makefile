# icecheck: build, demo, test, install. Every target works as root and with sudo, and says what it installs.

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
BUILD_FLAGS := -c release --static-swift-stdlib
BINARY := .build/release/icecheck

.PHONY: all build demo test test-swift test-end-to-end lint generated check-generated fuzz fuzz-ci bench lab install uninstall clean

all: build

build:
	@Scripts/install-packages build
	$(SWIFT) build $(BUILD_FLAGS)

# The main job against the embedded server on loopback.
demo: build
	@Scripts/demo $(BINARY)

test: build
	@Scripts/install-packages build test
	$(SWIFT) test
	$(MAKE) --no-print-directory test-end-to-end

# The binary that users get, from outside: hostile servers, bad input, signals, network namespaces. The tests run side
# by side, each worker in a network of its own where the machine permits that.
WORKERS ?= auto
test-end-to-end:
	ICECHECK=$(abspath $(BINARY)) PYTHONPATH=$(CURDIR)/.build/python PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 \
		python3 -m pytest -p xdist.plugin -q -rfEs -n $(WORKERS) --dist worksteal Tests/EndToEnd

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Fuzz
	Scripts/check-arrows

# The man page and the completions are made from the argument parser.
generated: build
	Scripts/generate $(BINARY) .

check-generated: build
	Scripts/check-generated $(BINARY)

# A million executions of each target.
fuzz:
	@Scripts/install-packages build fuzz
	Fuzz/run all 1000000

# A short, fixed number for CI.
fuzz-ci:
	@Scripts/install-packages build fuzz
	Fuzz/run all 20000

bench: build
	@Scripts/install-packages build test bench
	Benchmarks/run $(BINARY)

# A shell behind a NAT of the kernel's: `make lab LAB=name`, as root. Without a name, lists them. RTT is in milliseconds.
lab:
	@Scripts/lab $(LAB) $(if $(SERVER),--server $(SERVER)) $(if $(RTT),--rtt $(RTT))

install: build
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/icecheck
	install -D -m 644 man/icecheck.1 $(DESTDIR)$(PREFIX)/share/man/man1/icecheck.1
	install -D -m 644 completions/icecheck.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/icecheck
	install -D -m 644 completions/_icecheck $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_icecheck
	install -D -m 644 completions/icecheck.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/icecheck.fish

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/icecheck $(DESTDIR)$(PREFIX)/share/man/man1/icecheck.1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/icecheck \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_icecheck \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/icecheck.fish

clean:
	rm -rf .build
