// What a training step works on: views of arrays that the plan computed and the caller owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "simd/kernels.h"
#include "train/random.h"

namespace brasa {

// A parameter matrix that all threads read and write without locks (Hogwild: Recht, Re, Wright, Niu
// 2011). Two threads that meet on a row may lose one of two small steps, or read a row of which
// half is a step old; training tolerates both, and a lock or an atomic per row would cost several
// times the arithmetic. Formally these are data races on float; they are confined to the rows
// handed out here, which kernels touch with plain vector loads and stores of whole aligned cache
// lines.
class HogwildMatrix {
 public:
  HogwildMatrix(float* data, size_t n_rows, size_t stride)
      : data_(data), n_rows_(n_rows), stride_(stride) {}

  float* data() const { return data_; }
  float* row(int32_t index) const { return data_ + static_cast<size_t>(index) * stride_; }
  size_t n_rows() const { return n_rows_; }
  size_t stride() const { return stride_; }

 private:
  float* data_;
  size_t n_rows_;
  size_t stride_;
};

// Draws words with the probabilities that the alias table holds (Walker 1977, Vose 1991).
struct NegativeTable {
  std::span<const uint32_t> accept;  // of 2^32: probability that slot i gives word i
  std::span<const int32_t> alias;    // the word that it gives otherwise

  int32_t draw(Random& random) const {
    const uint64_t bits = random.next();
    const uint32_t slot =
        Random::scale(static_cast<uint32_t>(bits >> 32), static_cast<uint32_t>(accept.size()));
    return static_cast<uint32_t>(bits) < accept[slot] ? static_cast<int32_t>(slot) : alias[slot];
  }
};

// For each word, the inner nodes on the way from the root of the Huffman tree, and the branch
// taken.
struct HuffmanPaths {
  std::span<const int64_t> offsets;  // n_words + 1
  std::span<const int32_t> nodes;    // row of the output matrix
  std::span<const uint8_t> branches;
};

enum class Mode { kSkipgram, kCbow };
enum class Loss { kNegativeSampling, kHierarchicalSoftmax };

struct Problem {
  Mode mode;
  Loss loss;
  size_t dim;
  uint32_t window_size;
  uint32_t negative_samples;
  uint32_t shared_negatives;  // 0: every pair draws its own
  uint32_t tile_size;
  float learning_rate;
  uint64_t seed;

  std::span<const int32_t> tokens;
  uint32_t block_tokens;
  uint64_t n_blocks;      // of the text
  uint64_t total_blocks;  // n_blocks x epochs
  uint64_t n_streams;     // parts of the text that are read in turn, a block from each
  int32_t line_end;       // id of the word that ends a line, or -1

  std::span<const uint32_t> keep;  // of 2^32: probability that an occurrence of the word is kept
  NegativeTable negatives;
  std::span<const int64_t> row_offsets;  // input rows of each word, compressed rows
  std::span<const int32_t> rows;
  HuffmanPaths paths;

  HogwildMatrix input;
  HogwildMatrix output;

  // Which block of the text is trained as number `index` of all epochs.
  uint64_t block_of(uint64_t index) const {
    const uint64_t turn = index % n_blocks, length = n_blocks / n_streams;
    return turn < length * n_streams ? turn % n_streams * length + turn / n_streams : turn;
  }

  std::span<const int32_t> rows_of(int32_t word) const {
    const auto begin = static_cast<size_t>(row_offsets[static_cast<size_t>(word)]);
    const auto end = static_cast<size_t>(row_offsets[static_cast<size_t>(word) + 1]);
    return rows.subspan(begin, end - begin);
  }
};

// Sums over the pairs whose loss was looked at (about one tile in eight).
struct LossSum {
  double loss = 0;
  double pairs = 0;
};

}  // namespace brasa
