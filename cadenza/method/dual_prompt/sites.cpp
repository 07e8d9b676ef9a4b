#include "cadenza/method/dual_prompt/sites.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "cadenza/base/error.h"

namespace cadenza::dual_prompt {
namespace {

std::string lower_trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  std::string lower(text.substr(first, text.find_last_not_of(" \t") - first + 1));
  for (auto& letter : lower) {
    if ('A' <= letter && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lower;
}

/// What one token asks for; no stage: all of them; no first block: the whole stage.
struct Range {
  std::optional<int> stage, first, last;
};

/// Reads a token from the left.
class Cursor {
 public:
  explicit Cursor(std::string_view rest) : rest_(rest) {}
  bool take(std::string_view prefix) {
    if (!rest_.starts_with(prefix)) return false;
    rest_.remove_prefix(prefix.size());
    return true;
  }
  std::optional<int> number() {
    int value = 0;
    if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9') return std::nullopt;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// Nothing where the token does not have the grammar's form.
std::optional<Range> read_token(std::string_view token) {
  if (token == "all" || token == "*") return Range{};
  Cursor cursor(token);
  Range range;
  if (!cursor.take("s") || !(range.stage = cursor.number())) return std::nullopt;
  if (cursor.take(":*")) return cursor.at_end() ? std::optional(range) : std::nullopt;
  if (!cursor.take("b") || !(range.first = cursor.number())) return std::nullopt;
  range.last = range.first;
  if (cursor.take("-") && !(range.last = cursor.number())) return std::nullopt;
  return cursor.at_end() ? std::optional(range) : std::nullopt;
}

int n_blocks(std::span<const InjectionSite> known, int stage) {
  return static_cast<int>(std::ranges::count(known, stage, &InjectionSite::stage));
}

void require_valid(const Range& range, const std::string& where,
                   std::span<const InjectionSite> known, std::string_view network) {
  if (!range.stage) return;
  const int n_stages = known.back().stage;
  CADENZA_REQUIRE(1 <= *range.stage && *range.stage <= n_stages, ErrorCode::kInvalidArgument, where,
                  ": expected a stage from 1 to ", n_stages, " of network '", network,
                  "', found stage ", *range.stage);
  if (!range.first) return;
  const int n = n_blocks(known, *range.stage);
  for (const int block : {*range.first, *range.last}) {
    CADENZA_REQUIRE(1 <= block && block <= n, ErrorCode::kInvalidArgument, where,
                    ": expected a block from 1 to ", n, " of stage ", *range.stage, " of network '",
                    network, "', found block ", block);
  }
  CADENZA_REQUIRE(*range.first <= *range.last, ErrorCode::kInvalidArgument, where,
                  ": expected a first block that is not behind the last, found ", *range.first,
                  " to ", *range.last);
}

void require_blocks(std::span<const InjectionSite> known, std::string_view network) {
  CADENZA_REQUIRE(!known.empty(), ErrorCode::kInvalidArgument, "method 'dual_prompt': network = '",
                  network,
                  "': expected a network of depthwise convolutions (ConvNeXt, EfficientNet); "
                  "method ucad has prompts for a ViT");
}

}  // namespace

std::vector<InjectionSite> parse_sites(std::string_view text, std::span<const InjectionSite> known,
                                       std::string_view network) {
  require_blocks(known, network);
  if (lower_trimmed(text) == "none") return {};
  std::set<std::string> wanted;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    const auto token = lower_trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    const auto where = cat("method 'dual_prompt': sites = '", text, "': token '", token, "'");
    const auto range = read_token(token);
    CADENZA_REQUIRE(range.has_value(), ErrorCode::kInvalidArgument, where,
                    ": expected all, *, none alone, sK:*, sKbI or sKbI-J (s4b1,s4b2 or s4b1-3)");
    require_valid(*range, where, known, network);
    for (const auto& site : known) {
      const bool is_stage = !range->stage || site.stage == *range->stage;
      const bool is_block =
          !range->first || (*range->first <= site.block && site.block <= *range->last);
      if (is_stage && is_block) wanted.insert(site.name);
    }
  }
  std::vector<InjectionSite> sites;
  std::ranges::copy_if(known, std::back_inserter(sites),
                       [&](const InjectionSite& site) { return wanted.contains(site.name); });
  return sites;
}

InjectionSite parse_site(std::string_view text, std::span<const InjectionSite> known,
                         std::string_view network) {
  require_blocks(known, network);
  const auto where = cat("method 'dual_prompt': analysis_site = '", text, "'");
  const auto range = read_token(lower_trimmed(text));
  CADENZA_REQUIRE(range && range->first && range->first == range->last, ErrorCode::kInvalidArgument,
                  where, ": expected one block, sKbI");
  require_valid(*range, where, known, network);
  return *std::ranges::find_if(known, [&](const InjectionSite& site) {
    return site.stage == *range->stage && site.block == *range->first;
  });
}

}  // namespace cadenza::dual_prompt
