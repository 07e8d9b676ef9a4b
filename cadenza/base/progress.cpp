#include "cadenza/base/progress.h"

namespace cadenza {

Progress& no_progress() noexcept {
  static Progress silent;
  return silent;
}

}  // namespace cadenza
