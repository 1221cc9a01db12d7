"""The URLs of the script mode: dashboards at the root, the admin beside them."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls), path("", include("pathway_viz.urls"))]
