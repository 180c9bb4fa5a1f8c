// What is computed once before training: the tables of the losses and the first parameters.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace brasa {

struct AliasTable {
  std::vector<uint32_t> accept;
  std::vector<int32_t> alias;
};

// Alias table of the distribution proportional to `weights` (Vose 1991). Weights must be finite,
// not negative, and not all zero.
AliasTable build_alias_table(std::span<const double> weights);

struct HuffmanCode {
  std::vector<int64_t> offsets;
  std::vector<int32_t> nodes;
  std::vector<uint8_t> branches;
};

// Huffman code of words with these counts, which must be in descending order. Numbering, ties and
// the order along a path (leaf to root) are fastText's (Loss::buildTree), so that the output matrix
// of a model means the same to both programs: node k is inner node k in order of creation.
HuffmanCode build_huffman_code(std::span<const int64_t> counts);

// The numbers 0 .. n - 1 in an order that `seed` and `stream` choose, each as likely as another
// (Fisher and Yates 1938, from the end as Durstenfeld has it).
std::vector<int32_t> permutation(size_t n, uint64_t seed, uint64_t stream);

// Fills `dim` of every `stride` floats with uniform numbers from [-bound, bound], the rest with
// zero. Each row has a stream of its own, so the result does not depend on the number of threads.
void fill_uniform(float* data, size_t n_rows, size_t dim, size_t stride, float bound, uint64_t seed,
                  unsigned n_threads);

}  // namespace brasa
