#include "cadenza/cli/stop_signal.h"

#include <unistd.h>

#include "cadenza/cli/exit_status.h"

namespace cadenza {

StopSignal::StopSignal() {
  ::sigemptyset(&signals_);
  ::sigaddset(&signals_, SIGINT);
  ::sigaddset(&signals_, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::thread([this] { wait(); });
}

StopSignal::~StopSignal() {
  is_over_ = true;
  ::pthread_kill(thread_.native_handle(), SIGTERM);  // wakes wait()
  thread_.join();
}

void StopSignal::wait() {
  while (true) {
    int signal = 0;
    ::sigwait(&signals_, &signal);
    if (is_over_) return;
    if (!source_.request_stop()) ::_exit(kExitCancelled);
  }
}

}  // namespace cadenza
