// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace brasa {

// Offset of the first byte that is not part of a valid character; text.size() if all are.
std::size_t find_invalid_utf8(std::string_view text);

}  // namespace brasa
