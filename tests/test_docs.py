"""The documentation: its code runs, it names tests that there are, and the site is whole.

The site is built here with warnings as errors (the extra "docs"), or, if `OPTCORE_SITE` names a
folder, looked at there.
"""

from __future__ import annotations

import ast
import doctest
import html.parser
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import urllib.parse
import zlib
from pathlib import Path

import pytest

import optcore as oc

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
GENERATED = ("_generated", "examples")
PAGES = sorted(p for p in DOCS.rglob("*.md") if p.relative_to(DOCS).parts[0] not in GENERATED)
READMES = sorted(EXAMPLES.glob("*/README.md"))
RUN_ELSEWHERE = "embedding.md"  # whole programs that are given a library, in test_embedding.py

pytestmark = pytest.mark.skipif(not PAGES, reason="no sources here")


# The sources.


@pytest.mark.parametrize(
    "page",
    [page for page in [*PAGES, *READMES] if page.name != RUN_ELSEWHERE],
    ids=lambda p: p.relative_to(ROOT).as_posix(),
)
def test_python_in_a_page_runs(page):
    """Every block of Python, one after another; what it includes of other documents as well.

    Blocks of {shown} run when the site is built: one that fails fails the build.
    """
    blocks = re.findall(r"^```python\n(.*?)^```", with_included(page), re.M | re.S)
    if any("torch" in block for block in blocks):
        pytest.importorskip("torch")
        importlib.import_module("optcore.torch")
    scope = {"__name__": "page", **BEFORE.get(page.relative_to(ROOT).as_posix(), {})}
    for block in blocks:
        if ">>>" in block:
            found = doctest.DocTestParser().get_doctest(block, scope, page.name, str(page), 0)
            assert doctest.DocTestRunner().run(found).failed == 0
        else:
            exec(compile(block, str(page), "exec"), scope)


class Variable:
    """A variable of Keras on its torch backend."""

    @property
    def value(self):
        torch = pytest.importorskip("torch")
        return torch.nn.Parameter(torch.zeros(2))


class Model:
    """A model of torch or of Keras, of which only the weights are asked for."""

    trainable_variables = (Variable(),)

    def state_dict(self):
        torch = pytest.importorskip("torch")
        return {"weight": torch.zeros(2), "count": torch.zeros(1, dtype=torch.int64)}


BEFORE = {
    f"examples/{topic}/README.md": {"model": Model(), "optcore": oc} for topic in ("keras", "torch")
}
"""What a fragment takes for granted."""


def with_included(page: Path) -> str:
    """A page with the parts of other documents that it includes."""
    text = page.read_text(encoding="utf-8")

    def included(match: re.Match[str]) -> str:
        path = (page.parent / match[1]).resolve()
        if "_generated" in path.parts:
            return ""
        part = path.read_text(encoding="utf-8")
        for option, marker in re.findall(r':(start-after|end-before): "(.*)"', match[2]):
            before, found, after = part.partition(marker)
            assert found, f"{page.name} includes {path.name} by {marker!r}, which is not there"
            part = after if option == "start-after" else before
        return part

    return re.sub(r"^```\{include\} (\S+)\n(.*?)^```", included, text, flags=re.M | re.S)


def test_tests_that_the_docs_name_are_there():
    found = set()
    for page in PAGES:
        for file, name in re.findall(
            r"`(tests/\w+\.py)(?:::(\w+))?`", page.read_text(encoding="utf-8")
        ):
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert not name or name in functions, f"{page.name}: {file}::{name}"
            found.add((file, name))
    assert len(found) > 40


def test_no_page_repeats_a_sentence_of_another_document():
    """One truth: what stands in the README and its like is included, not copied.

    What READMEs of examples have in common is said in each.
    """
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    documents += [EXAMPLES / "README.md", *READMES, ROOT / "benchmarks" / "README.md"]
    seen: dict[str, Path] = {}
    for document in [*documents, *PAGES]:
        text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
        for sentence in re.split(r"(?<=[.:;!?])\s+|\n\n|\n- |\|", text):
            words = " ".join(sentence.split())
            if len(words) > 40:
                owner = EXAMPLES if document in READMES else document
                other = seen.setdefault(words, owner)
                assert other == owner, f"{document} and {other}: {words}"


# The site.


SPHINX = ("sphinx", "myst_parser", "furo", "sphinx_design", "sphinx_copybutton")
NEEDED = (*SPHINX, "torch", "matplotlib", "sklearn", "jupytext")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    if "OPTCORE_SITE" in os.environ:
        return Path(os.environ["OPTCORE_SITE"])
    for needed in NEEDED:
        pytest.importorskip(needed)
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-n", "--keep-going", "-q", str(DOCS), str(out)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def described(site: Path) -> set[str]:
    """The names of all Python things with a description of their own, from the inventory."""
    data = (site / "objects.inv").read_bytes()
    body = zlib.decompress(data[data.index(b"zlib.\n") + 6 :]).decode()
    return {line.split(" ", 1)[0] for line in body.splitlines() if " py:" in line}


MODULES = [f"optcore.{name}" for name in oc.__all__ if inspect.ismodule(getattr(oc, name))]


MORE = ["optcore.torch", "optcore.range_test", "optcore.gradient_check"]


@pytest.mark.parametrize("module", ["optcore", *MORE, *MODULES])
def test_everything_public_is_on_the_site(site, module):
    """Under its module, or under the package where that has it too."""
    public, known = importlib.import_module(module), described(site)
    for name in public.__all__:
        thing = getattr(public, name)
        if name != "__version__" and not inspect.ismodule(thing):
            above = getattr(oc, name, None) is thing and f"optcore.{name}" in known
            assert f"{module}.{name}" in known or above, name


def test_every_rule_has_a_page_with_all_its_parts(site):
    for rule in oc.rules():
        page = (site / "rules" / f"{rule['name'].lower()}.html").read_text(encoding="utf-8")
        for heading in ("Formula", "Options", "State and cost", "Dialects", "Example"):
            assert f"<h2>{heading}<" in page, (rule["name"], heading)
        for option in rule["options"]:
            assert f'<span class="pre">{option}</span>' in page, (rule["name"], option)
        assert page.count('class="picture"') == 2, rule["name"]


PROGRAMS = sorted(
    path
    for path in EXAMPLES.glob("*/*")
    if path.suffix in (".py", ".c", ".cpp", ".rs") or path.name == "CMakeLists.txt"
)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.relative_to(EXAMPLES).as_posix())
def test_every_example_has_a_page(site, path):
    """With its code, what it prints and draws, and its notebook."""
    name = path.stem if path.suffix == ".py" else path.name.replace(".", "_")
    page = (site / "examples" / path.parent.name / f"{name}.html").read_text(encoding="utf-8")
    text = "".join(html.unescape(re.sub("<[^>]*>", "", page)).split())
    code = path.read_text(encoding="utf-8")
    notebook = code.startswith("# %%")
    lines = [line for line in code.splitlines() if not (notebook and line.startswith("#"))]
    printed = path.parent / "expected" / f"{path.stem}.txt"
    if printed.exists():
        lines += printed.read_text(encoding="utf-8").splitlines()
    for line in lines:
        assert "".join(line.split()) in text, line
    for picture in (path.parent / "expected").glob(f"{path.stem}.png"):
        assert f"_images/{picture.name}" in page
    downloads = re.findall(r'href="([^"]*_downloads/[^"]*)"', page)
    assert f"/{path.name}" in str(downloads)
    if notebook:
        (made,) = [link for link in downloads if link.endswith(f"/{path.stem}.ipynb")]
        cells = json.loads((site / "examples" / path.parent.name / made).read_bytes())["cells"]
        source = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        assert "".join(source.split()) == "".join(without_comment_cells(code).split())


def without_comment_cells(code: str) -> str:
    """The code cells of a script in percent format."""
    cells = re.split(r"^# %%(.*)\n", code, flags=re.M)[1:]
    pairs = zip(cells[::2], cells[1::2], strict=True)
    return "".join(cell for kind, cell in pairs if "markdown" not in kind)


@pytest.fixture
def small_site(tmp_path):
    """Builds a site of one page with what docs/_ext/shown.py adds."""
    for needed in ("sphinx", "matplotlib"):
        pytest.importorskip(needed)
    conf = f"import sys\nsys.path.insert(0, {str(DOCS / '_ext')!r})\nextensions = ['shown']\n"
    (tmp_path / "conf.py").write_text(conf, encoding="utf-8")

    def build(*blocks: str) -> tuple[int, str, str]:
        page = "Page\n====\n\n" + "".join(f".. shown::\n   :alt: it\n\n{b}\n\n" for b in blocks)
        (tmp_path / "index.rst").write_text(page, encoding="utf-8")
        command = [sys.executable, "-m", "sphinx", "-W", "-q", str(tmp_path), str(tmp_path / "out")]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        made = tmp_path / "out" / "index.html"
        return done.returncode, done.stderr, made.read_text("utf-8") if made.exists() else ""

    return build


def test_shown_code_runs_and_is_shown_with_what_it_prints_and_saves(small_site):
    saving = "   from matplotlib.figure import Figure\n   Figure().savefig(f'{x}.png')\n"
    code, errors, page = small_site("   x = 6 * 7\n   print(x)", saving)
    assert code == 0, errors
    assert "<span></span>42\n</pre>" in page
    assert page.count("<img") == 1
    assert 'alt="it"' in page


def test_shown_code_that_fails_fails_the_build(small_site):
    code, errors, _ = small_site("   print(1 / 0)")
    assert code != 0
    assert "ZeroDivisionError" in errors


class Page(html.parser.HTMLParser):
    """What a page points at, and what can be pointed at in it."""

    def __init__(self, path: Path):
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.undescribed: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids.add(values.get("id") or "")
        if tag == "a" and "href" in values:
            self.links.append(values["href"] or "")
        if tag in ("script", "img", "iframe", "source", "video", "audio") and "src" in values:
            self.loaded.append(values["src"] or "")
        if tag == "link" and values.get("rel") not in ("index", "search", "next", "prev"):
            self.loaded.append(values.get("href") or "")
        if tag == "img" and not values.get("alt"):
            self.undescribed.append(values.get("src") or "")


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {path.resolve(): Page(path) for path in site.rglob("*.html")}


def test_links_within_the_site_lead_somewhere(site, pages):
    for path, page in pages.items():
        for link in page.links:
            url = urllib.parse.urlsplit(link)
            if url.scheme:
                continue
            target = (path.parent / urllib.parse.unquote(url.path)).resolve() if url.path else path
            assert target.exists(), f"{path.name}: {link}"
            if url.fragment and target in pages:
                assert urllib.parse.unquote(url.fragment) in pages[target].ids, f"{path}: {link}"


def test_the_site_needs_no_network(site, pages):
    """Neither for its style nor for its search, whose index is a script that pages load."""
    for path, page in pages.items():
        for source in page.loaded:
            url = urllib.parse.urlsplit(source)
            assert not url.scheme, f"{path.name} loads {source}"
            assert not url.netloc, f"{path.name} loads {source}"
            assert (path.parent / url.path).exists(), f"{path.name} loads {source}"
    styles = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.css")}
    assert len(styles) > 3
    for path, style in styles.items():
        for source in re.findall(r"""(?:url\(|@import)\s*['"]?([^'")\s]+)""", style):
            assert not re.match(r"(?:https?:)?//", source), f"{path.name} loads {source}"
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    for word in ("adamw", "warmupcosin", "bfloat16", "checkpoint"):
        assert word in index


def test_pictures_are_described(pages):
    for path, page in pages.items():
        assert not page.undescribed, path.name
