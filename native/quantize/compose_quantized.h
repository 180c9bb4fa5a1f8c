// Vectors of words, known and unseen, from rows that are codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "formats/vector_lookup.h"
#include "predict/input_rows.h"

namespace brasa {

// As `compose_vectors`, for a quantized matrix.
void compose_quantized(const WordSpans& words, std::span<const int32_t> indices,
                       const InputRows& rows, size_t n_words, const NgramRows& ngrams,
                       std::span<float> out);

}  // namespace brasa
