// The program that `make fuzz` runs: libFuzzer's, whose first byte chooses what reads the others.
#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace brasa::fuzz;
  if (size == 0) return 0;
  Input input({data + 1, size - 1});
  kTargets[data[0] % kTargets.size()](input);
  return 0;
}
