"""What a delivery costs: CPU of a web node against a C program that only sends, and others.

CPU seconds of each process (``/proc/PID/task/*/schedstat``), not wall time; alternating rounds.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.swarm import Swarm
from pathway_viz.bus.types import BusOptions
from tests.feeder import Feeder
from tests.nodes import Site, free_port
from tests.servers import RedisServer, started
from tests.shop import Shop

HERE = Path(__file__).parent
VIEWERS, HZ, BYTES, SECONDS = 200, 10, 512, 6.0
HELLO = {"versions": [1], "dashboards": ["shop"], "positions": {}}
FRAMES = "pathway_viz.web.uvicorn_protocol:Frames"
STOCK = "websockets-sansio"


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used so far."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def uvicorn(target: str, port: int, ws: str, **more: Any) -> subprocess.Popen[bytes]:
    """A uvicorn with one process."""
    flags = ["--host", "127.0.0.1", "--port", str(port), "--lifespan", "off", "--ws", ws]
    quiet = ["--ws-per-message-deflate", "false", "--log-level", "warning"]
    return started([sys.executable, "-m", "uvicorn", *flags, *quiet, target], **more)


def daphne(target: str, port: int, **more: Any) -> subprocess.Popen[bytes]:
    """A daphne."""
    flags = ["-b", "127.0.0.1", "-p", str(port), "-v", "0"]
    return started([sys.executable, "-m", "daphne", *flags, target], **more)


def wait_for(port: int) -> None:
    """Until the server answers."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
            return
        time.sleep(0.05)


def alone(pid: int) -> None:
    """Give a process a core of its own; this one and all that it starts later keep the others.

    Which of the two cores the scheduler picks changes what is in its caches: up to a third more.
    """
    cores = range(os.cpu_count() or 1)
    if len(cores) > 1:
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), cores[:1])


@contextmanager
def served(process: subprocess.Popen[bytes]) -> Iterator[int]:
    """Gives its pid and ends it."""
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def per_frame(pid: int, swarm: Swarm, count: Callable[[], float]) -> float:
    """Microseconds of CPU per frame that arrives."""
    alone(pid)
    swarm.run(2)
    before, frames = cpu(pid), count()
    swarm.run(SECONDS)
    used, came = cpu(pid) - before, count() - frames
    swarm.close()
    return used / came * 1e6


def floor() -> float:
    """One ``send()`` per viewer and frame, in C."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "floor"
        command = ["cc", "-O2", "-o", str(program), str(HERE / "references/floor.c")]
        subprocess.run(command, check=True)
        port = free_port()
        told = [str(port), str(VIEWERS), str(BYTES), str(HZ)]
        with served(started([str(program), *told])) as pid:
            time.sleep(0.3)
            swarm = Swarm(port, VIEWERS, bare=True)
            return per_frame(pid, swarm, lambda: sum(m.bytes for m in swarm.members) / (BYTES + 4))


def raw_asgi(serve: Callable[..., subprocess.Popen[bytes]]) -> float:
    """A broadcast with ASGI's ``send``."""
    port = free_port()
    environment = {**os.environ, "BENCH_HZ": str(HZ), "BENCH_BYTES": str(BYTES)}
    with served(
        serve("raw_asgi:application", port, cwd=HERE / "references", env=environment)
    ) as pid:
        time.sleep(2)
        swarm = Swarm(port, VIEWERS)
        return per_frame(pid, swarm, lambda: swarm.messages)


def stock_channels(server: RedisServer) -> float:
    """A consumer in a group of the pub/sub layer, on uvicorn."""
    port, folder = free_port(), HERE / "references"
    environment = {**os.environ, "BENCH_REDIS": server.url, "BENCH_BYTES": str(BYTES)}
    target = "stock_channels:application"
    publish = [sys.executable, "stock_channels.py", str(HZ)]
    with (
        served(uvicorn(target, port, STOCK, cwd=folder, env=environment)) as pid,
        served(started(publish, cwd=folder, env=environment)),
    ):
        time.sleep(3)
        swarm = Swarm(port, VIEWERS)
        return per_frame(pid, swarm, lambda: swarm.messages)


@contextmanager
def site(server: RedisServer) -> Iterator[tuple[Site, BusOptions]]:
    """A site with a database and a prefix of its own."""
    with tempfile.TemporaryDirectory() as folder:
        options = BusOptions(url=server.url, prefix=f"b{time.monotonic_ns()}")
        yield Site(options, Path(folder)), options


def ours(server: RedisServer, serve: Callable[..., subprocess.Popen[bytes]]) -> float:
    """pathway_viz, whole: sign-in, rights, health, acknowledgements."""
    port, stop = free_port(), threading.Event()
    with site(server) as (place, options):
        shop, name = Shop(options), "eu" + "x" * 172

        def publish() -> None:
            number = 0
            while not stop.wait(1 / HZ):
                number += 1
                shop.set(name, number)

        publishing = threading.Thread(target=publish)
        with served(
            serve("tests.asgi:application", port, cwd=HERE.parent, env=place.environment)
        ) as pid:
            wait_for(port)
            swarm = Swarm(port, VIEWERS, hello=HELLO, ack_s=10)
            publishing.start()
            try:
                return per_frame(pid, swarm, lambda: swarm.messages)
            finally:
                stop.set()
                publishing.join()


def core_at(server: RedisServer, rate: float, viewers: int = VIEWERS) -> float:
    """The part of a core that a node takes at ``rate`` updates a second over 100 keys."""
    port = free_port()
    with site(server) as (place, options), Feeder(options, rate=rate):
        environment = place.environment
        with served(
            uvicorn("tests.asgi:application", port, FRAMES, cwd=HERE.parent, env=environment)
        ) as pid:
            wait_for(port)
            swarm = Swarm(port, viewers, hello=HELLO, ack_s=10)
            swarm.run(2)
            before = cpu(pid)
            swarm.run(SECONDS)
            used = cpu(pid) - before
            swarm.close()
            return used / SECONDS


def idle_bytes(server: RedisServer, count: int, *, raw: bool) -> float:
    """Resident memory per idle viewer: of a raw ASGI connection, or of ours."""
    port = free_port()
    with site(server) as (place, options):
        Shop(options)
        if raw:
            folder, target = HERE / "references", "raw_asgi:application"
            process = uvicorn(target, port, STOCK, cwd=folder, env={**os.environ, "BENCH_HZ": "0"})
        else:
            process = uvicorn(
                "tests.asgi:application", port, FRAMES, cwd=HERE.parent, env=place.environment
            )
        with served(process) as pid:
            time.sleep(2) if raw else wait_for(port)
            first = Swarm(port, 50, hello=None if raw else HELLO, ack_s=10)
            first.run(2)
            before = resident(pid)
            swarm = Swarm(port, count, hello=None if raw else HELLO, ack_s=10)
            swarm.run(4)
            grown = resident(pid) - before
            swarm.close()
            first.close()
            return grown / count


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def joined(server: RedisServer, count: int) -> tuple[float, float]:
    """Seconds until ``count`` viewers are current; and seconds of as many bare handshakes."""
    port, bare = free_port(), free_port()
    with site(server) as (place, options), Feeder(options, rate=100):
        time.sleep(2)
        folder, target = HERE / "references", "raw_asgi:application"
        quiet = {**os.environ, "BENCH_HZ": "0"}
        with (
            served(uvicorn(target, bare, STOCK, cwd=folder, env=quiet)),
            served(
                uvicorn(
                    "tests.asgi:application", port, FRAMES, cwd=HERE.parent, env=place.environment
                )
            ),
        ):
            wait_for(port)
            time.sleep(1)
            start = time.monotonic()
            handshakes = Swarm(bare, count)
            reference = time.monotonic() - start
            handshakes.close()
            current: set[int] = set()

            def heard(member: Any, text: bytes) -> None:
                if b'"snapshot"' in text:
                    current.add(id(member))

            start = time.monotonic()
            swarm = Swarm(port, count, hello=HELLO, ack_s=10, on_message=heard)
            swarm.until(lambda: len(current) == count)
            took = time.monotonic() - start
            swarm.close()
            return took, reference


def pipeline(server: RedisServer, mode: str, rows: int, rate: float) -> tuple[float, float]:
    """Wall and CPU seconds of a pipeline with an empty callback, or of one that is published."""
    command = [sys.executable, str(HERE / "worker.py"), mode, str(rows), str(rate)]
    told = {"REDIS_URL": server.url, "PATHWAYVIZ_WORKER": "1", "PATHWAYVIZ_PREFIX": "bench"}
    environment = {**os.environ, **told, "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    wall, used = done.stdout.split()[-2:]
    return float(wall), float(used)


def results(rounds: int) -> list[dict[str, Any]]:
    """All rows, medians of alternating rounds."""
    server = RedisServer("valkey")
    server.start()
    measured: dict[str, list[float]] = {}
    things: dict[str, Callable[[], float]] = {
        "floor": floor,
        "raw ASGI, uvicorn": lambda: raw_asgi(lambda t, p, **m: uvicorn(t, p, STOCK, **m)),
        "uvicorn": lambda: ours(server, lambda t, p, **m: uvicorn(t, p, FRAMES, **m)),
        "daphne": lambda: ours(server, daphne),
        "stock Channels": lambda: stock_channels(server),
        "100/s": lambda: core_at(server, 100),
        "10000/s": lambda: core_at(server, 10_000),
    }
    for _ in range(rounds):
        for name, measure in things.items():
            measured.setdefault(name, []).append(measure())
            print(f"  {name}: {measured[name][-1]:.3f}", file=sys.stderr)
    of = {name: statistics.median(values) for name, values in measured.items()}
    ours_idle, raw_idle = (idle_bytes(server, 1000, raw=raw) for raw in (False, True))
    took, bare = joined(server, 2000)
    empty, published = (pipeline(server, mode, 300_000, 0)[0] for mode in ("empty", "published"))
    busy = pipeline(server, "published", 80_000, 10_000)
    server.remove()
    base = of["floor"]
    return [
        row("frame, uvicorn", of["uvicorn"], "µs", f"C floor {base:.1f} µs", base, "× ≤ 1.8"),
        row("frame, daphne", of["daphne"], "µs", f"C floor {base:.1f} µs", base, "× ≤ 5"),
        row("frame, raw ASGI on uvicorn", of["raw ASGI, uvicorn"], "µs", "C floor", base, ""),
        row("frame, stock Channels on uvicorn", of["stock Channels"], "µs", "ours on uvicorn",
            of["uvicorn"], "× ≥ 10"),
        row("node, 10,000 updates/s to 200 viewers", of["10000/s"], "cores", "at 100 updates/s",
            of["100/s"], "× ≤ 1.5"),
        row("node, 10,000 updates/s", of["10000/s"], "cores", "", None, "≤ 0.25"),
        row("memory per idle viewer", ours_idle / 1000, "KB", f"raw ASGI {raw_idle / 1000:.0f} KB",
            raw_idle / 1000, "× ≤ 1.5"),
        row("pipeline, rows/s", 300_000 / published, "rows/s", "empty on_change", 300_000 / empty,
            "× ≥ 0.5"),
        row("worker at 10,000 updates/s", busy[1] / busy[0], "cores", "", None, "≤ 0.5"),
        row("2,000 viewers join", took, "s", f"bare handshakes {bare:.2f} s", bare, "× ≤ 3"),
    ]  # fmt: skip


def row(
    name: str, value: float, unit: str, reference: str, base: float | None, target: str
) -> dict[str, Any]:
    """One row of ``benchmarks/results.json``."""
    ratio = None if base is None else round(value / base, 2)
    seen = ratio if "×" in target and ratio is not None else value
    bound = float(target.rsplit(maxsplit=1)[-1]) if target else None
    ok = None if bound is None else seen >= bound if "≥" in target else seen <= bound
    return {"name": name, "value": round(value, 3), "unit": unit, "reference": reference or None,
            "ratio": ratio, "target": target, "ok": ok}  # fmt: skip


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    for found in results(int(sys.argv[1]) if len(sys.argv) > 1 else 1):
        print(found)
