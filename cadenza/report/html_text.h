#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "cadenza/report/table.h"

namespace cadenza {

/// Text for HTML content and quoted attributes: & < > " ' as entities; control characters that HTML
/// forbids are dropped.
std::string escape_html(std::string_view text);

/// RFC 4648, with padding.
std::string base64(std::span<const std::byte> bytes);

/// "data:image/jpeg;base64,..."
std::string data_uri(std::string_view media_type, std::span<const std::byte> bytes);

/// <figure class="table"> with a caption, a header row, row headers and the remarks.
std::string html_table(const Table& table);

}  // namespace cadenza
