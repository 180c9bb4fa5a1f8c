// The best rows of a scan, kept while it runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace brasa {

struct ScoredRow {
  float score;
  int32_t row;
};

// The rows that may be among the k best, given that a score is off by at most half of `margin`: all
// that score no less than the k-th best of them less the margin.
class TopRows {
 public:
  TopRows(size_t k, float margin) : k_(k), margin_(margin), room_(room_for(k)) {}

  // A row that scores no more than this, or NaN, need not be added.
  float threshold() const { return threshold_; }

  void add(float score, int32_t row) {
    rows_.push_back({score, row});
    if (rows_.size() < room_) return;
    prune();
    room_ = room_for(rows_.size());
  }

  // Takes over the rows of another thread.
  void merge(const TopRows& other) {
    rows_.insert(rows_.end(), other.rows_.begin(), other.rows_.end());
    prune();
  }

  const std::vector<ScoredRow>& rows() const { return rows_; }

 private:
  // A row is moved a few times in all, however many there are.
  static size_t room_for(size_t n) { return 2 * n + 64; }

  void prune() {
    if (rows_.size() <= k_) return;
    std::ranges::nth_element(rows_, rows_.begin() + static_cast<std::ptrdiff_t>(k_) - 1,
                             std::greater(), &ScoredRow::score);
    threshold_ = rows_[k_ - 1].score - margin_;
    std::erase_if(rows_, [this](const ScoredRow& row) { return row.score <= threshold_; });
  }

  size_t k_;
  float margin_;
  size_t room_;
  float threshold_ = -std::numeric_limits<float>::infinity();
  std::vector<ScoredRow> rows_;
};

}  // namespace brasa
