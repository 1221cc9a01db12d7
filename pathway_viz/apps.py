"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig


class PathwayVizConfig(AppConfig):
    """Connects what the app does when Django is ready."""

    name = "pathway_viz"
    verbose_name = "Live dashboards"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Announce edits, register checks, and let ``send`` publish to the site's Redis."""
        from pathway_viz import checks  # noqa: F401 - importing registers them
        from pathway_viz.conf import settings
        from pathway_viz.errors import ConfigurationError
        from pathway_viz.pipeline import configure
        from pathway_viz.web import edits

        edits.connect()
        try:
            told = settings()
        except ConfigurationError:
            return  # `manage.py check` says it with an id
        configure(
            redis_url=told.bus.url,
            prefix=told.prefix,
            coalesce_ms=told.coalesce_ms,
            log_entries=told.log_entries,
            log_age_s=told.log_age_s,
            lease_s=told.lease_s,
        )
