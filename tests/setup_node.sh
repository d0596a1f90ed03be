#!/usr/bin/env bash
# The library that Node peers in the tests verify events with. Without Node those tests are skipped, and say so.
set -euo pipefail
if ! command -v npm >/dev/null; then
    echo "npm is not here: tests with Node peers will be skipped; install Node 18.20 or newer to run them" >&2
    exit 0
fi
cd "$(dirname "$0")/peers/jose"
npm ci --ignore-scripts --silent
