#include "cadenza/cli/terminal.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>

#include <unistd.h>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

constexpr int kBarCells = 24;
constexpr auto kRedrawAfter = std::chrono::milliseconds(100);

void say(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::lround(seconds));
  return whole < 60 ? cat(whole, " s") : cat(whole / 60, " min ", whole % 60, " s");
}

}  // namespace

bool is_terminal(int descriptor) noexcept { return ::isatty(descriptor) != 0; }

Terminal::Terminal(Loudness loudness)
    : loudness_(loudness), has_bar_(loudness != Loudness::kQuiet && is_terminal(STDERR_FILENO)) {}

Terminal::~Terminal() { end(); }

void Terminal::begin(std::string_view phase, std::int64_t total) {
  const std::lock_guard lock(mutex_);
  finish_phase();
  phase_ = phase;
  total_ = std::max<std::int64_t>(total, 0);
  done_ = 0;
  start_ = last_drawn_ = Clock::now();
  if (has_bar_) draw();
}

void Terminal::advance(std::int64_t n_units) {
  const std::lock_guard lock(mutex_);
  done_ += n_units;
  if (has_bar_ && Clock::now() - last_drawn_ >= kRedrawAfter) draw();
}

void Terminal::end() {
  const std::lock_guard lock(mutex_);
  finish_phase();
}

void Terminal::warn(std::string_view message) {
  const std::lock_guard lock(mutex_);
  erase_bar();
  say(cat("warning: ", message, "\n"));
}

void Terminal::note(std::string_view message) {
  if (loudness_ != Loudness::kVerbose) return;
  const std::lock_guard lock(mutex_);
  erase_bar();
  say(cat(message, "\n"));
}

void Terminal::draw() {
  last_drawn_ = Clock::now();
  const double share = total_ == 0 ? 0 : std::min(1.0, double(done_) / double(total_));
  const auto n_full = static_cast<std::size_t>(share * kBarCells);
  const double seconds = std::chrono::duration<double>(last_drawn_ - start_).count();
  std::string line = cat("\r\033[K", phase_, " [", std::string(n_full, '#'),
                         std::string(kBarCells - n_full, '.'), "] ", done_, "/", total_);
  if (share > 0 && share < 1) line += cat("  ", duration_text(seconds / share - seconds), " left");
  say(line);
  is_drawn_ = true;
}

void Terminal::finish_phase() {
  if (phase_.empty()) return;
  erase_bar();
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  if (loudness_ != Loudness::kQuiet) {
    say(cat(phase_, ": ", done_, total_ > 0 && done_ != total_ ? cat(" of ", total_) : "", " in ",
            duration_text(seconds), "\n"));
  }
  phase_.clear();
}

void Terminal::erase_bar() {
  if (is_drawn_) say("\r\033[K");
  is_drawn_ = false;
}

}  // namespace cadenza
