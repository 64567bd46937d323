"""npm in the build of an image, and lock files that name no registry."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.cluster_tool.images import build, node_base, npm_settings

ROOT = Path(__file__).parents[3]
"""The repository."""

MACHINE = {
    "@team:registry": "https://team.example/",
    "cafile": "/home/me/ca.pem",
    "fetch-timeout": 300000,
    "https-proxy": None,
    "noproxy": ["a.example", "b.example"],
    "prefix": "/home/me/node",
    "registry": "https://npm.example/",
    "strict-ssl": True,
}
"""Some of what npm tells of a machine."""


def lock_files() -> list[Path]:
    """The lock files of npm that are in the repository."""
    argv = ["git", "-C", str(ROOT), "ls-files", "*package-lock.json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.splitlines()]


def packages(lock: Path) -> dict[str, dict[str, Any]]:
    """The packages of a lock file by their folders, without the project itself."""
    found: dict[str, dict[str, Any]] = json.loads(lock.read_text())["packages"]
    return {folder: package for folder, package in found.items() if folder}


def test_npm_inside_a_build_reaches_what_npm_outside_reaches() -> None:
    lines = npm_settings.render(MACHINE, "", "/ca.crt").splitlines()

    assert lines[0] == "cafile=/ca.crt"
    assert set(lines[1:]) == {
        "@team:registry=https://team.example/",
        "fetch-timeout=300000",
        "noproxy=a.example,b.example",
        "registry=https://npm.example/",
        "strict-ssl=true",
    }


def test_npm_inside_a_build_has_the_users_credentials_and_nothing_else_of_their_file() -> None:
    own = "cache=/home/me/cache\n//npm.example/:_authToken=secret\n"

    rendered = npm_settings.render(MACHINE, own, "/ca.crt")

    assert "\n//npm.example/:_authToken=secret\n" in rendered
    assert "/home/me" not in rendered


@pytest.mark.parametrize(
    ("dockerfile", "bases"),
    [
        ("ARG BASE_IMAGE=python:3.11-slim\nFROM ${BASE_IMAGE}\n", build.BASES),
        ("ARG NODE_IMAGE=node:24-slim\nFROM ${NODE_IMAGE}\n", (*build.BASES, node_base.NODE_BASE)),
    ],
)
def test_only_a_dockerfile_that_asks_for_node_gets_its_base_image(
    dockerfile: str, bases: tuple[object, ...], tmp_path: Path
) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(dockerfile)

    assert build.Build("a:1", path, tmp_path).bases == bases


def test_every_project_of_npm_has_a_lock_file() -> None:
    argv = ["git", "-C", str(ROOT), "ls-files", "*package.json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    projects = {(ROOT / name).parent for name in done.stdout.splitlines()}

    assert len(projects) > 1
    assert {path.parent for path in lock_files()} == projects


@pytest.mark.parametrize("lock", lock_files(), ids=lambda path: path.parent.name)
def test_a_lock_file_pins_every_package_by_its_hash_and_names_no_registry(lock: Path) -> None:
    found = packages(lock)

    assert len(found) > 10
    assert [folder for folder, package in found.items() if "integrity" not in package] == []
    assert [folder for folder, package in found.items() if "resolved" in package] == []


@pytest.mark.parametrize("lock", lock_files(), ids=lambda path: path.parent.name)
def test_a_lock_file_is_of_its_package_file(lock: Path) -> None:
    wanted = json.loads((lock.parent / "package.json").read_text())["dependencies"]

    assert json.loads(lock.read_text())["packages"][""]["dependencies"] == wanted
    exact = re.compile(r"\d+\.\d+\.\d+")
    assert [name for name, version in wanted.items() if not exact.fullmatch(version)] == []
