"""Files and pipes, read piece by piece."""

import io
import os
from pathlib import Path

import pytest

from actor_operator.cli.reading import CHUNK, chunks, lines, name_of, size_of


async def test_a_pipe_is_read_to_its_end() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"a\nb")
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        assert size_of(file) is None
        assert [line async for line in lines(file)] == [b"a", b"b"]


async def test_a_file_comes_in_pieces_and_says_how_large_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * (CHUNK + 1))
    with path.open("rb") as file:
        assert size_of(file) == CHUNK + 1
        assert [len(piece) async for piece in chunks(file)] == [CHUNK, 1]
        assert name_of(file) == str(path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"\na\n\nb", [b"", b"a", b"", b"b"]),
        (b"x" * CHUNK + b"y\nz", [b"x" * CHUNK + b"y", b"z"]),
    ],
)
async def test_lines_are_whole_wherever_a_piece_ends(content: bytes, found: list[bytes]) -> None:
    assert [line async for line in lines(io.BytesIO(content))] == found


def test_what_has_no_name_is_standard_input() -> None:
    assert name_of(io.BytesIO()) == "standard input"
