"""The settings: one dict ``PATHWAY_VIZ`` in Django's settings, read here and nowhere else."""

from __future__ import annotations

import os
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings as django_settings
from django.core.signals import setting_changed

from pathway_viz.bus.types import DEFAULT_URL, BusOptions
from pathway_viz.errors import ConfigurationError

NAME = "PATHWAY_VIZ"

Milliseconds = Annotated[int, msgspec.Meta(ge=1, le=60_000)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Settings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="upper"
):
    """Every setting with its default. ``docs/settings.md`` explains each one."""

    redis_url: str = ""  # empty: the environment's REDIS_URL, else redis://127.0.0.1:6379/0
    prefix: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:-]{1,40}$")] = "pv"
    coalesce_ms: Milliseconds = 50
    tick_ms: Milliseconds = 50
    log_entries: Count = 20_000
    log_age_s: Seconds = 24 * 3600.0
    lease_s: Seconds = 5.0
    snapshot_rows: Count = 1000
    history_points: Count = 5000
    heartbeat_ms: Milliseconds = 5000
    idle_after_s: Seconds = 10.0
    stale_after_s: Seconds = 2.5
    dead_after_s: Seconds = 4.0
    check_s: Seconds = 5.0
    hello_timeout_s: Seconds = 10.0
    slow_viewer_timeout_s: Seconds = 30.0
    drain_s: Seconds = 5.0
    outbox_bytes: Count = 4_000_000
    message_bytes: Count = 65_536
    messages_per_s: Count = 50
    max_viewers: Count = 10_000
    default_visibility: Literal["public", "signed_in", "restricted"] = "signed_in"
    allowed_origins: tuple[str, ...] = ()  # empty: ALLOWED_HOSTS
    websocket_path: Annotated[str, msgspec.Meta(pattern=r"^([\w-]+/)+$")] = "pathway_viz/ws/"
    base_template: str = "pathway_viz/base.html"

    @property
    def bus(self) -> BusOptions:
        """The part that describes the bus."""
        return BusOptions(
            url=self.redis_url or os.environ.get("REDIS_URL", "") or DEFAULT_URL,
            prefix=self.prefix,
            log_entries=self.log_entries,
            log_age_s=self.log_age_s,
            lease_s=self.lease_s,
        )


def parse(values: dict[str, Any]) -> Settings:
    """Check a settings dict.

    Raises ConfigurationError that names the key, what was expected and which keys exist.
    """
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        known = ", ".join(field.encode_name for field in msgspec.structs.fields(Settings))
        raise ConfigurationError(f"{NAME}: {error}. The keys are: {known}.") from error


@cache
def settings() -> Settings:
    """The settings of this process."""
    return parse(getattr(django_settings, NAME, {}))


def _forget(*, setting: str, **_: object) -> None:
    if setting == NAME:
        settings.cache_clear()


setting_changed.connect(_forget)
