"""Real web nodes in processes of their own, and viewers that apply what they are sent."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

import websockets

from pathway_viz.bus.types import BusOptions
from tests.contract.reference import Topic
from tests.servers import started

ROOT = Path(__file__).parents[1]
ASGI_SERVERS = ("daphne", "uvicorn")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _command(server: str, port: int) -> list[str]:
    host, target = "127.0.0.1", "tests.asgi:application"
    if server == "daphne":
        return [sys.executable, "-m", "daphne", "-b", host, "-p", str(port), "-v", "0", target]
    flags = ["--ws", "pathway_viz.web.uvicorn_protocol:Frames", "--ws-per-message-deflate", "false"]
    quiet = ["--log-level", "warning", "--timeout-graceful-shutdown", "3"]
    return [
        *[sys.executable, "-m", "uvicorn", "--host", host, "--port", str(port)],
        *flags,
        *quiet,
        target,
    ]


class Site:
    """A database and an environment, shared by any number of nodes."""

    def __init__(
        self,
        options: BusOptions,
        directory: Path,
        template: Path | None = None,
        **settings: object,
    ) -> None:
        self.options = options
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PATHWAYVIZ_TEST_DB": str(directory / "site.sqlite3"),
            "PATHWAYVIZ_TEST_REDIS": options.url,
            "PATHWAYVIZ_TEST_PREFIX": options.prefix,
            "PATHWAYVIZ_TEST_SETTINGS": json.dumps(settings),
        }
        self._nodes: list[Node] = []
        if template is None:
            self.manage("migrate", "--verbosity", "0")
        else:
            shutil.copy(template, self.environment["PATHWAYVIZ_TEST_DB"])

    def manage(self, *arguments: str, warnings: bool = True) -> str:
        flags = ["-W", "error"] if warnings else []
        command = [sys.executable, *flags, "-m", "django", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    def shell(self, code: str) -> str:
        """Run code with the models at hand, in a process that has the site's database."""
        prelude = (
            "from django.contrib.auth.models import Group, User\n"
            "from pathway_viz.models import Dashboard, Widget\n"
        )
        return self.manage("shell", "--no-imports", "-c", prelude + code).strip()

    def node(self, server: str, port: int = 0) -> Node:
        node = Node(server, self, port)
        self._nodes.append(node)
        return node

    def stop(self) -> None:
        for node in self._nodes:
            node.kill()


class Node:
    """One web node."""

    def __init__(self, server: str, site: Site, port: int = 0) -> None:
        self.port = port or free_port()
        self.server = server
        self.process = started(_command(server, self.port), cwd=ROOT, env=site.environment)
        self._wait()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket(self) -> str:
        return f"ws://127.0.0.1:{self.port}/pathway_viz/ws/"

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(how)
        self.process.wait(20)

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return
            time.sleep(0.02)
        raise RuntimeError("The node did not start.")

    def census(self) -> dict[str, Any]:
        """What its process holds: tasks, threads, files, viewers, topics, memory."""
        found: dict[str, Any] = json.loads(self.get("/-/census"))
        return found

    def get(self, path: str) -> str:
        with urlopen(self.address + path, timeout=10) as answer:
            return str(answer.read().decode())


class Viewer:
    """A viewer as the browser would be one: applies snapshots and updates, notes everything."""

    def __init__(self, link: websockets.ClientConnection) -> None:
        self.link = link
        self.messages = 0
        self.heard: list[dict[str, Any]] = []
        self.topics: dict[str, Topic] = {}

    @classmethod
    @asynccontextmanager
    async def at(cls, node: Node, cookie: str = "", **hello: Any) -> AsyncIterator[Self]:
        headers = {"Origin": node.address, **({"Cookie": cookie} if cookie else {})}
        async with websockets.connect(node.socket, additional_headers=headers) as link:
            viewer = cls(link)
            if hello:
                await viewer.say("hello", {"versions": [1], **hello})
            yield viewer

    async def say(self, kind: str, payload: object) -> None:
        await self.link.send(json.dumps([{"version": 1, "type": kind, "payload": payload}]))

    async def until(self, true: Callable[[Self], bool], timeout: float = 10) -> Self:
        async with asyncio.timeout(timeout):
            while not true(self):
                self.take(await self.link.recv())
                await self.say("ack", {"messages": self.messages})
        return self

    async def until_closed(self, timeout: float = 10) -> int | None:
        with suppress(websockets.ConnectionClosed):
            await self.until(lambda _: False, timeout)
        return self.link.close_code

    def take(self, text: str | bytes) -> None:
        self.messages += 1
        for envelope in json.loads(text):
            self.heard.append(envelope)
            if envelope["type"] in ("snapshot", "update"):
                frame = envelope["payload"]
                topic = self.topics.setdefault(frame["topic"], Topic())
                became = topic.take(envelope["type"], frame)
                assert became == "applied", f"{became}: {frame['position']} after {topic.position}"

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [envelope["payload"] for envelope in self.heard if envelope["type"] == kind]

    @property
    def rows(self) -> dict[str, dict[str, list[Any]]]:
        return {name: topic.rows for name, topic in self.topics.items()}

    @property
    def events(self) -> dict[str, list[list[Any]]]:
        return {name: topic.events for name, topic in self.topics.items()}

    @property
    def positions(self) -> dict[str, str]:
        return {name: str(topic.position) for name, topic in self.topics.items()}

    @property
    def counts(self) -> dict[str, int]:
        """How many rows there have been, with those that a bound dropped."""
        return {name: (topic.so_far or 0) + topic.dropped for name, topic in self.topics.items()}

    @property
    def skipped(self) -> dict[str, int]:
        return {name: topic.skipped for name, topic in self.topics.items()}
