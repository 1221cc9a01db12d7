"""The demo's pipeline: this machine's vital signs, several times a second, through Pathway.

``python -m pathway_viz.demo``, or `pathway-viz demo`, or `make demo`.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from typing import Any

import pathway as pw
import psutil

import pathway_viz as pv

EVERY_S = 0.25
KEPT = dt.timedelta(seconds=150)
WINDOW = dt.timedelta(seconds=1)


class Core(pw.Schema):
    """How busy one processor core was."""

    time: pw.DateTimeUtc
    core: str
    percent: float


class Counters(pw.Schema):
    """What the machine counts since it started, and how full its memory is."""

    time: pw.DateTimeUtc
    memory: float
    load: float
    received: int
    sent: int
    read: int
    written: int


class Process(pw.Schema):
    """One process, as it was last seen."""

    pid: int = pw.column_definition(primary_key=True)
    name: str
    user: str
    cpu: float
    memory: int
    threads: int


class Beat(pw.io.python.ConnectorSubject):
    """Reads something every ``every`` seconds."""

    every = EVERY_S

    def run(self) -> None:
        """Read for ever."""
        while True:
            self.look(dt.datetime.now(dt.UTC))
            time.sleep(self.every)

    def look(self, now: dt.datetime) -> None:
        """Read once."""
        raise NotImplementedError


class Cores(Beat):
    """Every core's share of busy time since the last reading."""

    def look(self, now: dt.datetime) -> None:
        """One row a core."""
        for number, percent in enumerate(psutil.cpu_percent(percpu=True)):
            self.next(time=now, core=f"core {number + 1}", percent=percent)


class Machine(Beat):
    """The machine's counters."""

    def look(self, now: dt.datetime) -> None:
        """One row."""
        network, disk = psutil.net_io_counters(), psutil.disk_io_counters()
        self.next(
            time=now,
            memory=psutil.virtual_memory().percent,
            load=psutil.getloadavg()[0],
            received=network.bytes_recv if network else 0,
            sent=network.bytes_sent if network else 0,
            read=disk.read_bytes if disk else 0,
            written=disk.write_bytes if disk else 0,
        )


class Processes(Beat):
    """The processes; those that ended are taken back."""

    every = 1.0

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[int, dict[str, Any]] = {}

    def look(self, now: dt.datetime) -> None:  # noqa: ARG002
        """Every process that changed."""
        found = {int(row["pid"]): row for row in map(_process, psutil.process_iter()) if row}
        for pid in self._seen.keys() | found.keys():
            self._replace(self._seen.get(pid), found.get(pid))
        self._seen = found

    def _replace(self, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        if old == new:
            return
        if old:
            self.delete(**old)
        if new:
            self.next(**new)


def _process(process: psutil.Process) -> dict[str, Any] | None:
    try:
        with process.oneshot():
            return {
                "pid": process.pid,
                "name": process.name(),
                "user": process.username(),
                "cpu": round(process.cpu_percent(), 1),
                "memory": process.memory_info().rss,
                "threads": process.num_threads(),
            }
    except psutil.Error:
        return None


def _source(subject: Beat, schema: type[pw.Schema]) -> pw.Table:
    return pw.io.python.read(subject, schema=schema, autocommit_duration_ms=50)


def _rates(machine: pw.Table) -> pw.Table:
    """Bytes per second: the counters' growth in each of a row of overlapping windows."""
    counted = machine.windowby(
        pw.this.time,
        window=pw.temporal.sliding(hop=dt.timedelta(seconds=0.5), duration=WINDOW),
        behavior=pw.temporal.common_behavior(cutoff=KEPT, keep_results=False),
    )
    return counted.reduce(
        time=pw.this["_pw_window_end"],
        received=_growth(pw.this.received),
        sent=_growth(pw.this.sent),
        read=_growth(pw.this.read),
        written=_growth(pw.this.written),
    )


def _growth(counter: pw.ColumnExpression) -> pw.ColumnExpression:
    return (pw.reducers.max(counter) - pw.reducers.min(counter)) / WINDOW.total_seconds()


def _programs(processes: pw.Table) -> pw.Table:
    """Processes of one name together, each with its share of all memory in use."""
    programs = processes.groupby(pw.this.name).reduce(
        program=pw.this.name,
        processes=pw.reducers.count(),
        cpu=pw.reducers.sum(pw.this.cpu),
        memory=pw.reducers.sum(pw.this.memory),
    )
    total = processes.reduce(memory=pw.reducers.sum(pw.this.memory))
    return programs.join(total).select(*pw.left, share=100 * pw.left.memory / (pw.right.memory + 1))


def build() -> None:
    """Declare the pipeline and its dashboard."""
    cores = _source(Cores(), Core)
    machine = _source(Machine(), Counters)
    processes = _source(Processes(), Process)
    rates = _rates(machine)
    readings = cores.windowby(
        pw.this.time,
        window=pw.temporal.tumbling(dt.timedelta(seconds=EVERY_S)),
        behavior=pw.temporal.common_behavior(cutoff=WINDOW, keep_results=False),
    )
    all_cores = readings.reduce(busy=pw.reducers.avg(pw.this.percent))
    count = processes.reduce(
        processes=pw.reducers.count(), threads=pw.reducers.sum(pw.this.threads)
    )

    pv.dashboard(
        "machine",
        title="This machine",
        description="Its vital signs, read several times a second with psutil, run through a "
        "Pathway pipeline (windows, groupbys, a join), published to Redis and drawn here as they "
        "come. Every number is as old as the line above says.",
    )
    full = {"warning": 75, "critical": 90}
    pv.gauge(all_cores, title="CPU", unit="%", format=".0f", thresholds=full)
    pv.gauge(machine, "memory", title="Memory", unit="%", format=".0f", thresholds=full)
    pv.stat(
        machine,
        "load",
        title="Load",
        description="processes that want to run, 1 min",
        format=".2f",
        sparkline=True,
    )
    pv.stat(count, "processes", title="Processes", sparkline=True, delta=True, delta_good="neither")
    pv.chart(
        cores,
        x="time",
        y="percent",
        series="core",
        title="CPU by core",
        description="share of time each core was busy",
        style="area",
        unit="%",
        y_min=0,
        y_max=100,
        window_s=120,
    )
    pv.chart(
        rates,
        x="time",
        y=["received", "sent"],
        title="Network",
        description="bytes per second, all interfaces",
        format=".2~s",
        unit="B/s",
        y_min=0,
        window_s=120,
    )
    pv.chart(
        rates,
        x="time",
        y=["read", "written"],
        title="Disk",
        description="bytes per second, all disks",
        format=".2~s",
        unit="B/s",
        y_min=0,
        window_s=120,
    )
    pv.table(
        _programs(processes),
        title="Memory by program",
        description="processes of one name together",
        columns=["program", "processes", "memory", "share"],
        sort_by="memory",
        descending=True,
        formats={"memory": "bytes", "share": "bar"},
        max_rows=30,
    )
    pv.table(
        processes,
        title="Busiest processes",
        description="once a second; click a heading to sort",
        columns=["pid", "name", "user", "cpu", "memory", "threads"],
        sort_by="cpu",
        descending=True,
        formats={"pid": "code", "cpu": "bar", "memory": "bytes", "user": "badge"},
        max_rows=40,
        size="full",
    )


if __name__ == "__main__":
    logging.disable(logging.INFO)  # Pathway tells of every batch
    build()
    pv.run()
