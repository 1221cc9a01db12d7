"""Dashboards in Django's admin: generated forms, live preview, duplicate, export and import."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pathway_viz.forms import WidgetForm, free_name
from pathway_viz.models import Dashboard, Widget
from pathway_viz.web import catalogue, transfer
from pathway_viz.web.editing import preview_spec
from pathway_viz.web.views import context as page_context


class WidgetInline(admin.TabularInline):  # type: ignore[type-arg]
    """A dashboard's widgets: their order here, their options on their own page."""

    model = Widget
    fields = ("title", "kind", "topic", "size", "order")
    readonly_fields = ("kind", "topic")
    show_change_link = True
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Widgets are added on their own page, where the topic is chosen first."""
        return False


@admin.register(Dashboard)
class DashboardAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Dashboards: who may see them, how they look, what is on them."""

    list_display = ("title", "visibility", "widget_count", "declared_by", "changed", "page")
    list_filter = ("visibility", "theme")
    search_fields = ("title", "slug", "description")
    prepopulated_fields: ClassVar = {"slug": ("title",)}
    filter_horizontal = ("users", "groups")
    readonly_fields = ("declared_by",)
    inlines = (WidgetInline,)
    actions = ("duplicate", "export")
    change_list_template = "pathway_viz/admin/dashboards.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dashboard]:
        """With the number of widgets."""
        found: QuerySet[Dashboard] = super().get_queryset(request)
        return found.annotate(count=Count("widgets"))

    def get_urls(self) -> list[URLPattern]:
        """The import page beside the others."""
        page = self.admin_site.admin_view(self.import_page)
        return [path("import/", page, name="pathway_viz_dashboard_import"), *super().get_urls()]

    @admin.display(description=gettext_lazy("widgets"))
    def widget_count(self, board: Dashboard) -> int:
        """How many widgets it has."""
        return int(board.count)  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("declared by"))
    def declared_by(self, board: Dashboard) -> str:
        """The program that declares it."""
        return board.worker or "-"

    @admin.display(description="")
    def page(self, board: Dashboard) -> str:
        """A link to the dashboard itself."""
        return format_html('<a href="{}">{}</a>', board.get_absolute_url(), _("View"))

    @admin.action(description=gettext_lazy("Duplicate"), permissions=["add"])
    def duplicate(self, request: HttpRequest, queryset: QuerySet[Dashboard]) -> None:
        """Copy each dashboard with its widgets; the copies belong to nobody's code."""
        for board in queryset:
            copy = transfer.load(transfer.dump(board), rename=True)
            self.log_addition(request, copy, f"Duplicate of {board.slug}.")
        messages.success(request, _("%(n)d duplicated.") % {"n": queryset.count()})

    @admin.action(description=gettext_lazy("Export to JSON"), permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[Dashboard]) -> HttpResponse:  # noqa: ARG002
        """Download the dashboards as one JSON file."""
        answer = HttpResponse(transfer.dump_all(queryset), content_type="application/json")
        answer["Content-Disposition"] = 'attachment; filename="dashboards.json"'
        return answer

    def import_page(self, request: HttpRequest) -> HttpResponse:
        """Upload an export; nothing is changed unless all of it is good."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        error = ""
        if request.method == "POST" and "file" in request.FILES:
            try:
                made = transfer.load_all(request.FILES["file"].read(transfer.MAX_BYTES + 1))  # type: ignore[union-attr]
            except transfer.ImportRefused as refusal:
                error = str(refusal)
            else:
                for board in made:
                    self.log_addition(request, board, "Imported.")
                messages.success(request, _("%(n)d imported.") % {"n": len(made)})
                return redirect("admin:pathway_viz_dashboard_changelist")
        page = {**self.admin_site.each_context(request), "error": error, "title": _("Import")}
        return render(request, "pathway_viz/admin/import.html", page)


@admin.register(Widget)
class WidgetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Widgets: the form is made from the kind's options, the preview is live."""

    list_display = ("title", "dashboard", "kind", "topic", "order")
    list_filter = ("dashboard", "kind")
    search_fields = ("title", "topic")
    change_form_template = "pathway_viz/admin/widget.html"
    add_form_template = "pathway_viz/admin/widget.html"

    def get_form(self, *_: Any, **__: Any) -> Any:
        """The generated form, over the catalogue as it is now."""
        topics, _problem = catalogue.topics()

        class Form(WidgetForm):
            class Meta(WidgetForm.Meta):
                fields = ("dashboard", *WidgetForm.Meta.fields, "order")  # type: ignore[assignment]

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, topics=topics, **kwargs)

        return Form

    def get_fieldsets(self, request: HttpRequest, obj: Widget | None = None) -> Any:
        """The head, then the options of the kind that is chosen now."""
        form_class = self.get_form()
        data = request.POST if request.method == "POST" else None
        initial = {key: request.GET[key] for key in request.GET}
        form = form_class(data, instance=obj or Widget(), initial=initial)
        head = [field.name for field in form.head_fields]
        options = [field.name for field in form.option_fields]
        return [(None, {"fields": head}), (form.kind.capitalize(), {"fields": options})]

    def save_model(self, request: HttpRequest, obj: Widget, form: Any, change: bool) -> None:  # noqa: FBT001
        """Give a new widget its name."""
        if not obj.name:
            obj.name = free_name(obj.dashboard, obj.title)
        super().save_model(request, obj, form, change)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With the live preview beside the form."""
        more = page_context(preview=preview_spec(context["adminform"].form))
        return super().render_change_form(request, {**context, **more}, *args, **kwargs)
