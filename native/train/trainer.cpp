#include "train/trainer.h"

#include "train/step.h"

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
  return run_span(first, last, n_threads, [&] {
    return [&, step = make_step(problem, kernels), block = Block()](uint64_t index,
                                                                    LossSum& loss) mutable {
      train_block(problem, *step, index, block, loss);
    };
  });
}

}  // namespace brasa
