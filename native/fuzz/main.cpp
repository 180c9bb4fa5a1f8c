// The program that `make fuzz` runs: libFuzzer's, whose first byte chooses what reads the others.
#include <array>

#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace brasa::fuzz;
  constexpr std::array kTargets = {read_dictionary, read_vector_lines,   read_vector_records,
                                   compose,         compose_with_floret, find_finalfusion_ngrams,
                                   encode_text,     find_true_labels,    predict_labels};
  if (size == 0) return 0;
  Input input({data + 1, size - 1});
  kTargets[data[0] % kTargets.size()](input);
  return 0;
}
