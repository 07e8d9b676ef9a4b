#include "cadenza/experiment/run_progress.h"

#include <cmath>
#include <utility>

#include "cadenza/base/error.h"

namespace cadenza {

void RunProgress::enter(std::string place, RunWork part) {
  place_ = std::move(place);
  part_ = part;
  start_ = std::chrono::steady_clock::now();
}

void RunProgress::done() {
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
  Pace& pace = part_.n_learned > 0 ? learning_ : judging_;
  pace.seconds += seconds.count();
  pace.n_images += part_.n_learned + part_.n_judged;
  skip(part_);
}

void RunProgress::skip(RunWork part) {
  left_.n_learned -= part.n_learned;
  left_.n_judged -= part.n_judged;
}

double RunProgress::seconds_left() const {
  if (learning_.n_images == 0 || judging_.n_images == 0) return 0;
  const auto of = [](const Pace& pace, std::int64_t n_images) {
    return pace.seconds / double(pace.n_images) * double(n_images);
  };
  return of(learning_, left_.n_learned) + of(judging_, left_.n_judged);
}

void RunProgress::begin(std::string_view phase, std::int64_t total) {
  const double seconds = seconds_left();
  const auto minutes = static_cast<std::int64_t>(std::ceil(seconds / 60));
  const std::string left = seconds > 0 ? cat(" (about ", minutes, " min left in all)") : "";
  inner_.begin(cat(place_, left, ": ", phase), total);
}

}  // namespace cadenza
