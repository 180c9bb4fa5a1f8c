#include "train/trainer.h"

#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>

#include "train/step.h"
#include "train/thread_group.h"

namespace brasa {
namespace {

// The loss is computed for one tile in this many: at every eighth it took 3 % of the time.
constexpr size_t kLossInterval = 32;

std::unique_ptr<Step> make_step(const Problem& problem, const Kernels& kernels) {
  if (problem.loss == Loss::kHierarchicalSoftmax || problem.shared_negatives == 0) {
    return make_pairwise(problem, kernels);
  }
  return problem.mode == Mode::kCbow ? make_cbow_tile(problem, kernels)
                                     : make_skipgram_tile(problem, kernels);
}

void train_block(const Problem& problem, Step& step, uint64_t index, Block& block, LossSum& loss) {
  Random random(problem.seed, index);
  sample_block(problem, problem.block_of(index), random, block);
  const size_t n = block.words.size();
  if (n == 0) return;
  const size_t tile = step.tile_size();
  step.prepare(block, 0, std::min(tile, n), random);
  for (size_t begin = 0, number = 0; begin < n; begin += tile, ++number) {
    const size_t end = std::min(begin + tile, n);
    step.prepare(block, end, std::min(end + tile, n), random);
    const double position =
        static_cast<double>(index) + static_cast<double>(begin) / static_cast<double>(n);
    const double remaining = 1.0 - position / static_cast<double>(problem.total_blocks);
    step.train(block, begin, end, static_cast<float>(problem.learning_rate * remaining),
               number % kLossInterval == 0 ? &loss : nullptr);
  }
}

}  // namespace

SpanResult train_span(const Problem& problem, const Kernels& kernels, uint64_t first, uint64_t last,
                      unsigned n_threads) {
  std::atomic<uint64_t> next{first};
  std::atomic<bool> finite{true};
  std::mutex mutex;
  SpanResult result;
  std::exception_ptr failure;

  const auto work = [&] {
    try {
      const auto step = make_step(problem, kernels);
      Block block;
      LossSum loss;
      for (uint64_t index; finite && (index = next.fetch_add(1)) < last;) {
        train_block(problem, *step, index, block, loss);
        if (!std::isfinite(loss.loss)) finite = false;
      }
      const std::lock_guard lock(mutex);
      result.loss += loss.loss;
      result.n_pairs += loss.pairs;
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = last;
    }
  };

  {
    const ThreadGroup others(std::min<uint64_t>(n_threads, last - first) - 1, work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
  result.finite = finite;
  return result;
}

}  // namespace brasa
