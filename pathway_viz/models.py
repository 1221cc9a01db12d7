"""Dashboards and their widgets: what is small and must last."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from pathway_viz.widgets import KINDS, Options, Size, decode_options


class Visibility(models.TextChoices):
    """Who may look at a dashboard."""

    PUBLIC = "public", _("Everyone")
    SIGNED_IN = "signed_in", _("Everyone who is signed in")
    RESTRICTED = "restricted", _("Chosen users and groups")


class Theme(models.TextChoices):
    """The colours of a dashboard."""

    AUTO = "auto", _("As the viewer's system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


def default_visibility() -> str:
    """The setting DEFAULT_VISIBILITY, for new dashboards."""
    from pathway_viz.conf import settings

    return settings().default_visibility


class Dashboard(models.Model):
    """What widgets are arranged in.

    ``revision`` grows with every edit of the dashboard or one of its widgets. ``declared`` holds
    what code last declared, by which an administrator's edits are told from the code's;
    ``worker`` is the program that declared it, empty for dashboards made by hand.
    """

    slug = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    visibility = models.CharField(
        max_length=10, choices=Visibility.choices, default=default_visibility
    )
    users = models.ManyToManyField(
        django_settings.AUTH_USER_MODEL,
        blank=True,
        related_name="pathway_viz_dashboards",
        help_text=_("Who may look at it, when it is for chosen users and groups."),
    )
    groups = models.ManyToManyField(Group, blank=True, related_name="pathway_viz_dashboards")
    theme = models.CharField(max_length=5, choices=Theme.choices, default=Theme.AUTO)
    revision = models.PositiveBigIntegerField(default=1, editable=False)
    worker = models.CharField(max_length=200, blank=True, editable=False)
    declared = models.JSONField(default=dict, editable=False)
    created = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["title"]

    def __str__(self) -> str:
        return self.title

    def save(self, **how: Any) -> None:
        """Save all but the revision, which only ever grows (`web/edits.py`)."""
        if not self._state.adding and how.get("update_fields") is None:
            fields = {f.name for f in self._meta.concrete_fields if not f.primary_key}
            how["update_fields"] = fields - {"revision"}
        super().save(**how)

    def get_absolute_url(self) -> str:
        """The page that shows it."""
        return reverse("pathway_viz:dashboard", args=[self.slug])


class Widget(models.Model):
    """A view of a topic, of some kind, with options. ``name`` is unique in its dashboard."""

    dashboard = models.ForeignKey(Dashboard, models.CASCADE, related_name="widgets")
    name = models.SlugField(max_length=100)
    kind = models.CharField(max_length=20, choices=[(k.name, k.title) for k in KINDS.values()])
    topic = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    description = models.CharField(
        max_length=500, blank=True, help_text=_("A sentence below the title.")
    )
    options = models.JSONField(default=dict, blank=True)
    order = models.PositiveIntegerField(default=0)
    size = models.CharField(
        max_length=6, choices=[(s.value, s.value.title()) for s in Size], default=Size.MEDIUM
    )
    worker = models.CharField(max_length=200, blank=True, editable=False)
    declared = models.JSONField(default=dict, editable=False)

    class Meta:
        ordering: ClassVar = ["order", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["dashboard", "name"], name="pathway_viz_widget_name_in_dashboard"
            )
        ]

    def __str__(self) -> str:
        return self.title

    def typed_options(self) -> Options:
        """The options as their kind's struct; raises DeclarationError if they do not fit."""
        return decode_options(self.kind, self.options)
