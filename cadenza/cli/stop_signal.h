#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

#include <pthread.h>
#include <signal.h>

namespace cadenza {

/// Turns SIGINT and SIGTERM into a stop request while it lives; a second one ends the process at
/// once. Make it before any other thread starts: threads inherit that the signals are blocked.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  std::stop_token token() const { return source_.get_token(); }

 private:
  void wait();

  sigset_t signals_{};
  std::stop_source source_;
  std::atomic<bool> is_over_ = false;
  std::thread thread_;
};

}  // namespace cadenza
