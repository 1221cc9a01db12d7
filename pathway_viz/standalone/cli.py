"""The command ``pathway-viz``: demo, run, check."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from pathway_viz import __version__
from pathway_viz.bus.embedded import resolve_url
from pathway_viz.errors import PathwayVizError
from pathway_viz.standalone.launch import Launched, announce, state_directory
from pathway_viz.standalone.supervisor import Child


def main(arguments: list[str] | None = None) -> int:
    """Run the command; gives its exit code."""
    parser = _parser()
    told = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        return int(told.work(told))
    except PathwayVizError as error:
        print(f"pathway-viz: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pathway-viz", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="demo | run FILE | check")
    demo = commands.add_parser("demo", help="this machine's vital signs, live")
    demo.set_defaults(work=_demo)
    run = commands.add_parser("run", help="run a pipeline, and start again what dies")
    run.add_argument("file", type=Path)
    run.add_argument("arguments", nargs="*", help="for the pipeline")
    run.set_defaults(work=_run)
    for command in (demo, run):
        command.add_argument("--no-browser", action="store_true", help="do not open the page")
    check = commands.add_parser("check", help="is everything there that is needed?")
    check.set_defaults(work=_check)
    return parser


def _demo(told: argparse.Namespace) -> int:
    _need("pathway", "psutil")
    state = Path(tempfile.mkdtemp(prefix="pathway_viz-demo-"))
    launched = Launched(state, keep_state=False)
    return _serve(launched, [sys.executable, "-m", "pathway_viz.demo"], told, "demo")


def _run(told: argparse.Namespace) -> int:
    if not told.file.is_file():
        print(f"pathway-viz: there is no file {told.file}.", file=sys.stderr)
        return 2
    launched = Launched(state_directory(told.file.stem), keep_state=True)
    command = [sys.executable, str(told.file), *told.arguments]
    return _serve(launched, command, told, told.file.stem)


def _serve(launched: Launched, command: list[str], told: argparse.Namespace, name: str) -> int:
    """Run Valkey, web node and worker until Ctrl-C."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    launched.start(resolve_url(os.environ))
    environment = {
        "REDIS_URL": launched.redis_url,
        "PATHWAYVIZ_WORKER": "1",
        "PATHWAYVIZ_WORKER_NAME": name,
    }
    launched.supervisor.add(
        Child(name="worker", command=command, environment=environment, final=True)
    )
    threading.Thread(
        target=announce, args=(launched, False if told.no_browser else None), daemon=True
    ).start()
    stopping.wait()
    launched.stop()
    return 0


def _check(_: argparse.Namespace) -> int:
    """Django's checks, those that ask Redis included."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "pathway_viz.standalone.settings"}
    environment.setdefault("PATHWAYVIZ_STATE", str(state_directory("check")))
    command = [sys.executable, "-m", "django", "check", "--deploy", "--tag", "pathway_viz"]
    return subprocess.run(command, env=environment, check=False).returncode


def _need(*modules: str) -> None:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise PathwayVizError(
            f"The demo needs {' and '.join(missing)}: pip install 'pathway-viz[demo]'"
        )


if __name__ == "__main__":
    sys.exit(main())
