// Words between Python and native code.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <string_view>

#include "arrays.h"
#include "text/subword_table.h"

namespace brasa {

// UTF-8 of a str; lone surrogates stand for bytes that were not UTF-8 and become those again.
class StringBytes {
 public:
  explicit StringBytes(nanobind::handle word) {
    Py_ssize_t size = 0;
    if (const char* data = PyUnicode_AsUTF8AndSize(word.ptr(), &size)) {
      view_ = {data, static_cast<std::size_t>(size)};
      return;
    }
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) throw nanobind::python_error();
    PyErr_Clear();
    bytes_ = nanobind::steal<nanobind::bytes>(
        PyUnicode_AsEncodedString(word.ptr(), "utf-8", "surrogateescape"));
    if (bytes_.is_valid()) {
      view_ = {bytes_.c_str(), bytes_.size()};
      return;
    }
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) throw nanobind::python_error();
    PyErr_Clear();
    encodable_ = false;
  }

  // False for other surrogates, which no text contains.
  bool encodable() const { return encodable_; }
  std::string_view view() const { return view_; }

 private:
  nanobind::bytes bytes_{nanobind::steal<nanobind::bytes>(nullptr)};
  std::string_view view_;
  bool encodable_ = true;
};

inline nanobind::str to_str(std::string_view bytes) {
  return nanobind::steal<nanobind::str>(
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "surrogateescape"));
}

inline WordsView view_words(const Vector<const std::uint8_t>& arena,
                            const Vector<const std::int64_t>& offsets) {
  const WordsView words{{reinterpret_cast<const char*>(arena.data()), arena.size()},
                        {offsets.data(), offsets.size()}};
  bool valid = offsets.size() > 0 && words.offsets.front() == 0 &&
               words.offsets.back() == static_cast<std::int64_t>(arena.size());
  for (std::size_t i = 1; valid && i < offsets.size(); ++i) {
    valid = words.offsets[i - 1] <= words.offsets[i];
  }
  if (!valid) throw nanobind::value_error("offsets must rise from 0 to the length of the arena");
  return words;
}

}  // namespace brasa
