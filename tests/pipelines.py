"""Pipelines that tests run as workers: real Pathway, in a process of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Self

from pathway_viz.bus.reader import Reader
from pathway_viz.bus.types import BusOptions
from tests.servers import started

HEAD = "import pathway as pw\nimport pathway_viz as pv\nimport time, datetime as dt, sys, os\n"


def environment(options: BusOptions, **more: str) -> dict[str, str]:
    """What a worker of a site is told."""
    return {
        **os.environ,
        "REDIS_URL": options.url,
        "PATHWAYVIZ_PREFIX": options.prefix,
        "PATHWAYVIZ_WORKER": "1",
        **more,
    }


class Worker:
    """``code`` as pipeline.py in a process of its own; ended with the block, if not before."""

    def __init__(self, directory: Path, options: BusOptions, code: str, **more: str) -> None:
        self._options = options
        self._path = directory / "pipeline.py"
        self._path.write_text(HEAD + textwrap.dedent(code))
        self._log = directory / "worker.log"
        self._environment = environment(options, **more)
        self.start()

    def start(self) -> None:
        """Run it (again)."""
        with self._log.open("ab") as log:
            command = [sys.executable, str(self._path)]
            self.process = started(
                command, env=self._environment, stdout=subprocess.DEVNULL, stderr=log
            )

    async def until_published(self, *topics: str, timeout: float = 30) -> None:
        """Wait until it has published all of ``topics``."""
        reader = Reader(self._options)
        try:
            async with asyncio.timeout(timeout):
                while set(topics) - set(await reader.states(topics)):
                    assert self.process.poll() is None, self.said
                    await asyncio.sleep(0.05)
        finally:
            await reader.close()

    @property
    def said(self) -> str:
        """What it wrote to its standard error."""
        return self._log.read_text()

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it and wait for its end."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


# One source, three tables at different depths of the dataflow: all count the same rows.
COUNTS = """
class Ticks(pw.io.python.ConnectorSubject):
    def run(self):
        i = 0
        while True:
            for _ in range(10):
                self.next(number=i, half=i // 2 % 100)
                i += 1
            time.sleep(0.005)
class S(pw.Schema):
    number: int
    half: int
ticks = pw.io.python.read(Ticks(), schema=S, autocommit_duration_ms=10)
shallow = ticks.reduce(n=pw.reducers.count())
halves = ticks.groupby(pw.this.half).reduce(n=pw.reducers.count())
deep = halves.groupby().reduce(n=pw.reducers.sum(pw.this.n))
deeper = deep.join(shallow).select(n=(pw.left.n + pw.right.n) // 2)
pv.configure(coalesce_ms=1)
pv.dashboard("counts", title="Counts", visibility="public")
for name, table in (("shallow", shallow), ("deep", deep), ("deeper", deeper)):
    pv.stat(table, "n", topic=name, title=name)
pv.run()
"""
