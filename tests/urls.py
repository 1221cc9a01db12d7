"""The URLs of the test site."""

from django.contrib import admin
from django.urls import include, path

from pathway_viz.web import probes

urlpatterns = [
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
    path("admin/", admin.site.urls),
    path("live/", include("pathway_viz.urls")),
]
