#!/usr/bin/env bash
# The gate, then the tests of both languages.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/lint.sh
npm test --silent
.venv/bin/pytest --quiet "$@"
