#!/usr/bin/env bash
# The gate, then the tests of both languages. Playwright keeps an event loop running, so the tests
# that drive a browser have a process of their own.
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/node.sh
failed=0
bash scripts/lint.sh || failed=1
npm test --silent || failed=1
.venv/bin/pytest --quiet -m "not browser and not fault" "$@" || failed=1
.venv/bin/pytest --quiet -m browser "$@" || failed=1
exit $failed
