#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cadenza {

enum class OptionType { kInteger, kReal, kFlag, kText, kChoice };

/// One option of a method, strategy or network. The same table serves --set, YAML, HTTP and --help.
struct OptionSpec {
  std::string name;  ///< [a-z0-9_]+, dots allowed
  OptionType type = OptionType::kText;
  std::string default_value;  ///< as a user would write it
  std::string summary;        ///< one line
  double minimum = -1e300;    ///< kInteger and kReal, inclusive
  double maximum = 1e300;
  std::vector<std::string> choices;  ///< kChoice

  /// "integer in [1, 12]", "one of a, b": for --help and error messages.
  std::string range() const;
};

OptionSpec integer_option(std::string name, std::int64_t value, std::int64_t minimum,
                          std::int64_t maximum, std::string summary);
OptionSpec real_option(std::string name, double value, double minimum, double maximum,
                       std::string summary);
OptionSpec flag_option(std::string name, bool value, std::string summary);
OptionSpec text_option(std::string name, std::string value, std::string summary);
OptionSpec choice_option(std::string name, std::string value, std::vector<std::string> choices,
                         std::string summary);

using OptionTexts = std::map<std::string, std::string>;

/// Values for every option of a table: what was given, checked, over the defaults.
class Options {
 public:
  Options() = default;
  /// Errors: kInvalidArgument. An unknown name names the nearest and lists the known ones, a bad
  /// value names the option, the value and the range. `owner` ("method 'ucad'") opens the message.
  Options(std::string_view owner, std::span<const OptionSpec> table, const OptionTexts& given);

  std::int64_t integer(std::string_view name) const;
  double real(std::string_view name) const;
  bool flag(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  /// A text's parts between commas, empty ones left out: "stage.3,stage.5".
  std::vector<std::string> list(std::string_view name) const;

  /// Every option with its value in canonical spelling, for manifests and results.
  const OptionTexts& texts() const noexcept { return values_; }

 private:
  OptionTexts values_;
};

}  // namespace cadenza
