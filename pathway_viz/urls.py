"""The app's pages: ``path("live/", include("pathway_viz.urls"))``."""

from __future__ import annotations

from django.urls import path

from pathway_viz.web import editing, probes, views

app_name = "pathway_viz"
urlpatterns = [
    path("", views.dashboards, name="dashboards"),
    path("-/healthz", probes.healthz, name="healthz"),
    path("-/readyz", probes.readyz, name="readyz"),
    path("-/topics/", editing.catalogue, name="catalogue"),
    path("-/options/", editing.options, name="options"),
    path("-/preview/", editing.preview, name="preview"),
    path("<slug:slug>/", views.dashboard, name="dashboard"),
    path("<slug:slug>/edit/", editing.edit, name="edit"),
    path("<slug:slug>/edit/add/", editing.add, name="add_widget"),
    path("<slug:slug>/edit/<slug:name>/", editing.change, name="change_widget"),
    path("<slug:slug>/edit/<slug:name>/move/", editing.move, name="move_widget"),
    path("<slug:slug>/edit/<slug:name>/delete/", editing.delete, name="delete_widget"),
]
