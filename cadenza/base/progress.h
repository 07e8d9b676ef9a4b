#pragma once

#include <cstdint>
#include <string_view>

namespace cadenza {

/// Where the library sends what a person may want to see while it works. It never prints itself;
/// the default sink is silent. Calls may come from several threads.
class Progress {
 public:
  virtual ~Progress() = default;
  /// A phase of `total` equal units starts ("mono: features"); a later begin() ends it.
  virtual void begin(std::string_view phase, std::int64_t total) { (void)phase, (void)total; }
  virtual void advance(std::int64_t n_units) { (void)n_units; }
  virtual void end() {}
  /// Something the user should read, though the work goes on.
  virtual void warn(std::string_view message) { (void)message; }
  /// Detail that is shown on request only.
  virtual void note(std::string_view message) { (void)message; }
};

/// The silent sink, for callers that were given none.
Progress& no_progress() noexcept;

}  // namespace cadenza
