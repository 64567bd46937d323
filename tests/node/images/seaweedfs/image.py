"""SeaweedFS, an object store behind S3's protocol: one static program.

In a world with a registry it would be `chrislusf/seaweedfs`.
"""

from tests.cluster_tool import toolchain
from tests.cluster_tool.images import catalog
from tests.cluster_tool.images.oci import ImageConfig
from tests.support.installation import REGISTRY

SEAWEEDFS = catalog.Image(
    ImageConfig(f"{REGISTRY}/seaweedfs:1", entrypoint=("/program",)),
    toolchain.ensure_weed,
    catalog.static_program,
)
"""The image."""
