"""What was declared in this process: dashboards, their widgets, and the topics they look at."""

from __future__ import annotations

from typing import Any, Literal, Self

import msgspec

from pathway_viz.errors import DeclarationError
from pathway_viz.topics import slugify
from pathway_viz.widgets import DashboardSpec, WidgetSpec

DEFAULT_SLUG = "main"


class Dashboard:
    """A dashboard that code declares.

    Give it to a widget's ``dashboard=``, or use it as a context manager.
    """

    def __init__(self, registry: Registry, slug: str, **head: Any) -> None:
        self._registry = registry
        self.slug = slug
        self.head = head
        self.widgets: dict[str, WidgetSpec] = {}

    def __enter__(self) -> Self:
        self._previous = self._registry.current
        self._registry.current = self
        return self

    def __exit__(self, *_: object) -> None:
        self._registry.current = self._previous

    def add(self, widget: WidgetSpec) -> None:
        """Put ``widget`` at the end."""
        if widget.name in self.widgets:
            raise DeclarationError(
                f"Dashboard {self.slug!r} has a widget {widget.name!r} already; give one of them "
                "another name='…'."
            )
        self.widgets[widget.name] = widget

    def free_name(self, wish: str) -> str:
        """``wish`` as a widget's name, with a number if it is taken."""
        name, number = slugify(wish), 1
        while name in self.widgets:
            number += 1
            name = f"{slugify(wish)}-{number}"
        return name

    def spec(self, worker: str) -> DashboardSpec:
        """It as it is written to Redis."""
        return DashboardSpec(
            slug=self.slug, worker=worker, widgets=tuple(self.widgets.values()), **self.head
        )


class Registry:
    """All dashboards of this process, and the one that widgets go to next."""

    def __init__(self) -> None:
        self._dashboards: dict[str, Dashboard] = {}
        self.current: Dashboard | None = None

    def dashboard(
        self,
        slug: str,
        *,
        title: str,
        description: str = "",
        visibility: Literal["public", "signed_in", "restricted"] | None = None,
        theme: Literal["auto", "light", "dark"] | None = None,
    ) -> Dashboard:
        """Declare a dashboard, or say more about one that was declared, and make it the current."""
        head = {
            "title": title,
            "description": description,
            "visibility": visibility,
            "theme": theme,
        }
        _check_head(slug, head)
        found = self._dashboards.setdefault(slug, Dashboard(self, slug))
        found.head = head
        self.current = found
        return found

    def default(self) -> Dashboard:
        """The current dashboard; the default one if none was declared."""
        return self.current or self.dashboard(DEFAULT_SLUG, title="Dashboard")

    def chosen(self, choice: Dashboard | str | None) -> Dashboard:
        """The dashboard that a widget's ``dashboard=`` means."""
        if isinstance(choice, Dashboard):
            return choice
        if choice is None:
            return self.default()
        if choice not in self._dashboards:
            known = ", ".join(self._dashboards) or "none yet"
            raise DeclarationError(
                f"dashboard={choice!r} was not declared (declared: {known}); "
                f"call pv.dashboard({choice!r}, title='…') first."
            )
        return self._dashboards[choice]

    def specs(self, worker: str) -> list[DashboardSpec]:
        """All dashboards, as they are written to Redis."""
        return [dashboard.spec(worker) for dashboard in self._dashboards.values()]


def _check_head(slug: str, head: dict[str, Any]) -> None:
    if slug != slugify(slug) or "." in slug:
        raise DeclarationError(
            f"{slug!r} cannot be in an address: expected a-z, 0-9, '-' and '_', for example "
            f"{slugify(slug).replace('.', '-')!r}."
        )
    try:
        msgspec.convert({"slug": slug, "worker": "", **head}, DashboardSpec)
    except msgspec.ValidationError as error:
        raise DeclarationError(f"dashboard {slug!r}: {error}") from error
