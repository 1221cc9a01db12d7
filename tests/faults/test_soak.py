"""Half an hour of comings and goings (`make soak`; three minutes by itself): nothing may grow."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import psutil
import pytest
import redis
import websockets
from playwright.async_api import CDPSession, Page, async_playwright

from pathway_viz.bus.types import BusOptions
from tests.chromium import FLAGS, PAINTED, executable
from tests.faults.watching import nothing_left, shop
from tests.nodes import ROOT, Node, Site
from tests.servers import RedisServer, started

SOAK_S = float(os.environ.get("SOAK_S", "180"))
CHURNERS = 30
MEGABYTE = 1_000_000
COME_AND_GO = {"page elements": 150, "daphne files": CHURNERS, "uvicorn files": CHURNERS}
ROWS = """() => Object.fromEntries(
  document.querySelector('pv-dashboard').page.store.topics.get('regions').rows)"""

Sample = dict[str, float]


@pytest.mark.timeout(SOAK_S + 180)
async def test_19_a_soak_with_churn_leaves_memory_and_threads_flat(
    site: Site, bus_options: BusOptions, server: RedisServer
) -> None:
    site.environment["PATHWAYVIZ_TEST_STATIC"] = "1"
    nodes = [site.node("daphne"), site.node("uvicorn")]
    samples: list[Sample] = []
    with redis.Redis.from_url(server.url) as client:
        async with fed(bus_options) as worker, open_page(nodes[1]) as (page, tools):
            async with nothing_left(nodes[0]), churned(nodes, client, site):
                end = time.monotonic() + SOAK_S
                while time.monotonic() < end:
                    await asyncio.sleep(min(5.0, SOAK_S / 40))
                    samples.append(await sample(nodes, worker, tools, client))
            worker.terminate()  # it publishes what waits, and gives its topics free
            await asyncio.to_thread(worker.wait, 20)
            await until_same(page, client, f"{bus_options.prefix}:{{regions}}:rows")
    for name in samples[0]:
        assert_flat(name, [one[name] for one in samples])


def assert_flat(name: str, values: list[float]) -> None:
    """The least of the last quarter is that of the second, but for 5% and what comes and goes.

    The least, since what waits to be collected comes on top of what is held.
    """
    quarter = len(values) // 4
    early = min(values[quarter : 2 * quarter])
    late = min(values[-quarter:])
    noise = MEGABYTE if name.endswith("bytes") else COME_AND_GO.get(name, 2)
    print(f"{name}: {early:,.0f} → {late:,.0f}")
    assert late <= early * 1.05 + noise, f"{name} grew from {early:,.0f} to {late:,.0f}: {values}"


async def sample(nodes: list[Node], worker: Any, tools: CDPSession, client: redis.Redis) -> Sample:
    """What everybody holds just now."""
    found: Sample = {}
    for node in nodes:
        held = await asyncio.to_thread(node.census)
        found[f"{node.server} bytes"] = held["resident"]
        found[f"{node.server} threads"] = held["threads"]
        found[f"{node.server} files"] = held["files"]
    feeding = psutil.Process(worker.pid)
    found["worker bytes"] = feeding.memory_info().rss
    found["worker threads"] = feeding.num_threads()
    found["Redis bytes"] = client.info("memory")["used_memory_dataset"]  # type: ignore[index]
    await tools.send("HeapProfiler.collectGarbage")
    found["page heap bytes"] = (await tools.send("Runtime.getHeapUsage"))["usedSize"]
    counters = await tools.send("Memory.getDOMCounters")
    found["page elements"] = counters["nodes"]
    found["page listeners"] = counters["jsEventListeners"]
    return found


@asynccontextmanager
async def fed(options: BusOptions) -> AsyncIterator[Any]:
    """A worker in a process of its own, at 1,000 commits a second; its log is soon full."""
    command = [sys.executable, "-m", "tests.feeder", options.url, options.prefix, "1000", "300"]
    worker = started(command, cwd=ROOT)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


@asynccontextmanager
async def open_page(node: Node) -> AsyncIterator[tuple[Page, CDPSession]]:
    """The dashboard in a Chromium that stays."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        page = await browser.new_page()
        async with asyncio.timeout(30):
            while (await page.goto(f"{node.address}/live/shop/")).status != 200:  # type: ignore[union-attr]
                await asyncio.sleep(0.2)  # until the node has heard of what the worker declares
        await page.wait_for_function(PAINTED)
        yield page, await page.context.new_cdp_session(page)
        await browser.close()


@asynccontextmanager
async def churned(nodes: list[Node], client: redis.Redis, site: Site) -> AsyncIterator[None]:
    """Meanwhile viewers come, go and vanish, subscriptions break and dashboards are edited."""
    work = [asyncio.create_task(come_and_go(nodes)) for _ in range(CHURNERS)]
    work += [asyncio.create_task(break_links(client)), asyncio.create_task(edit(site))]
    try:
        yield
        assert not any(task.done() for task in work), [t.exception() for t in work if t.done()]
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


async def come_and_go(nodes: list[Node]) -> None:
    while True:
        stay = random.uniform(0.1, 5)
        with suppress(TimeoutError, websockets.ConnectionClosed):
            async with shop(random.choice(nodes)) as viewer:
                if random.random() < 0.3:
                    await asyncio.sleep(stay)  # it never reads
                    viewer.link.transport.abort()
                else:
                    await viewer.until(lambda _: False, stay)


async def break_links(client: redis.Redis) -> None:
    while True:
        await asyncio.sleep(11)
        client.client_kill_filter(_type="pubsub")


async def edit(site: Site) -> None:
    for number in range(1_000_000):
        await asyncio.sleep(20)
        title = f"w = Widget.objects.get(name='events'); w.title = 'Events {number}'; w.save()"
        await asyncio.to_thread(site.shell, title)


async def until_same(page: Page, client: redis.Redis, key: str) -> None:
    """The page comes to hold exactly the rows that the publisher left in Redis."""
    held: Any = client.hgetall(key)
    truth = {msgspec.json.decode(k): msgspec.json.decode(v) for k, v in held.items()}
    assert truth
    async with asyncio.timeout(20):
        while await page.evaluate(ROWS) != truth:
            await asyncio.sleep(0.2)
