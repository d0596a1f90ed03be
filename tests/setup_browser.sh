#!/usr/bin/env bash
# A Chromium and Chinese fonts for the browser tests: Debian's where apt is at hand, else Playwright's own.
set -euo pipefail
have_both() { command -v chromium >/dev/null && fc-list :lang=zh 2>/dev/null | grep -q .; }

have_both && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    if apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk fontconfig >/dev/null; then
        exit 0
    fi
    echo "apt has no Chromium here; taking Playwright's own" >&2
fi
"${BIN:-.venv/bin}/playwright" install chromium
