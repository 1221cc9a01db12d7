"""The demo as a user runs it, and its processes."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Self

import psutil

from tests.nodes import free_port
from tests.servers import started


class Demo:
    """``pathway-viz demo`` in a process of its own."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        command = [sys.executable, "-m", "pathway_viz.standalone.cli", *(arguments or ("demo",))]
        self.process = started(
            [*command, "--no-browser"],
            env={**os.environ, "PORT": str(free_port()), "REDIS_URL": "", **environment},
            stdout=subprocess.PIPE,
        )
        self.address = ""

    def __enter__(self) -> Self:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(rb"https?://\S+", line):
                self.address = found[0].decode()
                return self
        raise RuntimeError("The demo did not print its address.")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)

    @property
    def origin(self) -> str:
        return "/".join(self.address.split("/")[:3])

    def child(self, words: str) -> psutil.Process | None:
        """The one child whose command line holds ``words``; None while it is away."""
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if words in " ".join(child.cmdline()):
                    return child
        return None

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


CHILDREN = {
    "worker": "pathway_viz.demo",
    "node": "pathway_viz.standalone.node",
    "valkey": "valkey-server",
}


def eventually(true: Callable[[], object], timeout_s: float = 20) -> None:
    """Poll until it is true."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.05)
