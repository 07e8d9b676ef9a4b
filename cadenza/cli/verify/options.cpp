#include "cadenza/cli/command.h"

namespace cadenza {

void describe_verify(CommandTable& table) {
  table.add({.name = "verify",
             .summary = "reads every file of a model and checks digests, lengths and formats",
             .description = "Exits with 0 when the model directory is whole, and with the status "
                            "of corrupt-data otherwise. Changes nothing.",
             .arguments = {text_argument("model", "DIR", "model directory").required()},
             .examples = {"cadenza verify --model line"}});
}

}  // namespace cadenza
