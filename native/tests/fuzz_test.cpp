#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "fuzz/targets.h"

namespace brasa::fuzz {
namespace {

using namespace std::string_view_literals;

// Three of four bytes are those that lengths, counts, words and numbers are made of.
std::vector<uint8_t> made_up_bytes(std::mt19937& random) {
  constexpr auto kLikely = "\0\0\0\1\2\5  \n\tab1.-_"sv;
  std::vector<uint8_t> bytes(random() % 600);
  for (uint8_t& byte : bytes) {
    byte = static_cast<uint8_t>(random() % 4 == 0 ? random() : kLikely[random() % kLikely.size()]);
  }
  return bytes;
}

// A little of `make fuzz`, so that what the targets call cannot change without them.
TEST_CASE("each fuzz target holds its promises for made-up bytes") {
  std::mt19937 random(1);
  for (const auto target : kTargets) {
    for (int i = 0; i < 300; ++i) {
      const std::vector<uint8_t> bytes = made_up_bytes(random);
      Input input(bytes);
      target(input);
    }
  }
}

}  // namespace
}  // namespace brasa::fuzz
