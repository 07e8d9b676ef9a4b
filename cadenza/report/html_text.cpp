#include "cadenza/report/html_text.h"

#include <cstdint>

#include "cadenza/base/error.h"

namespace cadenza {

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    switch (letter) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (code >= 0x20 || letter == '\n' || letter == '\t') out += letter;
    }
  }
  return out;
}

std::string base64(std::span<const std::byte> bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t start = 0; start < bytes.size(); start += 3) {
    const auto left = std::min<std::size_t>(bytes.size() - start, 3);
    std::uint32_t group = 0;
    for (std::size_t index = 0; index < 3; ++index) {
      group =
          group << 8 | (index < left ? std::to_integer<std::uint32_t>(bytes[start + index]) : 0);
    }
    for (std::size_t index = 0; index < 4; ++index) {
      out += index <= left ? kLetters[group >> (18 - 6 * index) & 63] : '=';
    }
  }
  return out;
}

std::string data_uri(std::string_view media_type, std::span<const std::byte> bytes) {
  return cat("data:", media_type, ";base64,", base64(bytes));
}

std::string html_table(const Table& table) {
  std::string html = "<figure class=\"table\">";
  if (!table.title.empty()) html += cat("<h3>", escape_html(table.title), "</h3>");
  html += cat("<div class=\"scroll\"><table><caption class=\"hidden\">", escape_html(table.title),
              "</caption><thead><tr>");
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    html += cat("<th scope=\"col\"", column < table.n_names ? "" : " class=\"number\"", ">",
                escape_html(table.columns[column]), "</th>");
  }
  html += "</tr></thead><tbody>\n";
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    html += "<tr>";
    for (std::size_t column = 0; column < table.rows[row].size(); ++column) {
      auto text = escape_html(table.rows[row][column]);
      if (table.best.contains({row, column})) text = cat("<strong>", text, "</strong>");
      if (column == 0) {
        html += cat("<th scope=\"row\">", text, "</th>");
      } else {
        html += cat(column < table.n_names ? "<td>" : "<td class=\"number\">", text, "</td>");
      }
    }
    html += "</tr>\n";
  }
  html += "</tbody></table></div>";
  for (const auto& remark : table.remarks) {
    html += cat("<p class=\"remark\">", escape_html(remark), "</p>");
  }
  return html + "</figure>\n";
}

}  // namespace cadenza
