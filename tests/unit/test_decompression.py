from __future__ import annotations

import bz2
import gzip
import lzma
import sys
from typing import TYPE_CHECKING

import pytest
import zstandard

from brasa.corpus import Corpus
from brasa.decompression import PIECE_BYTES
from brasa.errors import CorpusError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = b"".join(b"line %d of some text\n" % i for i in range(50_000))
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


def read(path: Path) -> bytes:
    return b"".join(piece for _, pieces in Corpus(path).sources() for piece in pieces)


@pytest.fixture(params=COMPRESS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_formats_are_told_by_content(kind: str, tmp_path: Path) -> None:
    for name in (f"text.{kind}", "text", "text.txt"):
        path = tmp_path / name
        path.write_bytes(COMPRESS[kind](TEXT))
        assert read(path) == TEXT


def test_streams_follow_each_other(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "text"
    streams = [TEXT, b"", b"x", TEXT[:1000]] * 3
    path.write_bytes(b"".join(map(COMPRESS[kind], streams)))
    assert read(path) == b"".join(streams)


def test_padding_is_skipped_where_it_is_allowed(tmp_path: Path) -> None:
    for kind in ("gz", "xz"):
        path = tmp_path / kind
        path.write_bytes((COMPRESS[kind](TEXT) + bytes(512)) * 2)
        assert read(path) == TEXT * 2


def test_a_zstandard_file_may_begin_with_a_skippable_frame(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + COMPRESS["zst"](TEXT))
    assert read(path) == TEXT


def test_every_truncation_is_noticed(kind: str, tmp_path: Path) -> None:
    whole = COMPRESS[kind](TEXT[:300])
    path = tmp_path / f"text.{kind}"
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(CorpusError) as caught:
            read(path)
        assert caught.value.source == str(path)


@pytest.mark.parametrize("cut", [0.3, 0.9, 0.999])
def test_a_truncated_large_file_names_itself(kind: str, cut: float, tmp_path: Path) -> None:
    whole = COMPRESS[kind](TEXT)
    path = tmp_path / f"text.{kind}"
    path.write_bytes(whole[: int(len(whole) * cut)])
    with pytest.raises(CorpusError, match=f"text.{kind}: truncated"):
        read(path)


def test_corruption_is_noticed(kind: str, tmp_path: Path) -> None:
    compress = COMPRESS[kind]
    if kind == "zst":
        compress = zstandard.ZstdCompressor(write_checksum=True).compress
    whole = bytearray(compress(TEXT))
    whole[len(whole) // 2] ^= 0xFF
    path = tmp_path / f"text.{kind}"
    path.write_bytes(whole)
    with pytest.raises(CorpusError, match=f"text.{kind}: (corrupt|truncated)"):
        read(path)


def test_what_follows_the_data_is_not_passed_over(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"text.{kind}"
    path.write_bytes(COMPRESS[kind](TEXT) + b"and some more text, not compressed")
    with pytest.raises(CorpusError, match=f"text.{kind}: corrupt"):
        read(path)


def test_a_name_that_lies(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"text.{kind}"
    for content in (b"", b"plain text"):
        path.write_bytes(content)
        with pytest.raises(CorpusError, match="does not begin as"):
            read(path)


def test_text_that_begins_like_bzip2(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"BZh9 is how bzip2 files begin")
    assert read(path) == b"BZh9 is how bzip2 files begin"


def test_a_bomb_is_taken_piece_by_piece(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(COMPRESS[kind](bytes(50_000_000)))  # bzip2: 45 bytes
    sizes = [len(piece) for _, pieces in Corpus(path).sources() for piece in pieces]
    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 33 * PIECE_BYTES  # Zstandard's worst case; the others' is 1


def test_zstandard_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "text"
    path.write_bytes(COMPRESS["zst"](TEXT))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'brasa\[zstd\]'"):
        read(path)
