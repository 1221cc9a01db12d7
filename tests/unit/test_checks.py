"""Every misconfiguration has a check with a stable, documented id."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from tests import settings as good

ROOT = Path(__file__).parents[2]


def ids() -> list[str]:
    return [str(message.id) for message in run_checks(tags=["pathway_viz"])]


def test_a_good_site_has_nothing_to_complain_about() -> None:
    assert ids() == []


@pytest.mark.parametrize(
    ("number", "wrong"),
    [
        ("E001", {"PATHWAY_VIZ": {"TICKS": 1}}),
        ("E002", {"ASGI_APPLICATION": None}),
        ("E003", {"INSTALLED_APPS": [a for a in good.INSTALLED_APPS if a != "channels"]}),
        ("E005", {"ROOT_URLCONF": "tests.bare_urls"}),
        ("E006", {"PATHWAY_VIZ": {"BASE_TEMPLATE": "nowhere.html"}}),
        ("E007", {"INSTALLED_APPS": [a for a in good.INSTALLED_APPS if a != "django_htmx"]}),
        ("W003", {"ALLOWED_HOSTS": ["*"]}),
        ("W004", {"LOGIN_URL": "no-such-page"}),
        ("W005", {"PATHWAY_VIZ": {"STALE_AFTER_S": 1}}),
        ("W006", {"PATHWAY_VIZ": {"SLOW_VIEWER_TIMEOUT_S": 1}}),
    ],
)  # fmt: skip
def test_a_misconfiguration_is_found(number: str, wrong: dict[str, Any]) -> None:
    with override_settings(**wrong):
        assert f"pathway_viz.{number}" in ids()


def test_redis_is_asked_only_on_deploy() -> None:
    with override_settings(PATHWAY_VIZ={"REDIS_URL": "redis://127.0.0.1:1/0"}):
        assert ids() == []
        found = run_checks(tags=["pathway_viz"], include_deployment_checks=True)
        assert [message.id for message in found] == ["pathway_viz.E008"]


def test_every_id_is_documented_and_no_other() -> None:
    source = (ROOT / "pathway_viz" / "checks.py").read_text()
    made = {f"E{int(n):03}" for n in re.findall(r"_error\((\d+)", source)}
    made |= {f"W{int(n):03}" for n in re.findall(r"_warning\((\d+)", source)}
    page = (ROOT / "docs" / "checks.md").read_text()
    assert set(re.findall(r"pathway_viz\.([EW]\d{3})", page)) == made
