#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include <memory>
#include <system_error>

#include "arrays.h"
#include "bindings.h"
#include "text/corpus_encoder.h"
#include "text/subword_table.h"
#include "text/subwords.h"
#include "text/word_index.h"
#include "words.h"

namespace nb = nanobind;

namespace brasa {

namespace {

// Lets Ctrl-C through while native code waits.
void check_signals() {
  const nb::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

std::unique_ptr<CorpusEncoder> make_encoder(int threads, bool refuse_invalid_utf8,
                                            std::int64_t max_tokens_in_memory, int spill_file) {
  return std::make_unique<CorpusEncoder>(
      EncoderOptions{threads, refuse_invalid_utf8, max_tokens_in_memory, spill_file},
      check_signals);
}

void begin_source(CorpusEncoder& encoder, const nb::bytes& name) {
  encoder.begin_source({name.c_str(), name.size()});
}

void feed(CorpusEncoder& encoder, const nb::bytes& text) {
  const std::string_view bytes(text.c_str(), text.size());
  const nb::gil_scoped_release release;
  encoder.feed(bytes);
}

void write_ids(CorpusEncoder& encoder, const Vector<std::int32_t>& ids) {
  if (static_cast<std::int64_t>(ids.size()) != encoder.vocabulary().n_kept_tokens) {
    throw nb::value_error("the array must have n_kept_tokens elements");
  }
  const nb::gil_scoped_release release;
  encoder.write_ids({ids.data(), ids.size()});
}

nb::dict finish(CorpusEncoder& encoder, std::int64_t min_count,
                std::optional<std::int64_t> max_vocab, const Vector<const std::uint8_t>& arena,
                const Vector<const std::int64_t>& offsets) {
  const WordsView first = view_words(arena, offsets);
  {
    const nb::gil_scoped_release release;
    encoder.finish(min_count, max_vocab, first);
  }
  MergedVocabulary& merged = encoder.vocabulary();
  nb::dict result;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(merged.arena.data());
  result["arena"] = to_numpy(std::vector<std::uint8_t>(bytes, bytes + merged.arena.size()));
  result["offsets"] = to_numpy(std::move(merged.offsets));
  result["counts"] = to_numpy(std::move(merged.counts));
  result["n_tokens"] = merged.n_tokens;
  result["n_kept_tokens"] = merged.n_kept_tokens;
  result["n_distinct"] = merged.n_distinct;
  result["top_counts"] = nb::make_tuple(merged.top_counts[0], merged.top_counts[1]);
  return result;
}

// Keeps the arrays that the index refers to.
class ArrayIndex {
 public:
  ArrayIndex(Vector<const std::uint8_t> arena, Vector<const std::int64_t> offsets)
      : arena_(std::move(arena)),
        offsets_(std::move(offsets)),
        index_(view_words(arena_, offsets_)) {}

  std::int32_t find(const nb::str& word) const {
    const StringBytes bytes(word);
    return bytes.encodable() ? index_.find(bytes.view()) : -1;
  }
  std::int64_t n_duplicates() const { return index_.n_duplicates(); }

 private:
  Vector<const std::uint8_t> arena_;
  Vector<const std::int64_t> offsets_;
  WordIndex index_;
};

NumpyVector<std::int32_t> find_words(const ArrayIndex& index, const nb::list& words) {
  std::vector<std::int32_t> indices;
  indices.reserve(words.size());
  for (nb::handle word : words) {
    if (!nb::isinstance<nb::str>(word)) throw nb::type_error("words must be str");
    indices.push_back(index.find(nb::borrow<nb::str>(word)));
  }
  return to_numpy(std::move(indices));
}

nb::list decode_words(const Vector<const std::uint8_t>& arena,
                      const Vector<const std::int64_t>& offsets) {
  const WordsView words = view_words(arena, offsets);
  nb::list result;
  for (std::size_t i = 0; i < words.size(); ++i) result.append(to_str(words[i]));
  return result;
}

nb::list word_ngrams(const nb::bytes& word, int min_char, int max_char) {
  nb::list ngrams;
  std::string scratch;
  for_each_ngram({word.c_str(), word.size()}, min_char, max_char, scratch,
                 [&](std::string_view ngram, std::uint32_t) { ngrams.append(to_str(ngram)); });
  return ngrams;
}

NumpyVector<std::uint32_t> word_bucket_ids(const nb::bytes& word, int min_char, int max_char,
                                           std::uint32_t buckets) {
  if (buckets == 0) throw nb::value_error("buckets must be at least 1");
  std::vector<std::uint32_t> ids;
  std::string scratch;
  for_each_ngram({word.c_str(), word.size()}, min_char, max_char, scratch,
                 [&](std::string_view, std::uint32_t hash) { ids.push_back(hash % buckets); });
  return to_numpy(std::move(ids));
}

nb::tuple make_subword_table(const Vector<const std::uint8_t>& arena,
                             const Vector<const std::int64_t>& offsets, int min_char, int max_char,
                             std::uint32_t buckets, int threads) {
  if (buckets == 0) throw nb::value_error("buckets must be at least 1");
  const WordsView words = view_words(arena, offsets);
  SubwordTable table;
  {
    const nb::gil_scoped_release release;
    table = build_subword_table(words, min_char, max_char, buckets, threads);
  }
  const std::size_t n_rows = table.n_rows();
  return nb::make_tuple(to_numpy(std::move(table.offsets)), to_numpy(std::move(table.rows), n_rows),
                        to_numpy(std::move(table.bucket_ids)));
}

void translate_errors(nb::module_& module) {
  static nb::object text_error =
      nb::steal(PyErr_NewException("brasa._native.TextError", PyExc_ValueError, nullptr));
  module.attr("TextError") = text_error;
  nb::register_exception_translator([](const std::exception_ptr& p, void*) {
    try {
      std::rethrow_exception(p);
    } catch (const TextError& error) {
      const nb::tuple arguments =
          nb::make_tuple(error.what(), to_str(error.source()), error.line());
      PyErr_SetObject(text_error.ptr(), arguments.ptr());
    } catch (const std::system_error& error) {
      const nb::tuple arguments = nb::make_tuple(error.code().value(), error.code().message());
      PyErr_SetObject(PyExc_OSError, arguments.ptr());
    }
  });
}

}  // namespace

void bind_text(nb::module_& module) {
  translate_errors(module);
  nb::class_<CorpusEncoder>(module, "CorpusEncoder")
      .def(nb::new_(&make_encoder), nb::arg("threads"), nb::arg("refuse_invalid_utf8"),
           nb::arg("max_tokens_in_memory"), nb::arg("spill_file"))
      .def("begin_source", &begin_source, nb::arg("name"))
      .def("feed", &feed, nb::arg("text"))
      .def("finish", &finish, nb::arg("min_count"), nb::arg("max_vocab").none(),
           nb::arg("first_arena").noconvert(), nb::arg("first_offsets").noconvert())
      .def("write_ids", &write_ids, nb::arg("ids").noconvert())
      .def("write_ids_to_file", &CorpusEncoder::write_ids_to_file, nb::arg("file"),
           nb::call_guard<nb::gil_scoped_release>())
      .def("close", &CorpusEncoder::close, nb::call_guard<nb::gil_scoped_release>())
      .def_prop_ro("n_bytes", &CorpusEncoder::n_bytes)
      .def_prop_ro("n_tokens", &CorpusEncoder::n_tokens);

  nb::class_<ArrayIndex>(module, "WordIndex")
      .def(nb::init<Vector<const std::uint8_t>, Vector<const std::int64_t>>(),
           nb::arg("arena").noconvert(), nb::arg("offsets").noconvert())
      .def("find", &ArrayIndex::find, nb::arg("word"))
      .def("find_all", &find_words, nb::arg("words"))
      .def_prop_ro("n_duplicates", &ArrayIndex::n_duplicates);

  module.def("decode_words", &decode_words, nb::arg("arena").noconvert(),
             nb::arg("offsets").noconvert());
  module.def("word_ngrams", &word_ngrams, nb::arg("word"), nb::arg("min_char"),
             nb::arg("max_char"));
  module.def("word_bucket_ids", &word_bucket_ids, nb::arg("word"), nb::arg("min_char"),
             nb::arg("max_char"), nb::arg("buckets"));
  module.def("hash_word",
             [](const nb::bytes& word) { return hash_word({word.c_str(), word.size()}); });
  module.def("build_subword_table", &make_subword_table, nb::arg("arena").noconvert(),
             nb::arg("offsets").noconvert(), nb::arg("min_char"), nb::arg("max_char"),
             nb::arg("buckets"), nb::arg("threads"));
}

}  // namespace brasa
