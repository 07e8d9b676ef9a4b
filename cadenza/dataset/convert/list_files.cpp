#include "cadenza/dataset/convert/list_files.h"

#include <functional>
#include <map>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/base/json.h"
#include "cadenza/base/suggest.h"
#include "cadenza/dataset/check.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

std::string listed(const fs::path& file, const fs::path& relative_to) {
  return fs::absolute(file)
      .lexically_normal()
      .lexically_relative(fs::absolute(relative_to).lexically_normal())
      .generic_string();
}

bool is_test(const Sample& sample) { return sample.split == Split::kTest; }

using Choice = std::function<bool(const Sample&)>;

std::vector<const Sample*> chosen(const Dataset& dataset, const Choice& choice) {
  std::vector<const Sample*> samples;
  for (const auto& sample : dataset.samples) {
    if (choice(sample)) samples.push_back(&sample);
  }
  return samples;
}

std::string uniad_line(const Sample& sample, const fs::path& relative_to) {
  CADENZA_REQUIRE(sample.masks.size() <= 1, ErrorCode::kUnsupported, sample.file.string(), ": has ",
                  sample.masks.size(),
                  " masks, the format uniad knows one; `cadenza data convert` unites them");
  Json line = {{"filename", listed(sample.file, relative_to)},
               {"label", sample.is_defect ? 1 : 0},
               {"label_name", sample.is_defect ? "defective" : "good"}};
  if (!sample.masks.empty()) line["maskname"] = listed(sample.masks.front().path, relative_to);
  line["clsname"] = sample.task;
  return line.dump() + "\n";
}

std::vector<ListFile> uniad_lists(const Dataset& dataset, const fs::path& relative_to) {
  std::vector<ListFile> files;
  const auto add = [&](std::string name, const Choice& choice) {
    ListFile file{std::move(name), {}};
    for (const auto* sample : chosen(dataset, choice)) {
      file.text += uniad_line(*sample, relative_to);
      ++file.n_images;
    }
    if (file.n_images > 0) files.push_back(std::move(file));
  };
  for (const bool tests : {false, true}) {
    const std::string split = tests ? "test" : "train";
    add(split + ".json", [&](const Sample& sample) { return is_test(sample) == tests; });
    for (const auto& task : dataset.tasks) {
      add(cat(split, "_", task, ".json"),
          [&](const Sample& sample) { return is_test(sample) == tests && sample.task == task; });
    }
  }
  return files;
}

std::vector<ListFile> inctrl_lists(const Dataset& dataset, const fs::path& relative_to) {
  std::vector<ListFile> files;
  for (const auto& task : dataset.tasks) {
    for (const bool tests : {false, true}) {
      for (const bool defects : {false, true}) {
        Json list = Json::array();
        for (const auto* sample : chosen(dataset, [&](const Sample& one) {
               return one.task == task && one.is_defect == defects && (!tests || is_test(one));
             })) {
          list.push_back({{"image_path", listed(sample->file, relative_to)},
                          {"target", defects ? 1 : 0},
                          {"type", task}});
        }
        if (list.empty()) continue;
        files.push_back({cat(task, tests ? "_val" : "", defects ? "_outlier" : "_normal", ".json"),
                         list.dump(1) + "\n", std::ssize(list)});
      }
    }
  }
  return files;
}

std::string csv_field_of(const std::string& text, const Sample& sample) {
  CADENZA_REQUIRE(text.find_first_of("\r\n") == std::string::npos, ErrorCode::kUnsupported,
                  sample.file.string(), ": a line break in a name; the format csv cannot hold it");
  if (text.find_first_of(",\" ") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? "\"\"" : std::string(1, letter);
  return quoted + "\"";
}

std::vector<ListFile> csv_lists(const Dataset& dataset, const fs::path& relative_to) {
  ListFile file{"images.csv", "file,split,label,task,defect_type,mask\n",
                std::ssize(dataset.samples)};
  for (const auto& sample : dataset.samples) {
    std::vector<std::string> masks;
    for (const auto& mask : sample.masks) {
      masks.push_back(listed(mask.path, relative_to));
      CADENZA_REQUIRE(masks.back().find(';') == std::string::npos, ErrorCode::kUnsupported,
                      mask.path.string(),
                      ": a ';' in the name of a mask; the format csv parts "
                      "masks with it");
    }
    const std::vector<std::string> fields = {listed(sample.file, relative_to),
                                             std::string(to_string(sample.split)),
                                             sample.is_defect ? "bad" : "good",
                                             sample.task,
                                             sample.defect_type,
                                             join(masks, ";")};
    for (std::size_t at = 0; at < fields.size(); ++at) {
      file.text += cat(at > 0 ? "," : "", csv_field_of(fields[at], sample));
    }
    file.text += "\n";
  }
  return {std::move(file)};
}

}  // namespace

const std::vector<std::string>& list_formats() {
  static const std::vector<std::string> formats{"csv", "inctrl", "uniad"};
  return formats;
}

std::vector<ListFile> make_list_files(const Dataset& dataset, std::string_view format,
                                      const fs::path& relative_to) {
  if (format == "csv") return csv_lists(dataset, relative_to);
  if (format == "inctrl") return inctrl_lists(dataset, relative_to);
  CADENZA_REQUIRE(format == "uniad", ErrorCode::kNotFound,
                  unknown_name_message("list format", format, list_formats()));
  return uniad_lists(dataset, relative_to);
}

}  // namespace cadenza
