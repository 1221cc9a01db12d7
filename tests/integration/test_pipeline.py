"""Real Pathway runs against a real Valkey: what the pipeline says is what stands in Redis."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from pathway_viz.bus.reader import Reader
from pathway_viz.bus.types import BusOptions, Snapshot
from tests.pipelines import HEAD, environment
from tests.servers import RedisServer, started


def script(tmp_path: Path, code: str) -> Path:
    path = tmp_path / "pipeline.py"
    path.write_text(HEAD + textwrap.dedent(code))
    return path


def run(options: BusOptions, path: Path) -> str:
    command = [sys.executable, str(path)]
    done = subprocess.run(
        command, env=environment(options), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


async def snapshots(options: BusOptions) -> dict[str, Snapshot]:
    reader = Reader(options)
    try:
        found = {name: await reader.snapshot(name, 1000) for name in await reader.catalogue()}
    finally:
        await reader.close()
    return {name: snapshot for name, snapshot in found.items() if snapshot}


def rows(snapshot: Snapshot) -> list[list[Any]]:
    kept = [json.loads(row) for _, row in snapshot.rows]
    return kept + [row for _, batch in snapshot.batches for row in json.loads(b"[%s]" % batch)]


async def test_a_groupby_is_published_with_its_widgets(
    bus_options: BusOptions, tmp_path: Path
) -> None:
    path = script(
        tmp_path,
        """
        orders = pw.debug.table_from_rows(
            pw.schema_from_types(region=str, amount=float), [("eu", 1.0), ("us", 2.0), ("eu", 3.0)]
        )
        totals = orders.groupby(pw.this.region).reduce(
            pw.this.region, total=pw.reducers.sum(pw.this.amount)
        )
        with pv.dashboard("shop", title="Shop"):
            pv.table(totals, title="Totals", sort_by="total")
            pv.chart(totals, y="total")
        pv.run()
        """,
    )
    run(bus_options, path)
    found = await snapshots(bus_options)
    assert sorted(rows(found["totals"])) == [["eu", 4.0], ["us", 2.0]]
    reader = Reader(bus_options)
    (board,) = await reader.dashboards()
    await reader.close()
    assert (board.slug, board.worker) == ("shop", "pipeline")
    assert [(w.kind, w.topic) for w in board.widgets] == [("table", "totals"), ("chart", "totals")]


async def test_updates_and_deletes_lead_to_the_pipelines_state(
    bus_options: BusOptions, tmp_path: Path
) -> None:
    path = script(
        tmp_path,
        """
        class Numbers(pw.io.python.ConnectorSubject):
            def run(self):
                for i in range(200):
                    self.next(key=i % 7, value=i)
                    if i % 10 == 0: time.sleep(0.01)
                    if i >= 7: self.delete(key=i % 7, value=i - 7)
        class S(pw.Schema):
            key: int
            value: int
        numbers = pw.io.python.read(Numbers(), schema=S, autocommit_duration_ms=10)
        kept = numbers.groupby(pw.this.key).reduce(pw.this.key, top=pw.reducers.max(pw.this.value))
        pv.table(kept.filter(pw.this.key != 3), title="kept")
        pv.run()
        """,
    )
    run(bus_options, path)
    found = rows((await snapshots(bus_options))["kept"])
    expected = {key: max(i for i in range(200) if i % 7 == key) for key in range(7) if key != 3}
    assert dict(found) == expected


async def test_every_pathway_type_is_carried(bus_options: BusOptions, tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        import numpy as np
        class S(pw.Schema):
            i: int
            f: float
            b: bool
            s: str
            y: bytes
            n: pw.DateTimeNaive
            u: pw.DateTimeUtc
            d: pw.Duration
            j: pw.Json
            a: np.ndarray
            t: tuple[int, str]
            o: int | None
        class Once(pw.io.python.ConnectorSubject):
            def run(self):
                self.next(
                    i=2**63 - 1, f=float("nan"), b=True, s="ä", y=b"x",
                    n=pw.DateTimeNaive(2026, 1, 2, 3, 4, 5),
                    u=pw.DateTimeUtc("2026-01-02T03:04:05+00:00"),
                    d=pw.Duration(seconds=90), j=pw.Json({"k": [1]}),
                    a=np.array([1.5, 2.5]), t=(1, "z"), o=None,
                )
        table = pw.io.python.read(Once(), schema=S)
        pv.table(table.select(*pw.this, p=pw.this.id), title="types")
        pv.run()
        """,
    )
    run(bus_options, path)
    (row,) = rows((await snapshots(bus_options))["types"])
    reader = Reader(bus_options)
    topic = (await reader.catalogue())["types"]
    await reader.close()
    assert row[:5] == ["9223372036854775807", None, True, "ä", "eA=="]
    assert row[5:9] == ["2026-01-02T03:04:05", "2026-01-02T03:04:05+00:00", 90.0, {"k": [1]}]
    assert row[9:12] == [[1.5, 2.5], [1, "z"], None]
    assert row[12].startswith("^")
    assert [str(c.type) for c in topic.columns] == [
        *["int", "float", "bool", "str", "bytes", "datetime_naive", "datetime", "duration"],
        *["json", "array", "tuple", "int", "pointer"],
    ]
    assert topic.nonfinite == ("f",)


async def test_values_are_sent_from_many_threads_and_processes(
    bus_options: BusOptions, tmp_path: Path
) -> None:
    path = tmp_path / "send.py"
    path.write_text(
        textwrap.dedent(
            """
            import sys, threading
            import pathway_viz as pv
            gauge = pv.gauge("cpu", max=1000)
            hosts = pv.table("hosts", columns=["host", "load"], key="host")
            def send(start):
                for i in range(100):
                    gauge.send(start + i, at=1000 + start + i)
                    hosts.send({"host": f"h{i % 3}", "load": i})
            start = int(sys.argv[1])
            threads = [threading.Thread(target=send, args=(start + 100 * n,)) for n in range(3)]
            [t.start() for t in threads]
            [t.join() for t in threads]
            assert gauge.flush(10)
            assert "pathway" not in sys.modules
            """
        )
    )
    command = [sys.executable, str(path)]
    workers = [started([*command, str(n * 1000)], env=environment(bus_options)) for n in range(2)]
    assert [await asyncio.to_thread(worker.wait, 30) for worker in workers] == [0, 0]
    found = await snapshots(bus_options)
    sent = rows(found["cpu"])
    assert sorted(value for _, value in sent) == [
        n * 1000 + i for n in range(2) for i in range(300)
    ]
    assert all(at == (1000 + value) * 1000 for at, value in sent)
    assert sorted(host for host, _ in rows(found["hosts"])) == ["h0", "h1", "h2"]


LIVE = """
    class Ticks(pw.io.python.ConnectorSubject):
        def run(self):
            for i in range(3000):
                self.next(number=i)
                time.sleep(0.002)
    class S(pw.Schema):
        number: int
    ticks = pw.io.python.read(Ticks(), schema=S, autocommit_duration_ms=20)
    still = pw.debug.table_from_rows(pw.schema_from_types(a=int), [(1,)])
    pv.stat(ticks.reduce(count=pw.reducers.count()), title="count")
    pv.table(still, title="still")
    pv.chart(ticks, y="number", title="numbers")
    pv.run()
"""


async def until_rows(options: BusOptions, topic: str, at_least: int) -> None:
    async with asyncio.timeout(40):
        while True:
            found = (await snapshots(options)).get(topic)
            if found and rows(found)[0][0] >= at_least:
                return
            await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_an_emptied_redis_is_whole_again_without_a_row_changing(tmp_path: Path) -> None:
    server = RedisServer("valkey")
    server.start()
    options = BusOptions(url=server.url, prefix="t")
    worker = started([sys.executable, str(script(tmp_path, LIVE))], env=environment(options))
    try:
        await until_rows(options, "count", 100)
        server.clear()
        await until_rows(options, "count", 300)
        async with asyncio.timeout(10):
            while "still" not in (found := await snapshots(options)):
                await asyncio.sleep(0.05)
        assert rows(found["still"]) == [[1]]
    finally:
        worker.kill()
        worker.wait()
        server.remove()


@pytest.mark.slow
async def test_the_pipeline_does_not_wait_for_redis_and_catches_up(tmp_path: Path) -> None:
    server = RedisServer("valkey")
    server.start()
    options = BusOptions(url=server.url, prefix="t")
    path = script(tmp_path, LIVE)
    worker = started([sys.executable, str(path)], env=environment(options), stderr=subprocess.PIPE)
    try:
        await until_rows(options, "count", 100)
        server.stop()
        await asyncio.sleep(1)
        server.start()
        assert await asyncio.to_thread(worker.wait, 40) == 0
        found = await snapshots(options)
        assert rows(found["count"]) == [[3000]]
        numbers = [number for (number,) in rows(found["numbers"])]
        assert sorted(numbers) == list(range(min(numbers), 3000))
    finally:
        worker.kill()
        said = (await asyncio.to_thread(worker.communicate))[1].decode()
        server.remove()
    assert said.count("Publishing goes on as soon as it answers") == 1
    assert "Traceback" not in said


@pytest.mark.slow
async def test_a_second_worker_is_refused_and_takes_over_when_the_first_is_dead(
    bus_options: BusOptions, tmp_path: Path
) -> None:
    path = script(tmp_path, LIVE)
    first = started([sys.executable, str(path)], env=environment(bus_options))
    await until_rows(bus_options, "count", 50)
    second = started(
        [sys.executable, str(path)], env=environment(bus_options), stderr=subprocess.PIPE
    )
    try:
        assert second.stderr is not None
        while b"is owned by another publisher" not in await asyncio.to_thread(
            second.stderr.readline
        ):
            assert second.poll() is None
        first.kill()
        first.wait()
        assert await asyncio.to_thread(second.wait, 60) == 0
        found = await snapshots(bus_options)
        assert rows(found["count"]) == [[3000]]
    finally:
        second.kill()
        second.communicate()


def test_a_redis_that_is_not_there_is_one_clear_sentence(tmp_path: Path) -> None:
    path = script(tmp_path, "pv.gauge('cpu'); pv.start()")
    url = "redis://somebody:secret@127.0.0.1:1/0"
    env = {**os.environ, "REDIS_URL": url, "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(path)],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "Redis at redis://127.0.0.1:1/0 did not answer" in last
    assert "secret" not in done.stderr
