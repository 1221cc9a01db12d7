"""The settings dict."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from pathway_viz.conf import parse, settings
from pathway_viz.errors import ConfigurationError


def test_an_empty_dict_is_all_defaults() -> None:
    assert parse({}).tick_ms == 50


def test_an_unknown_key_is_named_with_those_that_exist() -> None:
    with pytest.raises(ConfigurationError, match=r"`TICKS`.*The keys are: REDIS_URL.*TICK_MS"):
        parse({"TICKS": 5})


@pytest.mark.parametrize(
    "values",
    [
        {"TICK_MS": "50"},
        {"TICK_MS": 0},
        {"LOG_AGE_S": -1},
        {"PREFIX": "a b"},
        {"DEFAULT_VISIBILITY": "hidden"},
        {"WEBSOCKET_PATH": "/ws"},
        {"ALLOWED_ORIGINS": "https://a.example"},
    ],
)
def test_a_wrong_value_names_its_key(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(values))):
        parse(values)


def test_the_bus_follows_the_environment_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/3")
    assert parse({}).bus.url == "redis://elsewhere/3"
    assert parse({"REDIS_URL": "redis://here/1"}).bus.url == "redis://here/1"
    monkeypatch.delenv("REDIS_URL")
    assert parse({}).bus.url == "redis://127.0.0.1:6379/0"


def test_settings_follow_an_override() -> None:
    with override_settings(PATHWAY_VIZ={"TICK_MS": 20}):
        assert settings().tick_ms == 20
    assert settings().tick_ms == 50
