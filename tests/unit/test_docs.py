"""The documentation: each link of it leads somewhere."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
"""The repository."""

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
"""A link in Markdown: its target."""

BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
"""A block of code: what begins with ``#`` there is no heading."""

CODE = re.compile(rf"{BLOCK.pattern}|`[^`\n]*`", BLOCK.flags)
"""What is code, and so has no links."""


def pages() -> list[Path]:
    """Every page that is under version control, or about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    try:
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        return sorted([*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/**/*.md")])
    found = [ROOT / name for name in answer.stdout.splitlines()]
    return sorted(page for page in found if page.is_file())


def anchors(page: Path) -> set[str]:
    """What may stand behind ``#``: the headings, as GitHub names them."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> Iterator[tuple[str, Path, str]]:
    """The links of a page to files of ours: as written, the file, and the heading in it."""
    for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = target.partition("#")
        if not re.match(r"[a-z]+:", target):
            yield target, (page.parent / path).resolve() if path else page, anchor


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target, there, anchor in links(page):
        assert there.exists(), f"{target}: there is no such file"
        assert not anchor or anchor in anchors(there), f"{target}: there is no such heading"


def test_every_page_of_the_documentation_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    fresh = {ROOT / "README.md"}
    while fresh:
        reached |= fresh
        found = {there for page in fresh for _, there, _ in links(page)}
        fresh = {there for there in found if there.suffix == ".md" and there.is_file()} - reached

    assert {page for page in pages() if page.is_relative_to(ROOT / "docs")} - reached == set()
