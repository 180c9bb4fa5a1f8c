// The lines of word2vec's text format.
#pragma once

#include <span>
#include <string>

#include "lookup/rows.h"
#include "lookup/word_spans.h"

namespace brasa {

inline constexpr int kMaxNumberLength = 16;  // -1.2345e-38 has 11

// Writes `value` as printf's %.5g does, into kMaxNumberLength bytes; returns the end.
char* write_number(float value, char* out);

// Appends one line a word, as fastText's .vec has it: the word, then each number with a space
// before the next one and before the line's end. Words begin at `first`; row i of vectors belongs
// to word first + i.
void append_vector_lines(const WordSpans& words, size_t first, const RowView& vectors,
                         std::string& out);

}  // namespace brasa
