"""Starts what a script needs to be seen: a Valkey, unless there is a Redis, and a web node."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
import webbrowser
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from pathway_viz.bus.connect import connect, reaching
from pathway_viz.bus.embedded import EmbeddedServer, find_server, resolve_url
from pathway_viz.bus.reader import Reader
from pathway_viz.bus.types import BusOptions
from pathway_viz.errors import BusUnreachable
from pathway_viz.standalone.supervisor import Child, Supervisor

DEFAULT_PORT: Final = 8000
_PORTS_TRIED: Final = 100
_READY_TIMEOUT_S: Final = 60.0
_DECLARED_TIMEOUT_S: Final = 15.0


class Launched:
    """A running Valkey and web node."""

    def __init__(self, state: Path, *, keep_state: bool) -> None:
        self.supervisor = Supervisor()
        self.state = state
        self._keep_state = keep_state
        self._bus = Path(tempfile.mkdtemp(prefix="pathway_viz-"))
        self.redis_url = ""
        self.address = ""

    def start(self, redis_url: str | None) -> None:
        """Start all, side by side; returns before they are ready."""
        self.redis_url = redis_url or self._start_valkey()
        port = free_port()
        self.address = f"http://127.0.0.1:{port}/"
        environment = {"REDIS_URL": self.redis_url, "PATHWAYVIZ_STATE": str(self.state)}
        node = [sys.executable, "-m", "pathway_viz.standalone.node", str(port)]
        self.supervisor.add(Child(name="web node", command=node, environment=environment))

    def stop(self) -> None:
        """End all of it."""
        self.supervisor.stop()
        shutil.rmtree(self._bus, ignore_errors=True)
        if not self._keep_state:
            shutil.rmtree(self.state, ignore_errors=True)

    def wait_until_ready(self) -> bool:
        """Wait until the page can be opened; False after a minute."""
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                with urlopen(self.address, timeout=5):  # noqa: S310 - our own address
                    return True
            except (URLError, OSError):
                time.sleep(0.05)
        return False

    def _start_valkey(self) -> str:
        find_server()  # a clear error now, not in the supervisor
        server = EmbeddedServer(self._bus)
        self.supervisor.add(
            Child(name="Valkey", command=server.command(), before=server.clear_socket)
        )
        return server.url


def launch(*, worker: str, redis_url: str = "", open_browser: bool | None = None) -> Launched:
    """Start a Valkey (unless there is a Redis) and a web node beside this process.

    Args:
        worker: the stable name of the program, by which its dashboards are kept.
        redis_url: a Redis that was configured; else REDIS_URL is looked at.
        open_browser: whether to open the page; None: if a person seems to be there.

    Raises:
        BusMissing: if there is no Redis and none can be started.
        BusUnreachable: if the Redis that is named does not answer.

    """
    url = redis_url or resolve_url(os.environ)
    if url:
        with reaching(url), connect(url) as client:
            client.ping()
    launched = Launched(state_directory(worker), keep_state=True)
    launched.start(url)
    threading.Thread(
        target=announce, args=(launched, open_browser), name="pathway_viz ready", daemon=True
    ).start()
    return launched


def announce(launched: Launched, open_browser: bool | None) -> None:  # noqa: FBT001
    """Print the address once the page can be opened, and open it for a person."""
    if not launched.wait_until_ready():
        print("The web node does not answer; see the messages above.", file=sys.stderr)
        return
    slugs = asyncio.run(_declared(launched.redis_url))
    address = launched.address + (f"{slugs[0]}/" if len(slugs) == 1 else "")
    print(f"\n  Live at {address}   (Ctrl-C ends it)\n", flush=True)
    if _somebody_is_there() if open_browser is None else open_browser:
        webbrowser.open(address)


async def _declared(url: str) -> list[str]:
    """The dashboards that the pipeline declares; a slow one is not waited for long."""
    reader = Reader(BusOptions(url=url, prefix=os.environ.get("PATHWAYVIZ_PREFIX") or "pv"))
    found: list[str] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DECLARED_TIMEOUT_S):
            while not found:
                with contextlib.suppress(BusUnreachable):
                    found = [spec.slug for spec in await reader.dashboards()]
                await asyncio.sleep(0.05)
    await reader.close()
    return found


def state_directory(worker: str) -> Path:
    """Where a program's dashboards are kept, so that what an administrator changed stays."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "pathway_viz" / worker


def free_port() -> int:
    """PORT, or the next port after it that is free."""
    first = int(os.environ.get("PORT") or DEFAULT_PORT)
    for port in range(first, first + _PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port != first:
                print(f"Port {first} is in use; taking {port}.", file=sys.stderr)
            return port
    raise SystemExit(f"No port from {first} to {first + _PORTS_TRIED - 1} is free; set PORT.")


def _somebody_is_there() -> bool:
    remote = any(os.environ.get(name) for name in ("CI", "SSH_CONNECTION"))
    shown = sys.platform != "linux" or bool(os.environ.get("DISPLAY"))
    return sys.stdout.isatty() and shown and not remote
