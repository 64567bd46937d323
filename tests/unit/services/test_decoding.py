"""Content encodings."""

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actor_operator.services.decoding import PIECE_BYTES, DecodingError, decoder

ENCODERS: dict[str | None, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    None: bytes,
}


def decode(encoding: str | None, *chunks: bytes) -> bytes:
    decoding = decoder(encoding)
    body = b"".join(piece for chunk in chunks for piece in decoding.feed(chunk))
    decoding.finish()
    return body


@pytest.mark.parametrize("encoding", ENCODERS)
@given(body=st.binary(max_size=300), step=st.integers(1, 50))
def test_a_body_comes_out_whatever_its_chunks_are(
    encoding: str | None, body: bytes, step: int
) -> None:
    encoded = ENCODERS[encoding](body)

    assert (
        decode(encoding, *(encoded[at : at + step] for at in range(0, len(encoded), step))) == body
    )


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_small_body_that_becomes_huge_comes_in_small_pieces(encoding: str) -> None:
    body = bytes(30 * PIECE_BYTES)

    sizes = [len(piece) for piece in decoder(encoding).feed(ENCODERS[encoding](body))]

    assert sum(sizes) == len(body)
    assert max(sizes) <= 2 * PIECE_BYTES


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_body_that_ends_too_early_is_broken(encoding: str) -> None:
    with pytest.raises(DecodingError):
        decode(encoding, ENCODERS[encoding](b"hello" * 100)[:-1])


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_what_is_not_encoded_is_broken(encoding: str) -> None:
    with pytest.raises(DecodingError):
        decode(encoding, b"plain text, and enough of it")


def test_gzip_may_have_several_members() -> None:
    assert decode("gzip", gzip.compress(b"one") + gzip.compress(b"two")) == b"onetwo"


def test_an_unknown_encoding_has_no_decoder() -> None:
    with pytest.raises(ValueError, match="zstd"):
        decoder("zstd")
