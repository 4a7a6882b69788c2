"""`python -m tests.pictures`: all surfaces into build/pictures with a contact sheet; `docs`: the documents' own pictures."""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser.demo import find_chromium
from tests.pictures.documents import take
from tests.pictures.draw import contact_sheet, draw_all, read_surfaces
from tests.pictures.recorder import FOLDER

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "pictures"
DOCUMENTS = ROOT / "docs" / "pictures"
MOST_BYTES = 400_000  # of a picture in a document


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("what", choices=("all", "surfaces", "docs"), nargs="?", default="all")
    parser.add_argument("--stories", nargs="+", default=["tests/e2e"], help="the tests that are played (all stories)")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    chosen = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        print("No browser was found. Install Chromium: on Debian and Ubuntu, apt install chromium")
        return 1
    if chosen.what != "docs":
        surfaces(chromium, chosen.stories, chosen.theme)
    if chosen.what != "surfaces":
        documents(chromium)
    return 0


def surfaces(chromium: str, stories: list[str], theme: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "-n", "auto", "-p", "tests.pictures.recorder", *stories]
        # a story that fails shows its surfaces, too: whether it passes is the tests' business
        subprocess.run(command, cwd=ROOT, env=os.environ | {FOLDER: folder}, check=False)
        found = read_surfaces(Path(folder))
    BUILD.mkdir(parents=True, exist_ok=True)
    for old in BUILD.glob("*.png"):
        old.unlink()
    drawn = asyncio.run(draw_all(chromium, found, BUILD, theme=theme))
    (BUILD / "index.html").write_text(contact_sheet(drawn))
    print(f"{len(drawn)} surfaces: {BUILD / 'index.html'}")


def documents(chromium: str) -> None:
    DOCUMENTS.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(chromium, DOCUMENTS))
    for picture in sorted(DOCUMENTS.iterdir()):
        size = picture.stat().st_size
        print(f"{picture}: {size // 1000} kB")
        assert size < MOST_BYTES, f"{picture} is too large for a document"


if __name__ == "__main__":
    sys.exit(main())
