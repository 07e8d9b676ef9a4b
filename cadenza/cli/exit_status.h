#pragma once

#include "cadenza/base/error.h"

namespace cadenza {

/// What the process ends with: part of the command-line contract (docs/exit-status.md). Add new
/// ones, never renumber.
enum ExitStatus : int {
  kExitDone = 0,
  kExitFound = 1,       ///< --fail-on and such an image was there
  kExitUsage = 2,       ///< the command line or the configuration file is wrong
  kExitSomeFailed = 3,  ///< some inputs could not be read; the others are done
  kExitInvalidArgument = 10,
  kExitNotFound = 11,
  kExitCorruptData = 12,
  kExitUnsupported = 13,
  kExitLimitExceeded = 14,
  kExitIo = 15,
  kExitNumeric = 16,
  kExitCancelled = 17,
  kExitInternal = 18,
};

constexpr ExitStatus exit_status(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return kExitInvalidArgument;
    case ErrorCode::kNotFound:
      return kExitNotFound;
    case ErrorCode::kCorruptData:
      return kExitCorruptData;
    case ErrorCode::kUnsupported:
      return kExitUnsupported;
    case ErrorCode::kLimitExceeded:
      return kExitLimitExceeded;
    case ErrorCode::kIo:
      return kExitIo;
    case ErrorCode::kNumeric:
      return kExitNumeric;
    case ErrorCode::kCancelled:
      return kExitCancelled;
    case ErrorCode::kInternal:
      return kExitInternal;
  }
  return kExitInternal;
}

}  // namespace cadenza
