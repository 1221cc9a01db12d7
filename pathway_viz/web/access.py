"""Who may see which dashboard. The one place that decides, for pages, sockets and topics."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db.models import Q, QuerySet

from pathway_viz.models import Dashboard, Visibility

Viewer = AbstractUser | AnonymousUser
CHANGE = "pathway_viz.change_dashboard"


def may_view(user: Viewer, dashboard: Dashboard) -> bool:
    """Whether ``user`` may see ``dashboard``, its widgets and their topics."""
    return visible_to(user).filter(pk=dashboard.pk).exists()


def may_change(user: Viewer) -> bool:
    """Whether ``user`` may change dashboards and widgets, and so watch any topic."""
    return bool(user.is_active and user.has_perm("pathway_viz.change_widget"))


def visible_to(user: Viewer) -> QuerySet[Dashboard]:
    """The dashboards that ``user`` may see."""
    if not user.is_authenticated or not user.is_active:
        return Dashboard.objects.filter(visibility=Visibility.PUBLIC)
    if user.has_perm(CHANGE):
        return Dashboard.objects.all()
    mine = Dashboard.objects.filter(Q(users=user.pk) | Q(groups__in=user.groups.all()))
    return Dashboard.objects.filter(
        Q(visibility__in=[Visibility.PUBLIC, Visibility.SIGNED_IN])
        | Q(visibility=Visibility.RESTRICTED, pk__in=mine.values("pk"))
    )


def current_users(keys: Iterable[int]) -> dict[int, AbstractUser]:
    """The users with these primary keys as they are now; those that are gone are left out."""
    return get_user_model().objects.in_bulk(list(keys))  # type: ignore[return-value]
