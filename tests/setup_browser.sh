#!/usr/bin/env bash
# A Chromium and Chinese fonts for the browser tests: Debian's where apt is at hand, else Playwright's own.
set -euo pipefail
if command -v chromium >/dev/null && fc-list :lang=zh 2>/dev/null | grep -q .; then exit 0; fi
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk fontconfig >/dev/null
else
    "${BIN:-.venv/bin}/playwright" install chromium
fi
