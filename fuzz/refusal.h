#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <span>
#include <string_view>

#include "cadenza/base/error.h"

namespace cadenza {

/// Runs `read` on bytes that nobody vouches for. It may refuse them with an Error that says why;
/// any other exception ends the program, as a fault in memory does.
template <class Read>
void expect_read_or_refused(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInternal && *error.what() != '\0') return;
    std::cerr << "refused as a bug of ours: " << error.what() << '\n';
    std::abort();
  }
}

/// What must hold whatever the bytes are.
inline void expect(bool condition, std::string_view what) {
  if (condition) return;
  std::cerr << "does not hold: " << what << '\n';
  std::abort();
}

inline std::span<const std::byte> as_input(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}

}  // namespace cadenza
