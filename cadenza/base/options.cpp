#include "cadenza/base/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"

namespace cadenza {

namespace {

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string number_text(double value) {
  std::array<char, 40> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                    std::chars_format::general);
  return {buffer.data(), result.ptr};
}

std::optional<bool> parse_flag(std::string_view text) {
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off") return false;
  return std::nullopt;
}

/// The canonical spelling of `text`, or nothing if it is outside the option's domain.
std::optional<std::string> canonical(const OptionSpec& spec, const std::string& text) {
  switch (spec.type) {
    case OptionType::kInteger: {
      const auto value = parse_number<std::int64_t>(text);
      if (!value || double(*value) < spec.minimum || double(*value) > spec.maximum) break;
      return std::to_string(*value);
    }
    case OptionType::kReal: {
      const auto value = parse_number<double>(text);
      if (!value || !(*value >= spec.minimum && *value <= spec.maximum)) break;
      return number_text(*value);
    }
    case OptionType::kFlag: {
      const auto value = parse_flag(text);
      if (!value) break;
      return *value ? "true" : "false";
    }
    case OptionType::kChoice:
      if (std::ranges::count(spec.choices, text) == 0) break;
      return text;
    case OptionType::kText:
      return text;
  }
  return std::nullopt;
}

}  // namespace

std::string OptionSpec::range() const {
  const auto bounds = [&] {
    const bool has_low = minimum > -1e299, has_high = maximum < 1e299;
    return cat(has_low ? "[" + number_text(minimum) : "(-inf", ", ",
               has_high ? number_text(maximum) + "]" : "inf)");
  };
  switch (type) {
    case OptionType::kInteger:
      return cat("integer in ", bounds());
    case OptionType::kReal:
      return cat("number in ", bounds());
    case OptionType::kFlag:
      return "true or false";
    case OptionType::kChoice:
      return cat("one of ", join(choices));
    case OptionType::kText:
      return "text";
  }
  return "";
}

OptionSpec integer_option(std::string name, std::int64_t value, std::int64_t minimum,
                          std::int64_t maximum, std::string summary) {
  return {std::move(name),
          OptionType::kInteger,
          std::to_string(value),
          std::move(summary),
          double(minimum),
          double(maximum),
          {}};
}
OptionSpec real_option(std::string name, double value, double minimum, double maximum,
                       std::string summary) {
  return {std::move(name),
          OptionType::kReal,
          number_text(value),
          std::move(summary),
          minimum,
          maximum,
          {}};
}
OptionSpec flag_option(std::string name, bool value, std::string summary) {
  return {
      std::move(name), OptionType::kFlag, value ? "true" : "false", std::move(summary), 0, 0, {}};
}
OptionSpec text_option(std::string name, std::string value, std::string summary) {
  return {std::move(name), OptionType::kText, std::move(value), std::move(summary), 0, 0, {}};
}
OptionSpec choice_option(std::string name, std::string value, std::vector<std::string> choices,
                         std::string summary) {
  return {std::move(name),   OptionType::kChoice, std::move(value), std::move(summary), 0, 0,
          std::move(choices)};
}

Options::Options(std::string_view owner, std::span<const OptionSpec> table,
                 const OptionTexts& given) {
  std::vector<std::string> known;
  for (const auto& spec : table) known.push_back(spec.name);
  for (const auto& [name, value] : given) {
    CADENZA_REQUIRE(std::ranges::count(known, name) > 0, ErrorCode::kInvalidArgument, owner, ": ",
                    unknown_name_message("option", name, known));
  }
  for (const auto& spec : table) {
    const auto found = given.find(spec.name);
    const std::string& text = found == given.end() ? spec.default_value : found->second;
    auto value = canonical(spec, text);
    CADENZA_REQUIRE(value.has_value(), ErrorCode::kInvalidArgument, owner, ": option '", spec.name,
                    "': expected ", spec.range(), ", got '", text, "'");
    values_[spec.name] = *std::move(value);
  }
}

const std::string& Options::text(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  CADENZA_REQUIRE(found != values_.end(), ErrorCode::kInternal, "option '", name,
                  "' is not in the table");
  return found->second;
}
std::int64_t Options::integer(std::string_view name) const {
  return *parse_number<std::int64_t>(text(name));
}
std::vector<std::string> Options::list(std::string_view name) const {
  const auto& all = text(name);
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < all.size();) {
    const auto end = std::min(all.find(',', begin), all.size());
    if (end > begin) parts.push_back(all.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}
double Options::real(std::string_view name) const { return *parse_number<double>(text(name)); }
bool Options::flag(std::string_view name) const { return *parse_flag(text(name)); }

}  // namespace cadenza
