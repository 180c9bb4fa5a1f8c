// What is wrong with a text, and where.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace brasa {

class TextError : public std::runtime_error {
 public:
  TextError(const std::string& problem, std::string source, std::int64_t line)
      : std::runtime_error(problem), source_(std::move(source)), line_(line) {}

  const std::string& source() const { return source_; }
  std::int64_t line() const { return line_; }

 private:
  std::string source_;
  std::int64_t line_;  // from 1
};

}  // namespace brasa
