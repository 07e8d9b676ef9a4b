#pragma once

#include "cadenza/base/error.h"

namespace cadenza {

/// The Error that `action` throws; kInternal "nothing was thrown" if it throws none.
template <class Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::kInternal, "nothing was thrown"};
}

}  // namespace cadenza
