"""How cost, latency and memory grow with viewers, updates and what the log holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks.frame import ours
from benchmarks.measure import (
    HELLO,
    HERE,
    alone,
    cpu,
    fed,
    lean_python,
    node,
    plain_uvicorn,
    resident,
    row,
    served,
    site,
    uvicorn,
)
from benchmarks.swarm import Member, Swarm
from pathway_viz.bus.connect import connect
from pathway_viz.topics import Keys
from tests.nodes import free_port
from tests.servers import RedisServer, started
from tests.shop import Shop

SECONDS = 8.0
VIEWERS = (25, 50, 100, 200, 400, 800)
RATES = (10, 100, 1_000, 10_000)
POINTS = 1_000_000
COMMIT = re.compile(rb'"commit":(\d+)')


class Stopwatch:
    """How old the oldest change of each frame is when its viewer has it, in milliseconds.

    A frame holds what was committed since the one before it.
    """

    def __init__(self) -> None:
        self.ages: list[float] = []
        self._last: dict[int, int] = {}

    def __call__(self, member: Member, text: bytes) -> None:
        """Note a message."""
        found = COMMIT.search(text)
        if found is None or b'"update"' not in text:
            return
        commit, before = int(found[1]), self._last.get(id(member))
        self._last[id(member)] = commit
        if before is not None:
            self.ages.append(time.time() * 1000 - before)

    def p99(self) -> float:
        """The 99th percentile since the last call."""
        ages, self.ages = sorted(self.ages), []
        return ages[int(len(ages) * 0.99)]


def updates(server: RedisServer, rate: float) -> tuple[float, float]:
    """Cores that a node with 200 viewers takes at ``rate`` updates/s over 100 keys; p99 in ms."""
    watch = Stopwatch()
    with site(server) as (place, options), fed(options, rate), node(place) as (pid, port):
        swarm = Swarm(port, 200, hello=HELLO, ack_s=10, on_message=watch)
        alone(pid)
        swarm.run(2)
        watch.ages.clear()
        before = cpu(pid)
        swarm.run(SECONDS)
        used = (cpu(pid) - before) / SECONDS
        swarm.close()
        return used, watch.p99()


def stalled(server: RedisServer) -> tuple[float, float]:
    """The p99 (ms) of 190 viewers while 10 others read nothing, and that of 200 that all read."""
    watch = Stopwatch()
    told = {"SLOW_VIEWER_TIMEOUT_S": 60, "OUTBOX_BYTES": 400_000}
    with site(server, **told) as (place, options), fed(options, 2000), node(place) as (pid, port):
        swarm = Swarm(port, 200, hello=HELLO, ack_s=1, on_message=watch)
        alone(pid)
        swarm.run(3)
        watch.ages.clear()
        swarm.run(SECONDS)
        before = watch.p99()
        swarm.pause(swarm.members[:10])
        swarm.run(SECONDS)
        swarm.close()
        return watch.p99(), before


def idle(server: RedisServer, count: int) -> tuple[float, float]:
    """Resident bytes per idle viewer: ours, and a raw ASGI connection's."""
    with site(server) as (place, options):
        Shop(options)
        with node(place) as (pid, port):
            held = grown(pid, port, count, HELLO)
    port, quiet = free_port(), {**os.environ, "BENCH_HZ": "0"}
    told: dict[str, Any] = {"cwd": HERE / "references", "env": quiet}
    with served(plain_uvicorn("raw_asgi:application", port, **told)) as pid:
        time.sleep(2)
        return held, grown(pid, port, count, None)


def grown(pid: int, port: int, count: int, hello: object) -> float:
    """What each of ``count`` more viewers adds."""
    first = Swarm(port, 50, hello=hello, ack_s=10)
    first.run(2)
    before = resident(pid)
    swarm = Swarm(port, count, hello=hello, ack_s=10)
    swarm.run(5)
    held = resident(pid) - before
    assert swarm.closed == 0
    swarm.close()
    first.close()
    return held / count


def joined(server: RedisServer, count: int) -> tuple[float, float, float]:
    """Seconds until ``count`` viewers are current, those of bare handshakes, reads of Redis each.

    The dashboard has a table of 1,000 rows and a series of 1,000 points, and changes on.
    """
    port, quiet = free_port(), {**os.environ, "BENCH_HZ": "0"}
    told: dict[str, Any] = {"cwd": HERE / "references", "env": quiet}
    with served(plain_uvicorn("raw_asgi:application", port, **told)) as pid:
        time.sleep(2)
        alone(pid)
        start = time.monotonic()
        handshakes = Swarm(port, count)
        bare = time.monotonic() - start
        handshakes.close()
    with site(server) as (place, options), node(place) as (pid, port), changing(options):
        alone(pid)
        current: set[int] = set()

        def heard(member: Member, text: bytes) -> None:
            if b'"snapshot"' in text:
                current.add(id(member))

        Swarm(port, 1, hello=HELLO).run(1)  # the first viewer of all waits for the database
        before = reads(server)
        start = time.monotonic()
        swarm = Swarm(port, count, hello=HELLO, ack_s=10, on_message=heard)
        swarm.until(lambda: len(current) == count)
        took = time.monotonic() - start
        swarm.close()
        return took, bare, (reads(server) - before) / count


@contextmanager
def changing(options: Any) -> Iterator[None]:
    """A shop with much to show, that changes ten times a second."""
    shop, stop = Shop(options), threading.Event()
    rows = {b'"region-%d"' % n: b'["region-%d",%d]' % (n, n * 37) for n in range(1000)}
    shop.set("", 0, upserts=rows)
    for first in range(0, 1000, 10):
        shop.happen(*range(first, first + 10))

    def change() -> None:
        while not stop.wait(0.1):
            shop.set("region-1", int(time.time()))

    changes = threading.Thread(target=change)
    changes.start()
    try:
        yield
    finally:
        stop.set()
        changes.join()


def reads(server: RedisServer) -> int:
    """How often the server has read a topic's rows or log so far, in scripts too."""
    with connect(server.url) as client:
        found: Any = client.info("commandstats")
    names = ("hgetall", "xrange", "xrevrange")
    return sum(int(found.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in names)


def log(server: RedisServer, count: int) -> tuple[float, float, float]:
    """Bytes in Redis per point of a series, one point a frame; frames/s; bytes of node + worker."""
    python = lean_python()
    with site(server) as (place, options):
        command = [python, HERE / "points.py", options.url, options.prefix, str(count)]
        told = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        worker = started([str(word) for word in command], env=told, stdout=subprocess.PIPE)
        lean = partial(uvicorn, python=python)
        with served(worker) as working, node(place, lean) as (pid, port):
            assert worker.stdout is not None
            start = time.monotonic()
            worker.stdout.readline()
            rate = count / (time.monotonic() - start)
            swarm = Swarm(port, 1, hello=HELLO)
            swarm.run(2)
            held = resident(pid) + resident(working)
            swarm.close()
            with connect(server.url) as client:
                key = Keys(options.prefix).log("events")
                assert client.xlen(key) >= count
                used: Any = client.memory_usage(key, samples=0)
            return used / count, rate, held


def pipelined(server: RedisServer) -> float:
    """Entries/s that redis-benchmark appends to a stream with pipelining: the server's best."""
    words = ["XADD", "bench", "MAXLEN", "~", "20000", "*", "c", "3", "b", "[1795228255249,20.123]"]
    command = ["redis-benchmark", "-s", str(server.socket), "-P", "200", "-n", "300000", "-c", "1"]
    done = subprocess.run([*command, "--csv", *words], capture_output=True, text=True, check=True)
    return float(done.stdout.strip().splitlines()[-1].split('","')[1])


def pipeline(server: RedisServer, mode: str, rows: int, rate: float) -> tuple[float, float]:
    """Wall and CPU seconds of a pipeline with an empty callback, or of one that is published."""
    command = [sys.executable, str(HERE / "worker.py"), mode, str(rows), str(rate)]
    told = {"REDIS_URL": server.url, "PATHWAYVIZ_WORKER": "1", "PATHWAYVIZ_PREFIX": "bench"}
    environment = {**os.environ, **told, "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    wall, used = done.stdout.split()[-2:]
    return float(wall), float(used)


def slopes(server: RedisServer) -> dict[str, list[tuple[float, float]]]:
    """Cores of a node against viewers (10 frames/s each), and against updates/s (200 viewers)."""
    by_viewers = [(n, ours(server, uvicorn, n) * n * 10 / 1e6) for n in VIEWERS]
    by_rate = [(rate, updates(server, rate)[0]) for rate in RATES]
    return {"viewers": by_viewers, "updates/s": by_rate}


def median(values: list[Any]) -> Any:
    """The median; of tuples, by each part."""
    if isinstance(values[0], tuple):
        return tuple(median(list(part)) for part in zip(*values, strict=True))
    return sorted(values)[len(values) // 2]


def results(server: RedisServer, rounds: int) -> list[dict[str, Any]]:
    """All rows, medians of alternating rounds; what takes minutes is measured once."""
    measured: dict[str, list[Any]] = {}
    for _ in range(rounds):
        for name, measure in {
            "100": lambda: updates(server, 100),
            "10000": lambda: updates(server, 10_000),
            "stalled": lambda: stalled(server),
            "joined": lambda: joined(server, 2000),
            "empty": lambda: pipeline(server, "empty", 300_000, 0)[0],
            "published": lambda: pipeline(server, "published", 300_000, 0)[0],
        }.items():
            measured.setdefault(name, []).append(measure())
            print(f"  {name}: {measured[name][-1]}", file=sys.stderr, flush=True)
    of = {name: median(values) for name, values in measured.items()}
    slow, p99 = of["10000"]
    took, bare, history = of["joined"]
    busy = pipeline(server, "published", 80_000, 10_000)
    held, raw = idle(server, 5000)
    point, rate, both = log(server, POINTS)
    best = pipelined(server)
    return [
        row("node, 10,000 updates/s to 200 viewers", slow, "cores", "at 100 updates/s",
            of["100"][0], "× ≤ 1.5"),
        row("node, 10,000 updates/s", slow, "cores", "", None, "≤ 0.25"),
        row("publish → viewer at 10,000 updates/s, p99", p99, "ms", "", None, "≤ 150"),
        row("p99 of 190 viewers while 10 stall", of["stalled"][0], "ms", "all 200 read",
            of["stalled"][1], "× ≤ 1.2"),
        row("2,000 viewers join", took, "s", f"bare handshakes, {bare:.2f} s", bare, "× ≤ 3"),
        row("history reads per joining viewer", history, "", "", None, "≤ 0.1"),
        row("memory per idle viewer, 5,000 of them", held / 1000, "KB",
            f"raw ASGI, {raw / 1000:.0f} KB", raw / 1000, "× ≤ 1.5"),
        row("memory per idle viewer", held / 1000, "KB", "", None, "≤ 40"),
        row("a point in a log of 1,000,000", point, "bytes", "", None, "≤ 40"),
        row("node and worker beside it", both / 1e6, "MB", "", None, "≤ 100"),
        row("frames published", rate, "per s", "redis-benchmark XADD, pipelined", best, ""),
        row("pipeline, rows/s", 300_000 / of["published"], "rows/s", "empty on_change",
            300_000 / of["empty"], "× ≥ 0.5"),
        row("worker at 10,000 updates/s", busy[1] / busy[0], "cores", "", None, "≤ 0.5"),
    ]  # fmt: skip
