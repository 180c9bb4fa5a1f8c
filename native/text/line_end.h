#pragma once

#include <string_view>

namespace brasa {

// The token that every "\n" stands for, as in fastText.
inline constexpr std::string_view kLineEnd = "</s>";

}  // namespace brasa
