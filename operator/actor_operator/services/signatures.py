"""Signed links: whoever has one may read one thing.

The forms are those that Apify's clients make themselves (apify-client: crypto utilities).
"""

import base64
import hmac
from datetime import datetime

SYMBOLS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Digits of base 62."""

HEX_DIGITS = 30
"""Digits of the mac that are used."""


def sign_text(key: str, text: str) -> str:
    """The signature of a record's key: it never expires."""
    number = int(hmac.digest(key.encode(), text.encode(), "sha256").hex()[:HEX_DIGITS], 16)
    digits = ""
    while number:
        number, rest = divmod(number, len(SYMBOLS))
        digits = SYMBOLS[rest] + digits
    return digits or SYMBOLS[0]


def sign_storage(key: str, storage_id: str, expires_at: datetime | None) -> str:
    """The signature of all items of a dataset, or of all keys of a key-value store."""
    millis = int(expires_at.timestamp() * 1000) if expires_at else 0
    text = f"0.{millis}.{sign_text(key, f'0.{millis}.{storage_id}')}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def is_signed_text(key: str, text: str, signature: str) -> bool:
    """Whether a signature is that of a record's key."""
    return hmac.compare_digest(signature.encode(), sign_text(key, text).encode())


def is_signed_storage(key: str, storage_id: str, signature: str, now: datetime) -> bool:
    """Whether a signature is that of a storage, and holds still."""
    try:
        # Some clients keep the padding and some do not.
        padded = signature.rstrip("=") + "=" * (-len(signature.rstrip("=")) % 4)
        version, millis, mac = base64.urlsafe_b64decode(padded).decode().split(".")
        expires = int(millis)
    except ValueError:
        return False
    if version != "0" or (expires and expires < now.timestamp() * 1000):
        return False
    expected = sign_text(key, f"0.{expires}.{storage_id}")
    return hmac.compare_digest(mac.encode(), expected.encode())
