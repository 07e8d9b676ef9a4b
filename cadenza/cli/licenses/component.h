#pragma once

#include <string>
#include <vector>

namespace cadenza {

/// How a component reaches a user.
enum class Delivery {
  kOwn,      ///< in this repository
  kShipped,  ///< `make install` copies it
  kSystem,   ///< linked, comes from the system's packages
  kHeaders,  ///< compiled in from headers or a static archive of the system's packages
  kFetched,  ///< only fetched when asked for, never copied by `make install`
};

struct Component {
  std::string name;
  std::string license;  ///< SPDX expression, or the licence's own name
  Delivery delivery;
  std::string purpose;
  std::string note = {};  ///< what someone who passes it on should know
};

/// Everything that a build contains or fetches: the one list behind `cadenza licenses` and
/// THIRD_PARTY_NOTICES.md. Weights of networks follow from their registry.
std::vector<Component> components();

/// The text of THIRD_PARTY_NOTICES.md.
std::string notices_text();

/// "shipped", ...
std::string to_string(Delivery delivery);

}  // namespace cadenza
