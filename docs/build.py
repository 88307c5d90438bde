"""Gather the pages of the documentation site in one folder: these, the README and the CHANGELOG.

    python docs/build.py FOLDER

Links are rewritten to where the pages stand there. ``make docs`` builds the site of them.
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FIGURES = "benchmarks/results/figures/"
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}


def gather(folder: Path) -> None:
    """Write the pages and pictures into ``folder``, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, page in PAGES.items():
        (folder / page).write_text(moved((ROOT / name).read_text(encoding="utf-8")))
    for file in (ROOT / "docs").glob("*.md"):
        (folder / file.name).write_text(moved(file.read_text(encoding="utf-8")))
    for picture in [
        *(ROOT / "docs").glob("*.svg"),
        *(ROOT / "docs").glob("*.png"),
        *(ROOT / FIGURES).glob("*.png"),
    ]:
        shutil.copy(picture, folder / picture.name)


def moved(text: str) -> str:
    """Return ``text`` with its links as they are in the site."""
    text = text.replace(f"](../{FIGURES}", "](").replace("](docs/", "](")
    for name, page in PAGES.items():
        text = text.replace(f"]({name})", f"]({page})").replace(f"](../{name})", f"]({page})")
    return text


if __name__ == "__main__":
    gather(Path(sys.argv[1]))
