#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cadenza {

/// Why an operation failed. The names printed by to_string() are part of the
/// HTTP and command-line contract: add new ones, never rename.
enum class ErrorCode {
  kInvalidArgument,  ///< the caller passed something outside the documented domain
  kNotFound,         ///< a file, key, task or method name does not exist
  kCorruptData,      ///< input bytes contradict their own format
  kUnsupported,      ///< well formed, but a feature this build does not have
  kLimitExceeded,    ///< a size or time bound set by the options was hit
  kIo,               ///< the operating system refused a read or write
  kNumeric,          ///< NaN or Inf appeared where a finite value is promised
  kCancelled,        ///< the caller's stop_token was triggered
  kInternal,         ///< a bug in this library
};

/// Stable kebab-case name, e.g. "corrupt-data".
std::string_view to_string(ErrorCode code) noexcept;

/// The only exception type that leaves a public function of this library.
class Error : public std::runtime_error {
 public:
  // Not std::source_location: clang 14 (clang-tidy, clangd, libFuzzer here) lacks it.
  Error(ErrorCode code, const std::string& message, const char* file = __builtin_FILE(),
        int line = __builtin_LINE());

  ErrorCode code() const noexcept { return code_; }
  const char* file() const noexcept { return file_; }
  int line() const noexcept { return line_; }

  /// Same error with "context: " put in front of its message.
  Error with_context(std::string_view context) const;

 private:
  ErrorCode code_;
  const char* file_;
  int line_;
};

/// Joins its arguments with operator<<. (GCC 12 has no std::format.)
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace cadenza

/// Throws Error(code, cat(...)) unless `condition` holds. Stays on in release
/// builds: use it for everything a caller, a file or a peer can get wrong.
#define CADENZA_REQUIRE(condition, code, ...)                                      \
  do {                                                                             \
    if (!(condition)) throw ::cadenza::Error((code), ::cadenza::cat(__VA_ARGS__)); \
  } while (false)

/// Our own mistakes only, never reachable from input: kInternal, naming the condition.
#define CADENZA_DCHECK(condition) \
  CADENZA_REQUIRE(condition, ::cadenza::ErrorCode::kInternal, "a bug in Cadenza: ", #condition)
