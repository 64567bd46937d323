"""Images by their digest: only where the digest can be fetched."""

import pytest

from actor_operator.desired.images import pin

DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("image", "repository", "pinned"),
    [
        ("registry.example/a/b:1", "registry.example/a/b", "registry.example/a/b"),
        ("registry.example:5000/b:1", "registry.example:5000/b", "registry.example:5000/b"),
        ("localhost/b", "localhost/b", "localhost/b"),
        ("busybox", "docker.io/library/busybox", "busybox"),
        ("apify/actor-node:20", "docker.io/apify/actor-node", "apify/actor-node"),
        ("busybox:1", "docker-pullable://busybox", "busybox"),
    ],
)
def test_an_image_gets_the_digest_of_its_own_repository(
    image: str, repository: str, pinned: str
) -> None:
    assert pin(image, f"{repository}@{DIGEST}") == f"{pinned}@{DIGEST}"


@pytest.mark.parametrize(
    "image_id",
    [
        "",
        DIGEST,
        f"docker.io/library/import-2026-03-01@{DIGEST}",
        f"docker.io/other/busybox@{DIGEST}",
        f"registry.example/library/busybox@{DIGEST}",
    ],
    ids=["nothing", "an id of the runtime", "a loaded image", "another folder", "another registry"],
)
def test_an_image_of_which_nobody_knows_a_digest_to_fetch_stays(image_id: str) -> None:
    assert pin("busybox:1", image_id) == "busybox:1"


def test_an_image_that_names_its_digest_stays() -> None:
    assert pin(f"busybox@{DIGEST}", "docker.io/library/busybox@sha256:1") == f"busybox@{DIGEST}"
