#!/usr/bin/env bash
# A Chromium and Chinese fonts for the browser tests: Debian's where apt is at hand, else Playwright's own.
set -euo pipefail
have_fonts() { fc-list :lang=zh 2>/dev/null | grep -q .; }

have_fonts && command -v chromium-headless-shell >/dev/null && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" fonts-noto-cjk fontconfig >/dev/null; }
    # Older releases have no shell of its own: the whole browser does the same, more slowly.
    if apt-get update -qq && { install chromium-headless-shell || install chromium; }; then
        exit 0
    fi
    echo "apt has no Chromium here; taking what there is, or Playwright's own" >&2
fi
have_fonts && command -v chromium >/dev/null && exit 0
"${BIN:-.venv/bin}/playwright" install --only-shell chromium
