"""fastText's files: `.bin`, `.ftz`, and those from before they had a magic number.

The layout is that of `FastText::saveModel` in fastText 0.9.2: raw little-endian structures.
"""

from brasa.formats.fasttext.layout import MAGIC, START_BYTES, looks_like
from brasa.formats.fasttext.reading import read
from brasa.formats.fasttext.writing import write

__all__ = ["MAGIC", "START_BYTES", "looks_like", "read", "write"]
