"""Nodes that are killed, paused and drained; viewers that stall, vanish and talk nonsense."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path

import pytest
import websockets

from pathway_viz.bus.types import BusOptions
from pathway_viz.web.message import _header
from tests.faults.watching import nothing_left, shop, until_agreed
from tests.feeder import Feeder
from tests.nodes import Node, Site, Viewer, free_port
from tests.servers import started


async def test_a_drained_node_sends_its_viewers_away_with_1012_and_ends(
    node: Node, site: Site, bus_options: BusOptions
) -> None:
    other = site.node("uvicorn")
    with Feeder(bus_options):
        async with shop(node) as viewer, shop(node) as second:
            await viewer.until(lambda v: len(v.of("update")) > 5)
            await second.until(lambda v: len(v.of("update")) > 5)
            node.process.send_signal(signal.SIGTERM)
            assert await viewer.until_closed() == 1012
            assert await second.until_closed() == 1012
            assert any(status["draining"] for status in viewer.of("status"))
        assert await asyncio.to_thread(node.process.wait, 15) in (0, -15, 1)
        async with shop(other, positions=viewer.positions) as resumed:
            resumed.topics = viewer.topics
            await resumed.until(lambda v: len(v.of("update")) > 5)
            assert resumed.of("snapshot") == []


async def test_a_paused_node_comes_back_without_a_hole(node: Node, bus_options: BusOptions) -> None:
    with Feeder(bus_options) as feeder:
        async with nothing_left(node), shop(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 5)
            node.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(3)  # what is measured: that time passes
            node.process.send_signal(signal.SIGCONT)
            await until_agreed(viewer, feeder)


async def test_14_viewers_that_stop_reading_are_dropped_and_hold_up_nobody(
    site: Site, bus_options: BusOptions, request: pytest.FixtureRequest
) -> None:
    from benchmarks.swarm import Swarm

    site.environment["PATHWAYVIZ_TEST_SETTINGS"] = (
        '{"SLOW_VIEWER_TIMEOUT_S": 3, "HEARTBEAT_MS": 1000, "OUTBOX_BYTES": 200000}'
    )
    node = site.node("uvicorn")
    hello = {"versions": [1], "dashboards": ["shop"], "positions": {}}
    with Feeder(bus_options, rate=2000):
        before = node.census()["resident"]
        swarm = await asyncio.to_thread(Swarm, node.port, 60, hello=hello, ack_s=0.5)
        stalled, others = swarm.members[:10], swarm.members[10:]
        await asyncio.to_thread(swarm.run, 1)
        swarm.pause(stalled)
        await asyncio.to_thread(swarm.run, 8)
        assert swarm.closed == 0, "a viewer that reads was closed"
        assert node.census()["viewers"] == len(others), "a viewer that does not read was kept"
        counts = [member.messages for member in others]
        assert min(counts) > max(counts) - 5 > 50
        assert node.census()["resident"] - before < 60_000_000
        swarm.close()


async def test_a_lagging_viewer_gets_the_state_and_every_event_when_it_reads_again(
    site: Site, bus_options: BusOptions
) -> None:
    """It acknowledges nothing for a while: more than its outbox holds, less than the timeout."""
    site.environment["PATHWAYVIZ_TEST_SETTINGS"] = '{"OUTBOX_BYTES": 20000}'
    node = site.node("uvicorn")
    with Feeder(bus_options, rate=2000) as feeder:
        async with nothing_left(node), shop(node) as viewer:
            await viewer.until(lambda v: len(v.of("update")) > 5)
            end = time.monotonic() + 3
            while time.monotonic() < end:  # reads, but paints nothing
                try:
                    async with asyncio.timeout(0.5):
                        viewer.take(await viewer.link.recv())
                except TimeoutError:
                    continue
            await viewer.say("ack", {"messages": viewer.messages})
            await viewer.until(lambda v: v.of("snapshot")[-1]["reason"] == "lag")
            await until_agreed(viewer, feeder)
            assert viewer.skipped.get("events", 0) == 0


async def test_15_viewers_that_never_answer_never_greet_or_vanish_leave_nothing(
    site: Site, bus_options: BusOptions, node: Node
) -> None:
    site.environment["PATHWAYVIZ_TEST_SETTINGS"] = (
        '{"SLOW_VIEWER_TIMEOUT_S": 2, "HEARTBEAT_MS": 500, "HELLO_TIMEOUT_S": 1}'
    )
    strict = site.node("uvicorn")
    with Feeder(bus_options):
        async with nothing_left(strict):
            async with Viewer.at(strict) as silent:
                assert await silent.until_closed() == 4400
            async with shop(strict) as mute:
                async with asyncio.timeout(10):
                    await read_to_the_end(mute)
                assert mute.link.close_code == 4408
        async with nothing_left(node):
            for _ in range(30):
                async with shop(node) as vanishing:
                    transport = vanishing.link.transport
                    linger = struct.pack("ii", 1, 0)  # a reset, not a goodbye
                    transport.get_extra_info("socket").setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, linger
                    )
                    transport.abort()


async def read_to_the_end(viewer: Viewer) -> None:
    """Read, and never answer."""
    with suppress(websockets.ConnectionClosed):
        while True:
            await viewer.link.recv()


NONSENSE = {
    "invalid UTF-8": (_header(2) + b"\xff\xfe", {1007, 4400}),
    "a compression bomb, without compression": (b"\xc1\x0a" + b"\0" * 10, {1002}),
    "nested 10,000 deep": (_header(20_000) + b"[" * 10_000 + b"]" * 10_000, {4400}),
    "oversized": (_header(70_000) + b'"' + b"x" * 69_998 + b'"', {4409}),
    "binary": (b"\x82\x04\1\2\3\4", {4400}),
    "an unknown version": (
        _header(44) + b'[{"version":9,"type":"hello","payload":{}  }]'[:44],
        {4400},
    ),
}


@pytest.mark.parametrize("what", NONSENSE)
async def test_16_malformed_input_is_closed_with_its_code_and_disturbs_nobody(
    what: str, node: Node, bus_options: BusOptions
) -> None:
    frame, codes = NONSENSE[what]
    if "daphne" in node.process.args:  # autobahn drops what breaks the protocol, without a code
        codes = codes | {1006}
    head, body = frame[:2], frame[2:]
    long = {126: 2, 127: 8}.get(head[1], 0)
    masked = head[:1] + bytes((head[1] | 0x80,)) + body[:long] + b"\0\0\0\0" + body[long:]
    with Feeder(bus_options) as feeder:
        async with nothing_left(node), shop(node) as neighbour:
            await neighbour.until(lambda v: len(v.of("update")) > 2)
            async with Viewer.at(node, dashboards=["shop"]) as viewer:
                viewer.link.transport.write(masked)
                assert await viewer.until_closed() in codes
            await until_agreed(neighbour, feeder)


HAPROXY = """
global
  maxconn 5000
defaults
  mode http
  timeout connect 5s
  timeout check 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 300s
  retries 3
  option redispatch
frontend all
  bind 127.0.0.1:{port}
  default_backend nodes
backend nodes
  balance leastconn
  option httpchk GET /readyz
  default-server check inter 500ms fall 2 rise 1
{servers}
"""


async def test_17_a_crowd_reconnects_through_haproxy_while_one_node_dies_and_one_is_replaced(
    site: Site, bus_options: BusOptions, tmp_path: Path
) -> None:
    from tests.faults.crowd import Crowd

    nodes = [site.node("uvicorn") for _ in range(2)]
    spare = free_port()
    ports = [nodes[0].port, nodes[1].port, spare]
    servers = "\n".join(f"  server n{i} 127.0.0.1:{port}" for i, port in enumerate(ports))
    port = free_port()
    config = tmp_path / "haproxy.cfg"
    config.write_text(HAPROXY.format(port=port, servers=servers))
    balancer = started(["/usr/sbin/haproxy", "-f", str(config), "-db"])
    try:
        with Feeder(bus_options, rate=5) as feeder:  # 2,000 viewers in one loop can hear no more
            crowd = Crowd(port, 2000)
            await crowd.gather(120)
            nodes[0].kill()
            await crowd.gather(120)
            site.node("uvicorn", spare)
            nodes[1].process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(nodes[1].process.wait, 30)
            await crowd.gather(120)
            await asyncio.to_thread(feeder.pause)
            await crowd.until_at(feeder.events, 60)
            assert crowd.holes == 0
            assert crowd.codes <= {1012, 1006, 1001}
            await crowd.leave()
    finally:
        balancer.kill()
        balancer.wait()
