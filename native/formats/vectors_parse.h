// Reading the lines of the text formats of word vectors: word2vec's, GloVe's, floret's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace brasa {

// The lines of one piece of text.
struct VectorLines {
  std::size_t n_rows = 0;
  std::unique_ptr<float[]> rows;   // n_rows x dim
  std::string words;               // one after the other
  std::vector<std::int64_t> ends;  // n_rows: where each word ends in `words`
  std::size_t consumed = 0;        // bytes up to the last line end
  std::size_t n_lines = 0;         // lines read, blank ones included
  std::string problem;             // of a later line, where reading stopped; or empty
};

// Reads each whole line as a word and `dim` numbers with spaces or tabs between; what follows the
// last line end is left. Blank lines are skipped. A word may have spaces inside, as in GloVe's
// files, unless one of its later parts is a number: the line is then ragged. Numbers that a float
// cannot hold (NaN, infinity) are refused. Runs on all cores.
VectorLines parse_vector_lines(std::string_view text, std::size_t dim);

// Words and vectors of word2vec's binary format.
struct VectorRecords {
  std::vector<float> rows;         // dim numbers a word
  std::string words;               // one after the other
  std::vector<std::int64_t> ends;  // where each word ends in `words`
  std::size_t consumed = 0;
  std::string problem;  // of the next word, where reading stopped; or empty
};

// Reads at most `max_words` whole records: line ends, the word, a space, `dim` little-endian
// floats. Numbers that are not finite are refused.
VectorRecords parse_vector_records(std::string_view data, std::size_t dim, std::size_t max_words);

}  // namespace brasa
