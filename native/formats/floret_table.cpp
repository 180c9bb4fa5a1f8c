#include "formats/floret_table.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <unordered_map>

namespace brasa {
namespace {

struct UseLow {
  std::size_t operator()(const Hash128& hash) const { return hash.low; }
};

// The rows of an item, each once, and how many of its hashes fall on each.
struct Cells {
  std::array<std::uint32_t, 4> rows;
  std::array<int, 4> times;
  int n = 0;

  Cells(const Hash128& hash, const FloretHashing& hashing) {
    for (int i = 0; i < hashing.hash_count; ++i) {
      const std::uint32_t row = hash.part(i) % hashing.buckets;
      const auto found = std::find(rows.begin(), rows.begin() + n, row);
      if (found == rows.begin() + n) {
        rows[static_cast<std::size_t>(n)] = row;
        times[static_cast<std::size_t>(n++)] = 1;
      } else {
        ++times[static_cast<std::size_t>(found - rows.begin())];
      }
    }
  }
};

struct Step {
  std::uint32_t item;
  std::uint32_t row;
};

// The order in which items are set aside, and the row that each decides; fewer steps than items
// when it cannot go on.
std::vector<Step> set_aside(const std::vector<Hash128>& hashes, const FloretHashing& hashing) {
  std::vector<std::uint32_t> uses(hashing.buckets), items(hashing.buckets);  // items: XOR of them
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const Cells cells(hashes[i], hashing);
    for (int c = 0; c < cells.n; ++c) {
      ++uses[cells.rows[static_cast<std::size_t>(c)]];
      items[cells.rows[static_cast<std::size_t>(c)]] ^= static_cast<std::uint32_t>(i);
    }
  }
  std::vector<std::uint32_t> free_rows;
  for (std::uint32_t row = 0; row < hashing.buckets; ++row) {
    if (uses[row] == 1) free_rows.push_back(row);
  }
  std::vector<Step> steps;
  steps.reserve(hashes.size());
  // First come, first served: the chains of rows that depend on each other then stay short. Last
  // come, first served, they are so long that rows grow to 10^11 with two rows for each item.
  for (std::size_t next = 0; next < free_rows.size(); ++next) {
    const std::uint32_t free_row = free_rows[next];
    if (uses[free_row] != 1) continue;
    const std::uint32_t item = items[free_row];
    steps.push_back({item, free_row});
    const Cells cells(hashes[item], hashing);
    for (int c = 0; c < cells.n; ++c) {
      const std::uint32_t row = cells.rows[static_cast<std::size_t>(c)];
      items[row] ^= item;
      if (--uses[row] == 1) free_rows.push_back(row);
    }
  }
  return steps;
}

}  // namespace

FloretItems::FloretItems(const WordSpans& words, const RowView& vectors, const RowView& rows,
                         const NgramRows& ngrams, const FloretHashing& hashing)
    : rows_(rows), n_words_(words.size()) {
  std::unordered_map<Hash128, std::uint32_t, UseLow> items;
  items.reserve(8 * n_words_);
  std::string scratch;
  for (std::size_t i = 0; i < n_words_; ++i) {
    scratch.assign(hashing.begin).append(words.word(i)).append(hashing.end);
    hashes_.push_back(murmur_hash(scratch, hashing.seed));
    items.emplace(hashes_.back(), static_cast<std::uint32_t>(i));
  }
  std::vector<std::size_t> order(n_words_);
  std::iota(order.begin(), order.end(), 0);
  // A word may be an n-gram of a longer one: "<a>" is part of "<<a>>".
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return words.word(a).size() < words.word(b).size();
  });
  const std::size_t dim = rows.dim;
  word_worth_.resize(n_words_ * dim);
  std::vector<double> worths(dim), value(dim);
  for (const std::size_t i : order) {
    std::size_t n_parts = 0, n_own = 0;
    std::fill(worths.begin(), worths.end(), 0.0);
    for_each_floret_part(words.word(i), hashing, scratch, [&](std::string_view part) {
      ++n_parts;
      const Hash128 hash = murmur_hash(part, hashing.seed);
      const auto [found, is_new] = items.emplace(hash, static_cast<std::uint32_t>(hashes_.size()));
      if (is_new) {
        const std::int64_t place = ngrams.find(hash_word(part) % ngrams.buckets);
        const std::size_t row = n_words_ + static_cast<std::size_t>(place);
        hashes_.push_back(hash);
        ngram_rows_.push_back(place >= 0 && row < rows.n_rows ? static_cast<std::int64_t>(row)
                                                              : -1);
      }
      if (found->second == i) {
        ++n_own;
        return;
      }
      worth(found->second, value);
      for (std::size_t d = 0; d < dim; ++d) worths[d] += value[d];
    });
    const float* vector = vectors.row(i);
    for (std::size_t d = 0; d < dim; ++d) {
      word_worth_[i * dim + d] = (static_cast<double>(n_parts) * vector[d] - worths[d]) /
                                 static_cast<double>(std::max<std::size_t>(1, n_own));
    }
  }
}

void FloretItems::worth(std::size_t item, std::span<double> out) const {
  if (item < n_words_) {
    std::copy_n(word_worth_.begin() + static_cast<std::ptrdiff_t>(item * out.size()), out.size(),
                out.begin());
    return;
  }
  const std::int64_t row = ngram_rows_[item - n_words_];
  if (row < 0) {
    std::fill(out.begin(), out.end(), 0.0);
  } else {
    std::copy_n(rows_.row(static_cast<std::size_t>(row)), out.size(), out.begin());
  }
}

std::optional<std::vector<float>> FloretItems::solve(const FloretHashing& hashing) const {
  const std::vector<Step> steps = set_aside(hashes_, hashing);
  if (steps.size() < hashes_.size()) return std::nullopt;
  const std::size_t dim = rows_.dim;
  std::vector<float> table(hashing.buckets * dim);
  std::vector<double> value(dim);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    worth(step->item, value);
    for (double& number : value) number *= hashing.hash_count;
    int own_times = 1;
    const Cells cells(hashes_[step->item], hashing);
    for (int c = 0; c < cells.n; ++c) {
      const std::size_t row = cells.rows[static_cast<std::size_t>(c)];
      const int times = cells.times[static_cast<std::size_t>(c)];
      if (row == step->row) {
        own_times = times;
        continue;
      }
      for (std::size_t d = 0; d < dim; ++d) value[d] -= times * double{table[row * dim + d]};
    }
    float* own = table.data() + step->row * dim;
    for (std::size_t d = 0; d < dim; ++d) own[d] = static_cast<float>(value[d] / own_times);
  }
  return table;
}

}  // namespace brasa
