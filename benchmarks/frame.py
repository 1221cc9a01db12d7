"""What a frame to a viewer costs a web node, against a C program that only sends, and others."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import (
    HELLO,
    HERE,
    Serve,
    alone,
    cpu,
    daphne,
    granian,
    node,
    plain_uvicorn,
    row,
    served,
    site,
    uvicorn,
)
from benchmarks.swarm import Swarm
from tests.nodes import free_port
from tests.servers import RedisServer, started
from tests.shop import Shop

VIEWERS, HZ, BYTES, SECONDS = 200, 10, 512, 6.0
REFERENCES = HERE / "references"


def per_frame(pid: int, swarm: Swarm, count: Callable[[], float]) -> float:
    """Microseconds of CPU per frame that arrives."""
    alone(pid)
    swarm.run(2)
    before, frames = cpu(pid), count()
    swarm.run(SECONDS)
    used, came = cpu(pid) - before, count() - frames
    swarm.close()
    return used / came * 1e6


def floor(viewers: int = VIEWERS) -> float:
    """One ``send()`` per viewer and frame, in C."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "floor"
        subprocess.run(["cc", "-O2", "-o", program, REFERENCES / "floor.c"], check=True)
        port = free_port()
        told = [str(port), str(viewers), str(BYTES), str(HZ)]
        with served(started([str(program), *told])) as pid:
            time.sleep(0.3)
            swarm = Swarm(port, viewers, bare=True)
            return per_frame(pid, swarm, lambda: sum(m.bytes for m in swarm.members) / (BYTES + 4))


def raw_asgi() -> float:
    """A broadcast with ASGI's ``send``, on uvicorn."""
    port = free_port()
    environment = {**os.environ, "BENCH_HZ": str(HZ), "BENCH_BYTES": str(BYTES)}
    process = plain_uvicorn("raw_asgi:application", port, cwd=REFERENCES, env=environment)
    with served(process) as pid:
        time.sleep(2)
        swarm = Swarm(port, VIEWERS)
        return per_frame(pid, swarm, lambda: swarm.messages)


def stock_channels(server: RedisServer, serve: Serve) -> float:
    """A consumer in a group of the pub/sub layer."""
    port = free_port()
    environment = {**os.environ, "BENCH_REDIS": server.url, "BENCH_BYTES": str(BYTES)}
    told: dict[str, Any] = {"cwd": REFERENCES, "env": environment}
    publish = [sys.executable, "stock_channels.py", str(HZ)]
    with (
        served(serve("stock_channels:application", port, **told)) as pid,
        served(started(publish, **told)),
    ):
        time.sleep(3)
        swarm = Swarm(port, VIEWERS)
        return per_frame(pid, swarm, lambda: swarm.messages)


def ours(server: RedisServer, serve: Serve, viewers: int = VIEWERS) -> float:
    """pathway_viz, whole: sign-in, rights, health, acknowledgements."""
    stop = threading.Event()
    with site(server) as (place, options):
        shop, name = Shop(options), "eu" + "x" * 172

        def publish() -> None:
            number = 0
            while not stop.wait(1 / HZ):
                number += 1
                shop.set(name, number)

        publishing = threading.Thread(target=publish)
        with node(place, serve) as (pid, port):
            swarm = Swarm(port, viewers, hello=HELLO, ack_s=10)
            publishing.start()
            try:
                return per_frame(pid, swarm, lambda: swarm.messages)
            finally:
                stop.set()
                publishing.join()


def results(server: RedisServer, rounds: int) -> list[dict[str, Any]]:
    """All rows, medians of alternating rounds."""
    things: dict[str, Callable[[], float]] = {
        "floor": floor,
        "raw ASGI": raw_asgi,
        "uvicorn": lambda: ours(server, uvicorn),
        "daphne": lambda: ours(server, daphne),
        "granian": lambda: ours(server, granian),
        "stock, uvicorn": lambda: stock_channels(server, plain_uvicorn),
        "stock, daphne": lambda: stock_channels(server, daphne),
    }
    measured: dict[str, list[float]] = {name: [] for name in things}
    for _ in range(rounds):
        for name, measure in things.items():
            measured[name].append(measure())
            print(f"  {name}: {measured[name][-1]:.1f} µs", file=sys.stderr, flush=True)
    of = {name: statistics.median(values) for name, values in measured.items()}
    base = of["floor"]
    against = f"C floor, {base:.1f} µs"
    cheaper = "stock Channels against ours, on"
    return [
        row("frame, uvicorn", of["uvicorn"], "µs", against, base, "× ≤ 1.8"),
        row("frame, daphne", of["daphne"], "µs", against, base, "× ≤ 5"),
        row("frame, granian", of["granian"], "µs", against, base, "× ≤ 8"),
        row("frame, raw ASGI on uvicorn", of["raw ASGI"], "µs", against, base, ""),
        row(f"{cheaper} uvicorn", of["stock, uvicorn"], "µs", "ours", of["uvicorn"], "× ≥ 10"),
        row(f"{cheaper} daphne", of["stock, daphne"], "µs", "ours", of["daphne"], "× ≥ 10"),
    ]
