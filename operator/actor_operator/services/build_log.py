"""The log of a build that was made elsewhere: what this server knows of it. Pure."""

from actor_operator.api.views.full_actor import FullBuild
from actor_operator.services.actor_directory import FoundActor, created_at
from actor_operator.services.times import iso


def build_log(found: FoundActor, build: FullBuild, *, own: bool) -> str:
    """The log, in the form of logs of runs: clients wait for text, and split it by the stamps.

    Parameters
    ----------
    found
        The Actor.
    build
        The build.
    own
        Whether the caller owns the Actor: nobody else is told where its images are.
    """
    stamp = iso(created_at(found.actor))
    image = f" is the image {build.image}" if own else " is an image of its owner"
    lines = (
        f"Build {build.number} of {found.key}{image}.",
        "It was built elsewhere, and its log is there.",
        "The time of these lines is when the Actor was registered, which may be before the build.",
    )
    return "".join(f"{stamp} ACTOR: {line}\n" for line in lines)
