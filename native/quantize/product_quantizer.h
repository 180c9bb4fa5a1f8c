// Product quantization: vectors are cut into parts, and a part is the nearest of 256 centroids.
//
// H. Jegou, M. Douze, C. Schmid, "Product quantization for nearest neighbor search" (2011); with
// the steps of fastText's own quantizer, so that files of both are alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lookup/input_rows.h"
#include "lookup/rows.h"

namespace brasa {

// The centroids of each part in turn, kCentroids * dim numbers: 25 iterations of k-means from 256
// of the points, over 65,536 rows drawn for each part where there are more. The result depends on
// the seed, not on the number of threads. `rows` has at least kCentroids rows, all finite, and
// fewer than 2^31.
std::vector<float> train_centroids(const RowView& rows, size_t part_dim, uint32_t seed);

// Writes the codes of each row, rows.n_rows * book.n_parts() of them; of equally near centroids the
// first.
void encode_rows(const RowView& rows, const CodeBook& book, std::span<uint8_t> codes);

}  // namespace brasa
