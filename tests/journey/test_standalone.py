"""Script mode as a user lives it: one command, one script, and nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from tests.demo import Demo, eventually
from tests.nodes import free_port
from tests.servers import started

pytestmark = pytest.mark.slow

SENDER = """
import time
import pathway_viz as pv

pv.title("Hello")
gauge = pv.gauge("cpu", max=100, unit="%")
pv.start()
while True:
    gauge.send(42)
    time.sleep(0.1)
"""


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_survives_the_supervisor(how: signal.Signals) -> None:
    with Demo() as demo:
        family = demo.family()
        assert len(family) >= 3
        demo.process.send_signal(how)
        demo.process.wait(30)
        eventually(lambda: gone(family))


def test_a_plain_script_serves_its_own_page_and_takes_it_along(tmp_path: Path) -> None:
    path, port = tmp_path / "hello.py", free_port()
    path.write_text(SENDER)
    environment = {
        **os.environ,
        "PORT": str(port),
        "REDIS_URL": "",
        "XDG_STATE_HOME": str(tmp_path),
    }
    script = started([sys.executable, str(path)], env=environment, stdout=subprocess.PIPE)
    assert script.stdout is not None
    eventually(lambda: b"/main/" in script.stdout.readline())  # type: ignore[union-attr]
    with urlopen(f"http://127.0.0.1:{port}/main/") as answer:
        assert "Hello" in answer.read().decode()
    family = psutil.Process(script.pid).children(recursive=True)
    script.kill()
    script.communicate()
    eventually(lambda: gone(family))


def test_a_port_in_use_is_passed_by() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with Demo(PORT=str(port)) as demo:
            assert int(demo.origin.rpartition(":")[2]) > port


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pathway_viz.standalone.cli", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_file_that_is_not_there_is_named() -> None:
    done = command("run", "nothing.py")
    assert (done.returncode, "no file nothing.py" in done.stderr) == (2, True)


def test_a_redis_that_does_not_answer_fails_the_check(tmp_path: Path, redis_url: str) -> None:
    bad = command("check", REDIS_URL="redis://127.0.0.1:1/0", XDG_STATE_HOME=str(tmp_path))
    assert (bad.returncode, "pathway_viz.E008" in bad.stderr) == (1, True)
    good = command("check", REDIS_URL=redis_url, XDG_STATE_HOME=str(tmp_path))
    assert good.returncode == 0, good.stderr
