"""The pod of a run, and the Secret with its environment."""

from dataclasses import dataclass

import msgspec

from actor_operator.api.k8s import (
    V1Container,
    V1ContainerPort,
    V1EnvFromSource,
    V1EnvVar,
    V1EnvVarSource,
    V1LocalObjectReference,
    V1ObjectMeta,
    V1OwnerReference,
    V1Pod,
    V1PodSpec,
    V1Probe,
    V1Secret,
    V1SecretEnvSource,
    V1SecretKeySelector,
    V1TCPSocketAction,
    V1Toleration,
    V1Volume,
    V1VolumeMount,
)
from actor_operator.api.views.actor import SecretKeyRef
from actor_operator.api.views.run import RunView
from actor_operator.constants import (
    ANNOTATION_RESOLVED,
    CONTAINER_NAME,
    LABEL_ACTOR,
    LABEL_ATTEMPT,
    LABEL_ENVIRONMENT,
    WEB_PORT_NAME,
)
from actor_operator.desired.api_access import api_variables
from actor_operator.desired.children import owner_reference, run_labels
from actor_operator.desired.environment import Environment, build_environment, encode_secret_data
from actor_operator.desired.keyring import Keyring
from actor_operator.desired.names import environment_suffix, pod_name, pod_number
from actor_operator.desired.resolve import Resolution
from actor_operator.desired.resources import build_resources, build_shared_memory
from actor_operator.desired.security import build_container_security, build_pod_security
from actor_operator.settings import Settings
from actor_operator.settings_pod import PodSettings


@dataclass(frozen=True, slots=True)
class RunObjects:
    """What is created for a pod of a run, in this order."""

    pod_name: str
    secret_name: str
    secret: V1Secret
    pod: V1Pod


def build_objects(
    run: RunView,
    resolution: Resolution,
    *,
    keyring: Keyring,
    settings: Settings,
    seconds_left: int | None = None,
) -> RunObjects:
    """Build the current pod of a run and its environment Secret.

    Parameters
    ----------
    run
        The run; its status tells which pod is the current one.
    resolution
        What it runs.
    keyring
        The keys that make the Secret's name unguessable, and the run's token.
    settings
        The operator's settings.
    seconds_left
        What is left of the attempt's time, for a pod that follows another one; None: all of it.

    Raises
    ------
    TerminalError
        InputTooLarge, InputChanged, InputKeyUnavailable or EnvironmentTooLarge.
    """
    for_api = api_variables(run, resolution, settings.api, keyring)
    environment = build_environment(run, resolution, for_api)
    number = pod_number(run.status)
    suffix = environment_suffix(keyring.active, run.uid, number, environment.content())
    name = pod_name(run.name, run.uid, number)
    return RunObjects(
        pod_name=name,
        secret_name=f"{name}-{suffix}",
        secret=_build_secret(run, environment, f"{name}-{suffix}"),
        pod=_build_pod(run, resolution, environment, suffix, settings.pod, seconds_left),
    )


def _build_secret(run: RunView, environment: Environment, name: str) -> V1Secret:
    return V1Secret(
        api_version="v1",
        kind="Secret",
        metadata=V1ObjectMeta(
            name=name,
            namespace=run.namespace,
            labels=run_labels(run),
            owner_references=[V1OwnerReference.model_validate(owner_reference(run))],
        ),
        immutable=True,
        data=encode_secret_data(environment.literals),
    )


def _build_pod(
    run: RunView,
    resolution: Resolution,
    environment: Environment,
    suffix: str,
    settings: PodSettings,
    seconds_left: int | None,
) -> V1Pod:
    name = pod_name(run.name, run.uid, pod_number(run.status))
    return V1Pod(
        api_version="v1",
        kind="Pod",
        metadata=V1ObjectMeta(
            name=name,
            namespace=run.namespace,
            labels={
                **run_labels(run),
                LABEL_ACTOR: resolution.actor.name,
                LABEL_ATTEMPT: str(run.status.attempt),
                LABEL_ENVIRONMENT: suffix,
            },
            annotations={
                ANNOTATION_RESOLVED: msgspec.json.encode(resolution.resolved).decode(),
            },
            owner_references=[V1OwnerReference.model_validate(owner_reference(run))],
        ),
        spec=_build_pod_spec(resolution, environment, f"{name}-{suffix}", settings, seconds_left),
    )


def _build_pod_spec(
    resolution: Resolution,
    environment: Environment,
    secret: str,
    settings: PodSettings,
    seconds_left: int | None,
) -> V1PodSpec:
    resolved = resolution.resolved
    shared_memory = V1Volume(name="shm", empty_dir=build_shared_memory(resolved.memory_mbytes))
    return V1PodSpec(
        containers=[_build_container(resolution, environment, secret, settings)],
        volumes=[shared_memory],
        restart_policy="Never",
        # Exactly the timeout: it holds while the operator is down (docs/adr/0003).
        active_deadline_seconds=seconds_left or resolved.timeout_secs or None,
        termination_grace_period_seconds=settings.grace_period_seconds,
        automount_service_account_token=False,
        enable_service_links=False,
        security_context=build_pod_security(settings.security_profile),
        host_users=None if settings.host_users else False,
        runtime_class_name=settings.runtime_class_name,
        priority_class_name=settings.priority_class_name,
        node_selector=dict(settings.node_selector) or None,
        tolerations=_build_tolerations(settings) or None,
        image_pull_secrets=[V1LocalObjectReference(name=n) for n in resolution.pull_secrets]
        or None,
    )


def _build_container(
    resolution: Resolution, environment: Environment, secret: str, settings: PodSettings
) -> V1Container:
    resolved = resolution.resolved
    web = resolution.actor.spec.web_server
    return V1Container(
        name=CONTAINER_NAME,
        image=resolved.image,
        env_from=[V1EnvFromSource(secret_ref=V1SecretEnvSource(name=secret))],
        env=[_build_secret_variable(*item) for item in environment.secrets.items()] or None,
        ports=[V1ContainerPort(name=WEB_PORT_NAME, container_port=resolution.port)]
        if web.enabled
        else None,
        readiness_probe=_build_probe() if web.enabled and web.readiness_probe else None,
        resources=build_resources(resolved.memory_mbytes, settings),
        security_context=build_container_security(settings.security_profile),
        termination_message_policy="File",
        volume_mounts=[V1VolumeMount(name="shm", mount_path="/dev/shm")],  # noqa: S108 -- a mount
    )


def _build_probe() -> V1Probe:
    """Ready is who listens: requests wait for the port, and stop when it is closed for 3 s."""
    return V1Probe(
        tcp_socket=V1TCPSocketAction(port=WEB_PORT_NAME), period_seconds=1, failure_threshold=3
    )


def _build_secret_variable(name: str, reference: SecretKeyRef) -> V1EnvVar:
    selector = V1SecretKeySelector(name=reference.name, key=reference.key)
    return V1EnvVar(name=name, value_from=V1EnvVarSource(secret_key_ref=selector))


def _build_tolerations(settings: PodSettings) -> list[V1Toleration]:
    return [
        V1Toleration(
            key=item.key,
            operator=item.operator,
            value=item.value,
            effect=item.effect,
            toleration_seconds=item.toleration_seconds,
        )
        for item in settings.tolerations
    ]
