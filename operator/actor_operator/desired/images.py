"""Images by their digest, so that a run's later pods run what its first one ran."""

DEFAULT_REGISTRY = "docker.io"
"""Where an image without a registry in its name is fetched from."""

DEFAULT_FOLDER = "library"
"""Where in it an image of a single word lies."""


def pin(image: str, image_id: str) -> str:
    """The image with the digest that the kubelet tells.

    Parameters
    ----------
    image
        The image as the Actor names it.
    image_id
        ``containerStatuses[].imageID``. A runtime may tell the name of another repository, or only
        the digest of its own record (images that were loaded and not fetched): then nobody could
        fetch it, and the image stays as it is.
    """
    repository, _, digest = image_id.rpartition("@")
    if not repository or "@" in image:
        return image
    own = _repository(image)
    return f"{own}@{digest}" if _in_full(own) == _in_full(repository) else image


def _repository(image: str) -> str:
    """The image's name without its tag; a colon before a slash belongs to a port."""
    folder, slash, last = image.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def _in_full(repository: str) -> str:
    registry, _, rest = repository.rpartition("://")[2].partition("/")
    if rest and (registry == "localhost" or "." in registry or ":" in registry):
        return f"{registry}/{rest}"
    path = f"{registry}/{rest}" if rest else f"{DEFAULT_FOLDER}/{registry}"
    return f"{DEFAULT_REGISTRY}/{path}"
