#include <ostream>

#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/cli/data/data.h"
#include "cadenza/cli/model_access.h"
#include "cadenza/dataset/convert/few_shot.h"
#include "cadenza/dataset/convert/list_files.h"
#include "cadenza/dataset/convert/mvtec_tree.h"
#include "cadenza/dataset/layout.h"

namespace cadenza {

namespace fs = std::filesystem;

Dataset asked_dataset(const CommandContext& context) {
  const auto& given = context.invocation;
  auto dataset = read_dataset(given.text("data"), given.text("layout"));
  for (const auto& note : dataset.notes) context.progress.warn(note);
  return dataset;
}

int run_data_convert(const CommandContext& context) {
  const auto& given = context.invocation;
  const auto transfer = given.text("files") == "link" ? Transfer::kLink : Transfer::kCopy;
  const auto report = write_mvtec_tree(asked_dataset(context), given.text("out"), transfer,
                                       context.progress, context.stop);
  for (const auto& note : report.notes) context.progress.warn(note);
  if (given.flag("json")) {
    const Json result = {{"out", given.text("out")},
                         {"images", report.n_images},
                         {"masks", report.n_masks},
                         {"notes", report.notes}};
    context.out << result.dump(2) << '\n';
  } else {
    context.out << given.text("out") << ": " << report.n_images << " images, " << report.n_masks
                << " masks\n";
  }
  return kExitDone;
}

int run_data_lists(const CommandContext& context) {
  const auto& given = context.invocation;
  const fs::path out = given.text("out");
  const fs::path start = given.text_or("relative_to", out.string());
  const auto files = make_list_files(asked_dataset(context), given.text("format"), start);
  fs::create_directories(out);
  Json written = Json::array();
  for (const auto& file : files) {
    write_file_atomic(out / file.name, file.text);
    written.push_back({{"file", (out / file.name).string()}, {"images", file.n_images}});
    if (!given.flag("json")) {
      context.out << (out / file.name).string() << ": " << file.n_images << " images\n";
    }
  }
  if (given.flag("json")) context.out << Json{{"lists", written}}.dump(2) << '\n';
  return kExitDone;
}

namespace {

/// What stands in a set's drawn.json: enough to draw it again, and to check that.
Json record_of(const std::vector<FewShotSet>& sets, std::int64_t n_shots, std::int64_t seed) {
  Json tasks = Json::object();
  for (const auto& set : sets) {
    for (const auto& sample : set.samples) tasks[set.task].push_back(sample.file.string());
  }
  return {{"shots", n_shots}, {"seed", seed}, {"tasks", tasks}};
}

void write_images(const FewShotSet& set, const fs::path& folder) {
  fs::create_directories(folder);
  for (const auto& sample : set.samples) {
    transfer_file(sample.file, folder / sample.file.filename(), Transfer::kCopy);
  }
}

std::int64_t parse_shots(const std::string& text) {
  const std::vector<OptionSpec> table = {integer_option("shots", 1, 1, 1 << 20, "")};
  return Options("data fewshot", table, {{"shots", text}}).integer("shots");
}

}  // namespace

int run_data_fewshot(const CommandContext& context) {
  const auto& given = context.invocation;
  const auto dataset = asked_dataset(context);
  const auto seed = given.integer("seed");
  Json written = Json::array();
  for (const auto& text : given.list("shots")) {
    const auto n_shots = parse_shots(text);
    const auto sets = draw_few_shots(dataset, n_shots, static_cast<std::uint64_t>(seed));
    const auto folder = fs::path(given.text("out")) / std::to_string(n_shots);
    make_new_folder(folder);
    for (const auto& set : sets) {
      if (given.text("format") == "pt") {
        write_file_atomic(folder / (set.task + ".pt"), prompt_file(set, inctrl_input()));
      } else {
        write_images(set, folder / set.task);
      }
    }
    const auto record = record_of(sets, n_shots, seed);
    write_file_atomic(folder / "drawn.json", record.dump(2) + "\n");
    written.push_back(record);
    if (!given.flag("json")) {
      context.out << folder.string() << ": " << n_shots << " normals of each of " << sets.size()
                  << " tasks\n";
    }
  }
  if (given.flag("json")) context.out << Json{{"sets", written}}.dump(2) << '\n';
  return kExitDone;
}

}  // namespace cadenza
