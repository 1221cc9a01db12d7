"""The tests on the other Pythons of this machine, with Django 6: `make test-all`."""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.reuse_existing_virtualenvs = True
VERSIONS = ("3.12", "3.13")


def interpreters() -> list[str]:
    """Those of VERSIONS that exist, on PATH or with pyenv."""
    found = []
    for version in VERSIONS:
        pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
        if pyenv or shutil.which(f"python{version}"):
            found.append(str(pyenv[-1]) if pyenv else version)
    return found


@nox.session(python=interpreters())
def tests(session: nox.Session) -> None:
    """Everything but the browser and the journeys, which need no other Python."""
    session.install("-e", ".[test]", "django>=6,<7")
    session.run("pytest", "--quiet", "tests/contract", "tests/unit", "tests/integration")
