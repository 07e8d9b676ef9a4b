#pragma once

#include <string_view>

namespace cadenza {

/// The style sheet of reports: light, dark and print.
std::string_view report_style() noexcept;

}  // namespace cadenza
