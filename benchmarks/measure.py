"""What all benchmarks share: servers to measure, their CPU seconds and memory, and rows of results.

CPU seconds of each process (``/proc/PID/task/*/schedstat``), not wall time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from pathway_viz.bus.types import BusOptions
from tests.nodes import Site, free_port
from tests.servers import RedisServer, started

HERE = Path(__file__).parent
HELLO = {"versions": [1], "dashboards": ["shop"], "positions": {}}
SITE = "tests.asgi:application"
Serve = Callable[..., subprocess.Popen[bytes]]


def uvicorn(
    target: str, port: int, ws: str = "", python: str = sys.executable, **more: Any
) -> subprocess.Popen[bytes]:
    """A uvicorn with one process, and our protocol if none is named."""
    flags = ["--host", "127.0.0.1", "--port", str(port), "--lifespan", "off"]
    flags += ["--ws", ws or "pathway_viz.web.uvicorn_protocol:Frames"]
    quiet = ["--ws-per-message-deflate", "false", "--log-level", "warning"]
    return started([python, "-m", "uvicorn", *flags, *quiet, target], **more)


def plain_uvicorn(target: str, port: int, **more: Any) -> subprocess.Popen[bytes]:
    """A uvicorn with its own WebSocket protocol."""
    return uvicorn(target, port, "websockets-sansio", **more)


def daphne(target: str, port: int, **more: Any) -> subprocess.Popen[bytes]:
    """A daphne."""
    flags = ["-b", "127.0.0.1", "-p", str(port), "-v", "0"]
    return started([sys.executable, "-m", "daphne", *flags, target], **more)


def granian(target: str, port: int, **more: Any) -> subprocess.Popen[bytes]:
    """A granian with one worker; what it costs is in the worker, its child."""
    flags = ["--interface", "asgi", "--host", "127.0.0.1", "--port", str(port), "--no-log"]
    return started([sys.executable, "-m", "granian", *flags, "--workers", "1", target], **more)


def lean_python() -> str:
    """The Python of an environment with what a web node installs: no engine, no test tools.

    What else is installed counts: redis-py, for one, loads OpenTelemetry wherever it finds it.
    """
    folder = HERE / ".venv"
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    python = str(folder / "bin" / "python")
    made = [[uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)]]
    made += [[uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]]
    made[1] += ["--editable", f"{HERE.parent}[uvicorn]"]
    for command in made:
        subprocess.run(command, check=True)
    return python


@contextmanager
def served(process: subprocess.Popen[bytes], port: int = 0) -> Iterator[int]:
    """Wait until it answers on ``port``; gives its pid, and ends it."""
    try:
        if port:
            _wait_for(port)
        yield process.pid
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(3)
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError


@contextmanager
def site(server: RedisServer, **settings: Any) -> Iterator[tuple[Site, BusOptions]]:
    """A site with a database and a prefix of its own."""
    with tempfile.TemporaryDirectory() as folder:
        options = BusOptions(url=server.url, prefix=f"b{time.monotonic_ns()}")
        yield Site(options, Path(folder), **settings), options


@contextmanager
def node(place: Site, serve: Serve = uvicorn) -> Iterator[tuple[int, int]]:
    """A node of a site; gives pid and port."""
    port = free_port()
    with served(serve(SITE, port, cwd=HERE.parent, env=place.environment), port) as pid:
        yield pid, port


@contextmanager
def fed(options: BusOptions, rate: float) -> Iterator[int]:
    """A worker in a process of its own that publishes at ``rate`` commits a second."""
    command = [sys.executable, "-m", "tests.feeder", options.url, options.prefix, str(rate)]
    process = started(command, cwd=HERE.parent, stdout=subprocess.PIPE)
    with served(process) as pid:
        assert process.stdout is not None
        process.stdout.readline()
        yield pid


def family(pid: int) -> list[int]:
    """A process and its children: some servers only watch over the one that works."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in children)]


def cpu(pid: int) -> float:
    """Seconds of CPU that a process and its children have used so far."""
    total = 0
    for member in family(pid):
        for task in Path(f"/proc/{member}/task").iterdir():
            with suppress(OSError):
                total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def resident(pid: int) -> int:
    """Bytes of memory that a process and its children hold."""
    pages = (int(Path(f"/proc/{p}/statm").read_text().split()[1]) for p in family(pid))
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def alone(pid: int) -> None:
    """Give a process the first core for itself; this one, and what it starts later, has the others.

    Left to the scheduler, a figure varies by a third with who else has been on the core.
    """
    cores = range(os.cpu_count() or 1)
    for member in family(pid):
        for task in Path(f"/proc/{member}/task").iterdir():
            with suppress(ProcessLookupError):  # a thread that has just ended
                os.sched_setaffinity(int(task.name), cores[:1])


def keep_a_core_free() -> None:
    """This process, and all that it starts, leaves the first core to what `alone` is given."""
    if (cores := os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, range(1, cores))


def row(
    name: str, value: float, unit: str, reference: str, base: float | None, target: str
) -> dict[str, Any]:
    """One row of ``benchmarks/results.json``; where the target has a times sign, it is about the ratio."""
    ratio = None if base is None else round(value / base, 2)
    seen = ratio if "×" in target and ratio is not None else value
    bound = float(target.rsplit(maxsplit=1)[-1]) if target else None
    ok = None if bound is None else seen >= bound if "≥" in target else seen <= bound
    return {"name": name, "value": round(value, 3), "unit": unit, "reference": reference or None,
            "ratio": ratio, "target": target, "ok": ok}  # fmt: skip
