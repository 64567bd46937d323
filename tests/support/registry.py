"""A registry with one image, in the network of a node: what an OCI archive holds, to be read only.

Started as a script, with the standard library only; ends with the process that started it.
Arguments: port, name of the image's repository, archive.
"""

import json
import sys
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def content(archive: str) -> tuple[str, dict[str, bytes]]:
    """Digest of an archive's image, and all of its blobs by their digests."""
    blobs, digest = {}, ""
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            file = tar.extractfile(member)
            if file is None:
                continue
            if member.name.removeprefix("./") == "index.json":
                digest = json.load(file)["manifests"][0]["digest"]
            elif "blobs/sha256/" in member.name:
                blobs[f"sha256:{member.name.rpartition('/')[2]}"] = file.read()
    return digest, blobs


def handler(name: str, archive: str) -> type[BaseHTTPRequestHandler]:
    """What answers requests for an image."""
    digest, blobs = content(archive)

    class Handler(BaseHTTPRequestHandler):
        default_request_version = "HTTP/1.1"
        """Also who tries TLS is answered by HTTP, so that containerd does without."""

        def do_GET(self) -> None:
            found = self._answer()
            if self.command == "GET":
                self.wfile.write(found)

        do_HEAD = do_GET  # noqa: N815 -- what the library calls

        def _answer(self) -> bytes:
            folder, _, last = self.path.rpartition("/")
            wanted = last if last.startswith("sha256:") else digest
            known = self.path == "/v2/" or folder.startswith(f"/v2/{name}/")
            body = blobs.get(wanted, b"") if folder != "/v2" and known else b""
            self.send_response(200 if known else 404)
            if folder.endswith("/manifests"):
                self.send_header("Content-Type", MANIFEST)
                self.send_header("Docker-Content-Digest", wanted)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            return body

    return Handler


if __name__ == "__main__":
    address = ("127.0.0.1", int(sys.argv[1]))
    ThreadingHTTPServer(address, handler(sys.argv[2], sys.argv[3])).serve_forever()
