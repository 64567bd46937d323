"""Secret fields of inputs, encrypted before they are kept, as the SDKs decrypt them.

A field that its schema calls ``isSecret`` becomes ``ENCRYPTED_VALUE:<password>:<value>``, or
``ENCRYPTED_JSON:…`` if it is no text: AES-256-GCM, whose key and nonce are locked with the public
key of the run by RSA-OAEP (Apify docs: secret input; its packages input_secrets and utilities).
"""

import base64
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from actor_operator.services.errors import invalid
from actor_operator.services.input import compile_schema

KEY_BITS = 2048
"""Of a key pair (Apify's)."""

AES_BYTES, NONCE_BYTES = 32, 16
"""Of the key of a value and its nonce, which the SDKs cut out of the password by their lengths."""

ENCRYPTED = re.compile(r"ENCRYPTED_(VALUE|JSON):[-A-Za-z0-9+/=:]*")
"""A value that is encrypted already."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An input whose secret fields are encrypted.

    Parameters
    ----------
    body
        The input.
    locked_key
        The private key: a PEM that a passphrase locks, in base64.
    """

    body: bytes
    locked_key: str


def secret_fields(schema: str | None) -> tuple[str, ...]:
    """Names of the fields that an input schema calls secret.

    Raises
    ------
    ApiError
        400 invalid-input-schema.
    """
    if schema is None or "isSecret" not in schema:
        return ()
    fields = compile_schema(schema).source.get("properties")
    return tuple(
        name
        for name, field in (fields.items() if isinstance(fields, dict) else ())
        if isinstance(field, dict) and field.get("isSecret") is True
    )


def seal(body: bytes, names: tuple[str, ...], passphrase: str) -> Sealed | None:
    """Encrypt the secret fields of an input, with a new key pair: that takes a tenth of a second.

    Parameters
    ----------
    body
        JSON of an object, as it was checked.
    names
        The secret fields.
    passphrase
        What the private key is locked with.

    Returns
    -------
    Sealed | None
        None: it has none of these fields.

    Raises
    ------
    ApiError
        400 invalid-input, when one was encrypted for another run.
    """
    value: dict[str, Any] = json.loads(body)
    found = {name: value[name] for name in names if _is_sealed_kind(value.get(name))}
    if not found:
        return None
    for name, content in found.items():
        if isinstance(content, str) and ENCRYPTED.fullmatch(content):
            raise invalid(
                f"Field input.{name} was encrypted for another run, and only that one can read it."
                " Give the value itself.",
                "invalid-input",
            )
    key = rsa.generate_private_key(public_exponent=65_537, key_size=KEY_BITS)
    sealed = {name: _encrypt(content, key.public_key()) for name, content in found.items()}
    text = json.dumps({**value, **sealed}, ensure_ascii=False, separators=(",", ":"))
    return Sealed(text.encode(), _locked(key, passphrase))


def _is_sealed_kind(content: Any) -> bool:
    """Whether a value is one that is encrypted: a text that is not empty, an object or an array."""
    return isinstance(content, dict | list) or (isinstance(content, str) and bool(content))


def _encrypt(content: Any, key: rsa.RSAPublicKey) -> str:
    is_text = isinstance(content, str)
    text = content if is_text else json.dumps(content, ensure_ascii=False)
    password = secrets.token_bytes(AES_BYTES + NONCE_BYTES)
    cipher = AESGCM(password[:AES_BYTES])
    value = cipher.encrypt(password[AES_BYTES:], text.encode(), None)
    # SHA-1 is what the SDKs take here; in this place it is no weakness.
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303
    locked = key.encrypt(password, oaep)
    return f"ENCRYPTED_{'VALUE' if is_text else 'JSON'}:{_text(locked)}:{_text(value)}"


def _locked(key: rsa.RSAPrivateKey, passphrase: str) -> str:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode()),
    )
    return _text(pem)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
