"""System checks: misconfiguration is found by ``manage.py check``, not by the first viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse

from pathway_viz.bus.connect import connect, reaching
from pathway_viz.conf import settings
from pathway_viz.errors import BusUnreachable, ConfigurationError

TAG: Final = "pathway_viz"
NEEDED_APPS: Final = (
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "channels",
)
DIST: Final = "pathway_viz/dist/main.js"


def _error(number: int, text: str, hint: str) -> CheckMessage:
    return Error(text, hint=hint, id=f"pathway_viz.E{number:03}")


def _warning(number: int, text: str, hint: str) -> CheckMessage:
    return Warning(text, hint=hint, id=f"pathway_viz.W{number:03}")


def _settings() -> Iterable[CheckMessage]:
    try:
        settings()
    except ConfigurationError as error:
        yield _error(1, str(error), "See docs/settings.md.")


def _asgi() -> Iterable[CheckMessage]:
    if not getattr(django_settings, "ASGI_APPLICATION", None):
        hint = "Set ASGI_APPLICATION = 'yoursite.asgi.application'."
        yield _error(2, "ASGI_APPLICATION is not set: viewers could not connect.", hint)


def _apps() -> Iterable[CheckMessage]:
    for name in NEEDED_APPS:
        if not apps.is_installed(name):
            yield _error(3, f"{name!r} is not installed.", f"Add {name!r} to INSTALLED_APPS.")


def _assets() -> Iterable[CheckMessage]:
    from django.contrib.staticfiles import finders

    if apps.is_installed("django.contrib.staticfiles") and finders.find(DIST) is None:
        hint = "In a checkout run 'make assets'; else reinstall pathway-viz, whose wheel holds it."
        yield _error(4, "The browser bundle has not been built.", hint)


def _urls() -> Iterable[CheckMessage]:
    try:
        reverse("pathway_viz:dashboards")
    except NoReverseMatch:
        hint = "path('live/', include('pathway_viz.urls')) in your urls.py."
        yield _error(5, "The pages of pathway_viz are not in ROOT_URLCONF.", hint)


def _template() -> Iterable[CheckMessage]:
    try:
        get_template(settings().base_template)
    except TemplateDoesNotExist as error:
        hint = "Set PATHWAY_VIZ['BASE_TEMPLATE'] to a template of your site."
        yield _error(6, f"The base template {error} does not exist.", hint)


def _htmx() -> Iterable[CheckMessage]:
    if not apps.is_installed("django_htmx"):
        hint = "Add 'django_htmx' to INSTALLED_APPS."
        yield _error(7, "django_htmx is not installed: lists and forms need its script.", hint)


def _origins() -> Iterable[CheckMessage]:
    hosts, origins = django_settings.ALLOWED_HOSTS, settings().allowed_origins
    if not django_settings.DEBUG and ("*" in origins or (not origins and "*" in hosts)):
        hint = "Name the hosts in ALLOWED_HOSTS, or the origins in PATHWAY_VIZ['ALLOWED_ORIGINS']."
        yield _warning(3, "Pages of any origin may open the socket.", hint)


def _login() -> Iterable[CheckMessage]:
    from django.shortcuts import resolve_url

    try:
        resolve_url(django_settings.LOGIN_URL)
    except NoReverseMatch:
        hint = "Set LOGIN_URL; who may not see a dashboard is sent there."
        yield _warning(4, f"LOGIN_URL {django_settings.LOGIN_URL!r} does not exist.", hint)


def _stale() -> Iterable[CheckMessage]:
    told = settings()
    if told.stale_after_s < 2:  # noqa: PLR2004 - two heartbeats of a worker
        hint = "Publishers say that they live once a second; set it to 3 or more."
        yield _warning(5, "STALE_AFTER_S is so short that live topics look stale.", hint)
    if told.slow_viewer_timeout_s * 1000 < told.heartbeat_ms * 3:
        hint = "Pages acknowledge every two heartbeats; set it to three heartbeats or more."
        yield _warning(6, "SLOW_VIEWER_TIMEOUT_S is so short that viewers look slow.", hint)


def _redis() -> Iterable[CheckMessage]:
    url = settings().bus.url
    try:
        with reaching(url), connect(url) as client:
            client.ping()
    except BusUnreachable as error:
        yield _error(8, str(error), "A web node starts all the same and waits for it.")


_NEED_SETTINGS: Final = (_template, _origins, _stale)


def _run(checks: Iterable[Callable[[], Iterable[CheckMessage]]]) -> list[CheckMessage]:
    return [message for check in checks for message in check()]


@register(TAG)
def check_configuration(app_configs: Any, **_: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Everything that can be known without asking another process."""
    found = _run([_settings, _asgi, _apps, _assets, _urls, _htmx, _login])
    if any(message.id == "pathway_viz.E001" for message in found):
        return found
    return [*found, *_run(_NEED_SETTINGS)]


@register(TAG, deploy=True)
def check_redis(app_configs: Any, **_: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Whether Redis answers (``check --deploy``)."""
    try:
        return list(_redis())
    except ConfigurationError:
        return []
