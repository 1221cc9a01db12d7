"""The Redis servers that the tests start: a real Valkey and Debian's real Redis."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pathway_viz.bus import embedded
from pathway_viz.bus.connect import connect
from pathway_viz.bus.embedded import EmbeddedServer
from pathway_viz.bus.lifeline import tied_to_parent

SERVERS = ("valkey", "redis-7.0")


class RedisServer(EmbeddedServer):
    """One server in a directory of its own; ``name`` says which program."""

    def __init__(self, name: str, *options: str) -> None:
        self.name = name
        self.options = options
        super().__init__(Path(tempfile.mkdtemp(prefix="pv-test-")))

    def command(self) -> list[str]:
        command = super().command()
        return [str(self.program()), *command[1:], *self.options]

    def program(self) -> Path:
        if self.name == "valkey":
            return embedded.find_server()
        found = shutil.which("redis-server")
        if found is None:
            message = "redis-server (7.0) is missing: apt-get install redis-server"
            raise RuntimeError(message)
        return Path(found)

    def crash(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    def clear(self) -> None:
        with connect(self.url) as client:
            client.flushall()


def started(command: Sequence[str], **options: object) -> subprocess.Popen[bytes]:
    """Start a process that ends with the tests."""
    return subprocess.Popen(tied_to_parent(command), **options)  # type: ignore[call-overload]
