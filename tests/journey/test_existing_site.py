"""An ordinary Django site adopts the app: exactly the steps of docs/existing-site.md."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.chromium import Watched
from tests.demo import eventually
from tests.nodes import free_port
from tests.servers import started

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
STEPS = (ROOT / "docs" / "existing-site.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(?:python|html)\n(?:# |<!-- )(\S+)(?: -->)?\n(.*?)```", STEPS, re.DOTALL)
ADDED = {"shopsite/settings.py", "shopsite/urls.py"}
WHOLE = {"shop/templates/shop/live.html", "shopsite/asgi.py", "shop/templates/shop/index.html"}


@pytest.fixture
def shop(tmp_path: Path, redis_url: str) -> tuple[Path, dict[str, str]]:
    """A copy of the site, with the documented steps applied."""
    site = tmp_path / "site"
    shutil.copytree(ROOT / "examples" / "existing_site", site)
    for name, text in BLOCKS:
        apply(site / name, name, text)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "shopsite.settings",
        "SHOP_DB": str(tmp_path / "shop.sqlite3"),
        "REDIS_URL": redis_url,
    }
    return site, environment


def apply(path: Path, name: str, text: str) -> None:
    if name in ADDED:
        path.write_text(path.read_text() + "\n" + text)
    elif name in WHOLE:
        path.write_text(text)
    else:
        assert name == "shop/views.py"
        path.write_text(with_sending(path.read_text(), text))


def with_sending(before: str, text: str) -> str:
    """The view of the steps, in place of the one that only counted; it stays behind the login."""
    head, _, _ = before.partition("@login_required")
    imports, _, view = text.partition("\n\n\n")
    return f"{imports}\n{head}\n\n@login_required\n@require_POST\n{view}"


def manage(shop: tuple[Path, dict[str, str]], *arguments: str) -> str:
    site, environment = shop
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=site, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_steps_name_every_file_they_change() -> None:
    assert {name for name, _ in BLOCKS} == {*ADDED, *WHOLE, "shop/views.py"}


def test_a_site_before_the_steps_is_an_ordinary_one(tmp_path: Path) -> None:
    site = ROOT / "examples" / "existing_site"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "shopsite.settings"}
    command = [sys.executable, "manage.py", "check"]
    subprocess.run(command, cwd=site, env=environment, check=True, capture_output=True)
    assert '"pathway_viz"' not in (site / "shopsite" / "settings.py").read_text()


def test_after_the_steps_a_purchase_is_seen_live(
    shop: tuple[Path, dict[str, str]], watched: Watched
) -> None:
    assert "no issues" in manage(shop, "check")
    manage(shop, "migrate", "--verbosity", "0")
    prepare = (
        "from django.contrib.auth.models import User\n"
        "from pathway_viz.models import Dashboard\n"
        "User.objects.create_user('ann', password='secret')\n"
        "d = Dashboard.objects.create(slug='shop', title='Shop', visibility='signed_in')\n"
        "d.widgets.create(name='orders-today', kind='stat', topic='orders-today', title='Orders',"
        " options={'column': 'value'})\n"
    )
    manage(shop, "shell", "-c", prepare)
    site, environment = shop
    port = free_port()
    command = [sys.executable, "manage.py", "runserver", "--noreload", str(port)]
    server = started(command, cwd=site, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: answers(address))
        watch_a_purchase(watched, address)
    finally:
        server.kill()
        server.wait()


def answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        time.sleep(0.05)
        return False


def watch_a_purchase(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(address)
    assert "is not available to you" in page.inner_text("main")
    page.goto(f"{address}/accounts/login/")
    page.fill("[name=username]", "ann")
    page.fill("[name=password]", "secret")
    page.click("main button")
    page.click("text=Buy")
    page.wait_for_selector(".pv-stat-value:text-is('1')")
    page.click("text=Buy")
    page.wait_for_selector(".pv-stat-value:text-is('2')")
    page.goto(f"{address}/live/shop/")
    page.wait_for_selector("nav >> text=The shop")
    page.wait_for_selector(".pv-stat-value:text-is('2')")
    assert watched.errors == []
    assert watched.foreign(address) == []
