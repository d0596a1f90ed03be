#!/usr/bin/env bash
# The libraries of Node peers in the tests: one verifies events, one is an OpenID provider. Without Node those tests are
# skipped, and say so.
set -euo pipefail
if ! command -v npm >/dev/null; then
    echo "npm is not here: tests with Node peers will be skipped; install Node 20 or newer to run them" >&2
    exit 0
fi
for peer in jose oidc; do
    (cd "$(dirname "$0")/peers/$peer" && npm ci --ignore-scripts --silent)
done
