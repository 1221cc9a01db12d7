"""The examples as a user runs them: real pipelines, a real nginx."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from pathway_viz.bus.types import BusOptions
from tests.demo import eventually
from tests.integration.test_pipeline import environment, rows, snapshots
from tests.nodes import free_port
from tests.servers import started

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).parents[2] / "examples"

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log {folder}/access.log combined;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}; location /hello {{ return 200 "hello"; }} location / {{ return 404; }} }}
}}
"""


async def test_the_shop_publishes_its_dashboard(bus_options: BusOptions) -> None:
    worker = started([sys.executable, str(EXAMPLES / "shop.py")], env=environment(bus_options))
    try:
        async with asyncio.timeout(40):
            while len(found := await snapshots(bus_options)) < 4:
                await asyncio.sleep(0.1)
        ((revenue, orders, average),) = rows(found["revenue"])
        assert revenue == pytest.approx(orders * average, rel=1e-6)
        assert {region for region, *_ in rows(found["by-region"])} <= {
            *("us-east", "us-west", "europe", "asia")
        }
    finally:
        worker.kill()
        worker.wait()


def asked(address: str, path: str) -> bool:
    try:
        with urlopen(f"{address}{path}", timeout=5):
            return True
    except HTTPError:
        return True
    except OSError:
        return False


async def test_the_access_log_of_a_real_nginx_is_followed(
    bus_options: BusOptions, tmp_path: Path
) -> None:
    nginx, port = shutil.which("nginx") or "/usr/sbin/nginx", free_port()
    config = tmp_path / "nginx.conf"
    config.write_text(NGINX.format(folder=tmp_path, port=port))
    server = started([nginx, "-e", str(tmp_path / "error.log"), "-c", str(config)])
    log, address = tmp_path / "access.log", f"http://127.0.0.1:{port}"
    eventually(lambda: asked(address, "/hello"))
    worker = started(
        [sys.executable, str(EXAMPLES / "access_log.py"), str(log)],
        env=environment(bus_options),
    )
    try:
        for _ in range(5):
            asked(address, "/hello?x=1")
            asked(address, "/nothing")
        lines = len(log.read_text().splitlines())
        async with asyncio.timeout(40):
            while True:
                found = await snapshots(bus_options)
                if "requests" in found and rows(found["requests"])[0][0] == lines:
                    break
                await asyncio.sleep(0.1)
        await asyncio.to_thread(asked, address, "/late")
        not_found: dict[str, int] = {}
        async with asyncio.timeout(20):
            while not_found.get("404") != 6:
                await asyncio.sleep(0.1)
                if counts := (await snapshots(bus_options)).get("by-status"):
                    not_found = dict(rows(counts))
    finally:
        for process in (worker, server):
            process.kill()
            process.wait()
