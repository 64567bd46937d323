"""``make mutation``: put small defects into the life cycle, one by one; its tests must notice.

mutmut makes the defects and forks a process for each. It wants the package below ``src``, so it
works on a copy of the tree in ``build/mutation``, where its results stay.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]

WORK = ROOT / "build" / "mutation"
"""Where the copy is."""

MUTATED = "src/actor_operator/lifecycle/*"
"""What gets defects."""

TESTS = "tests/unit/lifecycle"
"""What must notice them, in a few milliseconds each."""

LEFT_OUT = ("test_machine.py", "test_memory_machine.py", "test_steps.py", "test_costs.py")
"""Random stories: slow, and a defect that only they notice is not pinned down by a test. And counts
of calls, which are others where each function may be a defect.
"""

WANTED = 85.0
"""Percent of the defects that must be noticed."""

CONFIG = f"""
[tool.mutmut]
source_paths = ["src/actor_operator"]
only_mutate = ["{MUTATED}"]
also_copy = ["crds", "manifests"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:randomly"]
pytest_add_cli_args_test_selection = [
    "{TESTS}", {", ".join(f'"--deselect={TESTS}/{name}"' for name in LEFT_OUT)}
]
"""


@click.command()
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count(), help="Side by side.")
def main(jobs: int) -> None:
    """Measure how many defects of the life cycle its tests notice; ends with code 1 if too few."""
    copy_tree()
    mutmut = Path(sys.executable).with_name("mutmut")
    os.nice(10)
    subprocess.run([mutmut, "run", "--max-children", str(jobs)], cwd=WORK, check=True)
    subprocess.run([mutmut, "export-cicd-stats"], cwd=WORK, check=True, capture_output=True)
    listed = subprocess.run(
        [mutmut, "results"], cwd=WORK, check=True, capture_output=True, text=True
    )
    for line in listed.stdout.splitlines():
        click.echo(line.strip())
    stats = json.loads((WORK / "mutants/mutmut-cicd-stats.json").read_text())
    noticed, total = stats["killed"] + stats["timeout"], stats["total"] - stats["skipped"]
    score = 100 * noticed / total
    click.echo(f"mutation score: {score:.1f} % ({noticed} of {total} defects noticed)")
    sys.exit(score < WANTED)


def copy_tree() -> None:
    """Lay the project out as mutmut wants it."""
    shutil.rmtree(WORK, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "operator/actor_operator", WORK / "src/actor_operator", ignore=ignored)
    for folder in ("tests", "crds", "manifests"):
        shutil.copytree(ROOT / folder, WORK / folder, ignore=ignored)
    text = (ROOT / "pyproject.toml").read_text()
    moved = text.replace('pythonpath = ["operator", "."]', 'pythonpath = ["src", "."]')
    (WORK / "pyproject.toml").write_text(moved + CONFIG)


if __name__ == "__main__":
    main()
