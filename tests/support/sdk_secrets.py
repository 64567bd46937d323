"""Reads secret fields of inputs as Apify's SDKs do, from the two variables that a run has."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

FILE = "APIFY_INPUT_SECRETS_PRIVATE_KEY_FILE"
PASSPHRASE = "APIFY_INPUT_SECRETS_PRIVATE_KEY_PASSPHRASE"

BASE64 = "[-A-Za-z0-9+/]*={0,3}"
FORM = re.compile(f"ENCRYPTED_(VALUE|JSON):(?:({BASE64}):)?({BASE64}):({BASE64})")


def decrypted(given: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """An input as the actor gets it."""
    pem = base64.b64decode(variables[FILE])
    key = serialization.load_pem_private_key(pem, variables[PASSPHRASE].encode())
    assert isinstance(key, rsa.RSAPrivateKey)
    return {name: _read(value, key) for name, value in given.items()}


def _read(value: Any, key: rsa.RSAPrivateKey) -> Any:
    found = FORM.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 -- theirs
    password = key.decrypt(base64.b64decode(found[3]), oaep)
    assert len(password) == 48
    data = base64.b64decode(found[4])
    mode = modes.GCM(password[32:], data[-16:])
    decryptor = Cipher(algorithms.AES(password[:32]), mode).decryptor()
    text = (decryptor.update(data[:-16]) + decryptor.finalize()).decode()
    return text if found[1] == "VALUE" else json.loads(text)
