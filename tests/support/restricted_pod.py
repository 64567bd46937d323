"""The pod of a run as the operator makes it where the security profile is *restricted*."""

from typing import Any

from tests.support.builders import KEYRING, a_run, an_actor

from actor_operator.desired.pod import build_objects
from actor_operator.desired.resolve import resolve
from actor_operator.settings import Settings
from actor_operator.settings_pod import PodSettings, SecurityProfile


def restricted_pod(namespace: str) -> dict[str, Any]:
    """As the API server gets it, without the owner, who is nowhere."""
    settings = Settings(pod=PodSettings(security_profile=SecurityProfile.RESTRICTED))
    run, actor = a_run(namespace=namespace), an_actor(namespace=namespace)
    resolution = resolve(run, actor, settings)
    pod = build_objects(run, resolution, keyring=KEYRING, settings=settings).pod
    found: dict[str, Any] = pod.model_dump(by_alias=True, exclude_none=True, mode="json")
    del found["metadata"]["ownerReferences"]
    return found
