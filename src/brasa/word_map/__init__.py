"""Words on a plane: PCA or UMAP of a model's vectors, clusters, and where both are kept."""

from brasa.word_map.layout import MAX_WORDS, METHODS, WordMap, lay_out
from brasa.word_map.store import MapState, MapStore

__all__ = ["MAX_WORDS", "METHODS", "MapState", "MapStore", "WordMap", "lay_out"]
