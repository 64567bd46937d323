"""Writes the bill of materials of the image: ``python -m tests.sbom FILE``.

It names all that operator/Dockerfile adds to its base image: this project and every distribution
of requirements/runtime.txt, with version, package URL and the SHA-256 of each file that pip would
take. It does not name what the base image holds (Python and its system libraries), which is another
for each ``BASE_IMAGE`` and which a scanner of images reads from the image, nor libraries that
wheels carry in themselves. uv is there for building only.
"""

import sys
from pathlib import Path

from tests.cluster_tool.toolchain import run_module

ROOT = Path(__file__).resolve().parents[1]
"""The repository."""

RUNTIME = ROOT / "requirements" / "runtime.txt"
"""What the image installs."""


def write_bill(file: Path) -> None:
    """Write the bill of materials, the same for the same sources.

    Raises
    ------
    SystemExit
        With the generator's own words when it fails.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    pyproject = f"--pyproject={ROOT / 'pyproject.toml'}"
    options = ("--output-reproducible", "--validate", f"--output-file={file}")
    done = run_module("sbom.txt", "cyclonedx_py", "requirements", pyproject, *options, str(RUNTIME))
    if done.returncode:
        raise SystemExit(done.stderr)


if __name__ == "__main__":
    write_bill(Path(sys.argv[1]))
    sys.stdout.write(f"Wrote {sys.argv[1]}\n")
