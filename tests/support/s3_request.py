"""Signed requests to an S3 server, for what the object store under test does not ask for.

Signatures of version 4, with the signature in a header
(https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
"""

import hashlib
import hmac
import http.client
from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit

ACCESS_KEY, SECRET_KEY, REGION = "key", "secret", "local"
"""Who asks, and where."""

SIGNED = ("host", "x-amz-content-sha256", "x-amz-date")
"""Headers under the signature, in their order."""


def ask(method: str, url: str, path: str, body: bytes = b"", **query: str) -> tuple[int, str]:
    """Status and body of a request; the status is 0 when the server does not answer.

    Parameters
    ----------
    url
        Address of the server.
    path
        What is asked for, such as ``/bucket``.
    body
        What is sent.
    query
        Parameters of the request.
    """
    host = urlsplit(url).netloc
    canonical_query = urlencode(sorted(query.items()), quote_via=quote)
    headers = _headers(method, host, path, canonical_query, body)
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request(method, f"{path}?{canonical_query}", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


def _headers(method: str, host: str, path: str, query: str, body: bytes) -> dict[str, str]:
    hashed = hashlib.sha256(body).hexdigest()
    stamp = datetime.now(tz=UTC).strftime("%Y%m%dT%H%M%SZ")
    values = (host, hashed, stamp)
    lines = [f"{name}:{value}" for name, value in zip(SIGNED, values, strict=True)]
    request = "\n".join([method, path, query, *lines, "", ";".join(SIGNED), hashed])
    scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{SECRET_KEY}".encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    signature = _mac(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}").hex()
    return {
        **dict(zip(SIGNED, values, strict=True)),
        "authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, "
        f"SignedHeaders={';'.join(SIGNED)}, Signature={signature}",
    }


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
