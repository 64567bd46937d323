"""Helm takes the operator away and brings it back; runs do not notice."""

import pytest
from tests.cluster_tool.errors import CommandError
from tests.node.conftest import VALUES, Installed
from tests.support.installation import NAMESPACE, REGISTRY, RELEASE, helm, install_operator

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]


def test_uninstalling_keeps_runs_and_a_new_release_goes_on_with_them(installed: Installed) -> None:
    user = installed.user
    user.make_actor("sleeper", f"{REGISTRY}/sleeper:1")
    user.start("survivor", "sleeper", memoryMbytes=128, input={"seconds": 20})
    pod = user.wait("survivor", "RUNNING")["podName"]

    helm(installed.kubeconfig, "uninstall", RELEASE, "--namespace", NAMESPACE, "--wait")

    assert user.status("survivor")["phase"] == "RUNNING"
    assert f"pod/{pod}" in user.run_kubectl("get", "pods", "-o", "name")
    with pytest.raises(CommandError):
        installed.kubectl.run("-n", NAMESPACE, "get", "deployment", RELEASE)

    install_operator(installed.kubeconfig, *VALUES, release="second", take_ownership=True)

    status = user.wait("survivor", "SUCCEEDED", 60)
    assert status["podName"] == pod
    helm(installed.kubeconfig, "uninstall", "second", "--namespace", NAMESPACE, "--wait")
    install_operator(installed.kubeconfig, *VALUES, take_ownership=True)


def test_the_restricted_profile_runs_images_without_root_and_refuses_the_others(
    installed: Installed,
) -> None:
    user = installed.user
    install_operator(installed.kubeconfig, *VALUES, 'settings.pod.securityProfile="restricted"')
    try:
        user.make_actor("non-root", f"{REGISTRY}/non-root:1")
        user.make_actor("inspector", f"{REGISTRY}/inspector:1")
        user.start("as-user", "non-root", memoryMbytes=128)
        user.start("as-root", "inspector", memoryMbytes=128)

        user.wait("as-user", "SUCCEEDED")
        status = user.wait("as-root", "FAILED", 100)

        assert user.log("as-user") == "Running as 1000\n"
        assert status["failure"]["reason"] == "ContainerConfigError"
        assert "runAsNonRoot" in status["failure"]["message"]
    finally:
        install_operator(installed.kubeconfig, *VALUES)
