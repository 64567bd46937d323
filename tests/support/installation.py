"""The project on a cluster: its images, and the chart installed with Helm."""

import json
import shutil
from pathlib import Path

import yaml
from tests.cluster_tool import toolchain
from tests.cluster_tool.commands import run
from tests.cluster_tool.images.build import Build, build, cache_key
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.progress import step
from tests.cluster_tool.providers.base import Provider

ROOT = Path(__file__).parents[2]
"""The repository."""

CHART = ROOT / "helm/actor-operator"
"""The chart."""

SAMPLES = ROOT / "manifests/samples"
"""Manifests and actors that users start from."""

RELEASE = NAMESPACE = "actor-operator-system"
"""Name of the Helm release, and of its namespace."""

OPERATOR_IMAGE = "localhost/actor-operator/operator:0.1.0"
"""The operator's image, as the chart's default values name it."""

API_FOLDER = "/var/lib/actor-operator-api"
"""Folder of a node in which the API server keeps everything, where nothing makes volumes."""

HOST = r"{.items[0].metadata.labels.kubernetes\.io/hostname}"
"""The first node's name, as labels of nodes name it."""

REGISTRY = "localhost/actor-operator"
"""Prefix of the images of the sample actors."""


SDK_ACTORS = ("sdk-javascript", "sdk-python", "sdk-python-crawler")
"""Sample actors that talk to the API server; their images are large, and few tests need them."""


def project_images() -> list[Build]:
    """The operator's image and those of the sample actors that need nothing but it."""
    folders = sorted(path.parent for path in (SAMPLES / "actors").glob("*/Dockerfile"))
    samples = [sample_image(folder.name) for folder in folders if folder.name not in SDK_ACTORS]
    return [operator_image(), *samples]


def sdk_images() -> list[Build]:
    """The images of the sample actors that talk to the API server."""
    return [sample_image(name) for name in SDK_ACTORS]


def sample_image(name: str) -> Build:
    """The image of one sample actor."""
    folder = SAMPLES / "actors" / name
    return Build(f"{REGISTRY}/{name}:1", folder / "Dockerfile", folder)


def operator_image() -> Build:
    """The operator's image."""
    return Build(OPERATOR_IMAGE, ROOT / "operator/Dockerfile", ROOT)


def load_project_images(provider: Provider, *more: Build) -> None:
    """Build what the cache does not have, and load all of it, and more, into every node."""
    archives = []
    for image in (*project_images(), *more):
        with step(f"Image {image.full_reference}"):
            archives.append(build(image))
    with step("Loading the images into the nodes"):
        provider.load_images(archives)


def helm(kubeconfig: Path, *arguments: str) -> str:
    """Run helm against a cluster and return what it printed."""
    return run([str(toolchain.ensure_helm()), f"--kubeconfig={kubeconfig}", *arguments])


def install_operator(
    kubeconfig: Path,
    *values: str,
    api: bool = False,
    release: str = RELEASE,
    take_ownership: bool = False,
    chart: Path = CHART,
) -> None:
    """Install or upgrade the operator and wait until it is ready.

    Parameters
    ----------
    kubeconfig
        The cluster.
    values
        Values of the chart, as ``--set-json`` takes them.
    api
        Install the API server as well.
    release
        Name of the release.
    take_ownership
        Take over the CRDs that another release has left.
    chart
        Another chart than this project's, such as an older one.
    """
    # The image keeps its tag while its content changes: only the pods' template can say so.
    content = f'podAnnotations={{"image-content":"{cache_key(operator_image())}"}}'
    helm(
        kubeconfig,
        "upgrade",
        "--install",
        release,
        str(chart),
        "--namespace",
        NAMESPACE,
        "--create-namespace",
        "--wait",
        "--timeout=120s",
        *(["--take-ownership"] if take_ownership else []),
        *(f"--set-json={value}" for value in (*_api_values(kubeconfig, api=api), *values, content)),
    )


def chart_of_version(version: str, folder: Path) -> Path:
    """A copy of the chart, as another version of it; its pods have images of that version."""
    chart = folder / "chart"
    shutil.copytree(CHART, chart)
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    about |= {"version": version, "appVersion": version}
    (chart / "Chart.yaml").write_text(yaml.safe_dump(about))
    return chart


def _api_values(kubeconfig: Path, *, api: bool) -> tuple[str, ...]:
    """Values of the API server: with a claim where volumes are made, else a folder of one node."""
    if not api:
        return ("api.enabled=false",)
    kubectl = Kubectl(kubeconfig)
    if kubectl.run("get", "storageclasses", "--output=name"):
        return ()
    host = kubectl.run("get", "nodes", "--selector=type!=kwok", f"--output=jsonpath={HOST}")
    node = json.dumps({"kubernetes.io/hostname": host})
    return (f'api.storage.persistence.hostPath="{API_FOLDER}"', f"api.nodeSelector={node}")
