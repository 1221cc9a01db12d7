"""The app's pages."""

app_name = "pathway_viz"
urlpatterns: list[object] = []
