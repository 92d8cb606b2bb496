"""The site: sphinx-build -W -n docs build/site."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import optcore  # noqa: E402

project = "optcore"
author = "the optcore authors"
project_copyright = "the optcore authors"
version = release = optcore.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "sphinx_design",
    "site_pages",
]
exclude_patterns = ["_generated", "_ext"]
suppress_warnings = ["config.cache"]

# What stands between single backticks is a link where it names something of ours, else code.
default_role = "code_or_link"

myst_enable_extensions = ["colon_fence", "attrs_inline"]
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

smartquotes_action = "D"  # dashes alone: quotes are mostly around words that are typed

highlight_language = "text"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
add_module_names = False
toc_object_entries = False

html_theme = "furo"
html_title = f"optcore {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
