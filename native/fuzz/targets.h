// Each reads what it needs from made-up bytes, and ends the program where a promise does not hold.
#pragma once

#include <array>

#include "fuzz/fuzz_input.h"

namespace brasa::fuzz {

void read_dictionary(Input& input);
void read_vector_lines(Input& input);
void read_vector_records(Input& input);
void compose(Input& input);
void compose_with_floret(Input& input);
void find_finalfusion_ngrams(Input& input);
void encode_text(Input& input);
void find_true_labels(Input& input);
void predict_labels(Input& input);

inline constexpr std::array kTargets = {
    read_dictionary, read_vector_lines,   read_vector_records,
    compose,         compose_with_floret, find_finalfusion_ngrams,
    encode_text,     find_true_labels,    predict_labels};

}  // namespace brasa::fuzz
