"""The deployment's URLs."""

from django.contrib import admin
from django.urls import include, path

from pathway_viz.web import probes

urlpatterns = [
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
    path("admin/", admin.site.urls),
    path("accounts/", include("django.contrib.auth.urls")),
    path("", include("pathway_viz.urls")),
]
