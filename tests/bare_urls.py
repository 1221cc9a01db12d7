"""A site without the app's pages."""

urlpatterns: list[object] = []
