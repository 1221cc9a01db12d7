#!/usr/bin/env bash
# The quality gate: every step is run, the failures are named at the end.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
. scripts/node.sh
failed=()
step() {
  local name=$1
  shift
  printf '\033[2m· %s\033[0m\n' "$name" >&2
  "$@" || failed+=("$name")
}
export DJANGO_SETTINGS_MODULE=tests.settings
step "ruff format" $bin/ruff format --check --quiet .
step "ruff check" $bin/ruff check --quiet .
step "mypy" $bin/mypy --no-error-summary
step "import contracts" $bin/lint-imports --no-cache
step "migrations" $bin/python -W error -m django makemigrations --check --verbosity 0
step "javascript types" npx --no-install tsc --project pathway_viz/browser/jsconfig.json
step "documentation" $bin/sphinx-build -q -W docs docs/_build
[ ${#failed[@]} = 0 ] || { printf 'Failed: %s\n' "${failed[*]}" >&2; exit 1; }
