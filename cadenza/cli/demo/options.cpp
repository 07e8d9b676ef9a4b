#include "cadenza/cli/command.h"

namespace cadenza {

void describe_demo(CommandTable& table) {
  table.add(
      {.name = "demo",
       .summary = "teaches real products one after another, finds their defects, writes a report",
       .description =
           "Learns solar cells (two kinds), brick and gravel one after another, judges held-back "
           "images of all of them without being told which is which, and photographs of grass, "
           "which it was never taught. `make demo` fetches the photographs first. The solar cells "
           "are under CC BY-NC-SA 4.0; --data textures goes without them.",
       .arguments = {argument(
                         choice_option("data", "all", {"all", "textures"},
                                       "all: solar cells and textures; textures: brick and gravel"),
                         "WHAT"),
                     text_argument(
                         "photographs", "DIR",
                         "where tools/demo_data.sh unpacked them; default: .deps/demo of the "
                         "repository"),
                     text_argument("out", "DIR", "runs/demo",
                                   "products, run and report are written there anew"),
                     argument(text_option("method", "routed_memory", "method to show"), "NAME"),
                     text_argument("set", "KEY=VALUE", "an option of the method").repeated()},
       .examples = {"make demo", "cadenza demo --data textures"}});
}

}  // namespace cadenza
