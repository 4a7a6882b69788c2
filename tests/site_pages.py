"""A hook of mkdocs: what stands outside docs/ and is linked from there becomes part of the site, in one folder with the rest."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = {"README.md": "index.md", **{name: name for name in ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")}}
LINK = re.compile(r"(?<=\]\()(?!https?://|#)([^)#]*)")


def linked_files() -> set[str]:
    """Everything else outside docs/ that a document there links to."""
    links = {link for page in (ROOT / "docs").glob("*.md") for link in LINK.findall(page.read_text("utf-8"))}
    links |= {f"../{link}" for page in PAGES for link in LINK.findall((ROOT / page).read_text("utf-8"))}
    outside = {link.removeprefix("../") for link in links if link.startswith("../") and "../docs/" not in link}
    return {link for link in outside if link not in PAGES and (ROOT / link).is_file()}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for name, as_name in {**PAGES, **{name: name for name in linked_files()}}.items():
        files.append(File.generated(config, as_name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001  as mkdocs calls it
    of_first_folder = page.file.src_uri in PAGES.values()

    def here(found: re.Match[str]) -> str:
        link = found[1].removeprefix("docs/" if of_first_folder else "../")
        return PAGES.get(link, link)

    return LINK.sub(here, markdown)
