#include "cadenza/inspector/threshold.h"

#include "cadenza/base/error.h"
#include "cadenza/memory/conformal.h"

namespace cadenza {

void require_target_fpr(double target_fpr) {
  CADENZA_REQUIRE(target_fpr > 0 && target_fpr <= 0.5, ErrorCode::kInvalidArgument,
                  "target_fpr: expected a share of false alarms in (0, 0.5], got ", target_fpr);
}

ThresholdRecord make_threshold(const Calibration* calibration, double target_fpr,
                               ThresholdSource source) {
  require_target_fpr(target_fpr);
  ThresholdRecord record{.value = {}, .source = source, .target_fpr = target_fpr};
  if (calibration == nullptr) return record;
  record.n_normals = std::ssize(calibration->scores);
  const auto found = threshold_for(calibration->scores, target_fpr);
  if (!found) return record;
  record.value = found->value;
  record.is_certified = found->is_certified && calibration->certifiable;
  return record;
}

}  // namespace cadenza
