"""The Ingress of a run's web server."""

from typing import Any

from actor_operator.api.views.run import RunView
from actor_operator.constants import WEB_PORT_NAME
from actor_operator.desired.children import child_metadata
from actor_operator.desired.names import child_name
from actor_operator.settings_web import IngressSettings, Scheme, WebServerSettings

ISSUER_ANNOTATION = "cert-manager.io/cluster-issuer"
"""What asks cert-manager for a certificate."""


def build_ingress(run: RunView, host: str, web: WebServerSettings) -> dict[str, Any]:
    """An Ingress of one host that leads to the run's Service, as it is on the wire."""
    name, settings = child_name(run.name, run.uid), web.ingress
    annotations = dict(settings.annotations)
    if settings.tls.cluster_issuer is not None:
        annotations[ISSUER_ANNOTATION] = settings.tls.cluster_issuer
    path = {
        "path": "/",
        "pathType": str(settings.path_type),
        "backend": {"service": {"name": name, "port": {"name": WEB_PORT_NAME}}},
    }
    spec: dict[str, Any] = {
        "ingressClassName": settings.class_name,
        "rules": [{"host": host, "http": {"paths": [path]}}],
    }
    if web.scheme is Scheme.HTTPS and settings.tls.enabled:
        spec["tls"] = [_build_tls(name, host, settings)]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": child_metadata(run, annotations),
        "spec": spec,
    }


def _build_tls(name: str, host: str, settings: IngressSettings) -> dict[str, Any]:
    tls: dict[str, Any] = {"hosts": [host]}
    secret = f"{name}-tls" if settings.tls.cluster_issuer else settings.tls.secret_name
    return {**tls, "secretName": secret} if secret else tls
