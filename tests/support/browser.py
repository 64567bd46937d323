"""A headless browser of this machine: Debian's, in a root of its own that is gone afterwards."""

import html
import re
from dataclasses import dataclass
from pathlib import Path

from tests.cluster_tool.commands import run
from tests.node.images.browser.image import BROWSER

PROGRAM = "/usr/lib/chromium/chromium-headless-shell"

SCREENSHOT = "page.png"

ATTEMPTS = 5
"""How often a page is opened."""

ROOT = """
set -e
mount -t tmpfs tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root"
mkdir -p "$2/root/tmp" "$2/root/proc" "$2/root/dev" "$2/root/out"
mount -t proc proc "$2/root/proc"
mount --rbind /dev "$2/root/dev"
mount --bind "$3" "$2/root/out"
root="$2/root"
shift 3
exec chroot "$root" "$@"
"""
"""Script that runs a program in a root: the folder with it, an empty one, the one for results,
then the program's words. Its mounts are in a namespace that ends with it."""

OWN_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--")

FLAGS = (
    "--no-sandbox",  # root starts it
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--user-data-dir=/tmp/profile",
    "--window-size=900,500",
    # The page's own time; it stands still while the browser waits for answers, but not for those
    # of web sockets.
    "--virtual-time-budget=3000",
    f"--screenshot=/out/{SCREENSHOT}",
    "--dump-dom",
)


@dataclass(frozen=True)
class Page:
    """A page after its scripts."""

    dom: str
    screenshot: Path

    def text(self, identifier: str) -> str:
        """Text of an element without elements inside, by its id; empty when there is none."""
        found = re.search(rf'<\w+ id="{re.escape(identifier)}">([^<]*)<', self.dom)
        return html.unescape(found.group(1)) if found else ""


def browse(url: str, folder: Path, *, shows: dict[str, str]) -> Page:
    """Open a page of 127.0.0.1, whose name browsers know to be `*.localhost`.

    Parameters
    ----------
    url
        Of the page.
    folder
        Where the screenshot goes.
    shows
        By their ids the texts of elements that the page's scripts write; a page that was shut
        before they came is opened again.

    Raises
    ------
    CommandError
        The browser failed.
    """
    for attempt in range(ATTEMPTS):
        work = folder / f"root-{attempt}"
        work.mkdir()
        page = Page(_dump(url, work, folder), folder / SCREENSHOT)
        if all(page.text(identifier) == text for identifier, text in shows.items()):
            break
    return page


def _dump(url: str, work: Path, results: Path) -> str:
    """The page as the browser has it at last; the screenshot is among the results."""
    # `timeout` ends only its child; the namespace's first process takes the others with it.
    limited = (*OWN_NAMESPACES, "timeout", "--signal=KILL", "60")
    in_root = ("sh", "-c", ROOT, "sh", BROWSER.source(), work, results)
    return run([*limited, *in_root, PROGRAM, *FLAGS, url])
