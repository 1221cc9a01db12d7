"""Sphinx configuration: `make docs`."""

import os
from importlib.metadata import version as _version

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

project = "pathway_viz"
author = "The pathway_viz authors"
copyright = "2026, the pathway_viz authors"
release = version = _version("pathway-viz")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
suppress_warnings = ["myst.strikethrough"]

html_theme = "furo"
html_title = "pathway_viz"
html_static_path: list[str] = []
