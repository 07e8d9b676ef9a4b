#include "cadenza/cli/command.h"

namespace cadenza {

void describe_task(CommandTable& table) {
  const auto model = text_argument("model", "DIR", "model directory").required();
  const auto task = text_argument("task", "NAME", "product");
  table.add({.name = "task list",
             .summary = "the products that a model knows",
             .arguments = {model},
             .examples = {"cadenza task list --model line"}});
  table.add({.name = "task show",
             .summary = "one product: images, threshold, bytes, and how it came about",
             .arguments = {model, task.required()},
             .examples = {"cadenza task show --model line --task bottle"}});
  table.add({.name = "task rename",
             .summary = "gives a product another name; nothing is learned anew",
             .arguments = {model, task.required(),
                           text_argument("to", "NAME", "its new name").required()},
             .examples = {"cadenza task rename --model line --task bottle --to flask"}});
  table.add({.name = "task undo",
             .summary = "takes the last change back, of the whole model or of one product",
             .description =
                 "Exact: the files of the earlier generation are still there until "
                 "`cadenza task prune`. With --task the other products stay as they are.",
             .arguments = {model, task},
             .examples = {"cadenza task undo --model line"}});
  table.add({.name = "task prune",
             .summary = "forgets all earlier generations and frees their files",
             .description = "After it nothing can be undone.",
             .arguments = {model},
             .examples = {"cadenza task prune --model line"}});
}

}  // namespace cadenza
