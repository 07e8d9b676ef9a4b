// dual_prompt_cost N_IMAGES [KEY=VALUE...]
// Milliseconds of method dual_prompt on a ConvNeXt-B with prompts in stage 4: a whole training on
// N_IMAGES, one image of an epoch of it, and one image judged among 15 tasks, as one JSON object.
// bench/dual_prompt_cost.py compares them with timm.
#include <iostream>
#include <stdexcept>

#include "bench/method_cost.h"

namespace cadenza {
namespace {

void measure(std::int64_t n_images, OptionTexts options) {
  options.insert({{"network", "convnext_base"}, {"sites", "s4b1-3"}, {"batch_size", "8"}});
  const NoisePictures pictures(n_images, 224);
  const auto teacher = builtin_methods().make("dual_prompt", options, {});
  TrainingClock clock(8);
  const Moment start;
  teacher->train_task(pictures, {.seed = 1, .progress = &clock});
  Json told = Json::object();
  tell(told, "training", {between(start, {})});
  tell(told, "epoch_image", clock.images);
  const auto method = of_fifteen_tasks("dual_prompt", options, *teacher);
  tell(told, "predict", time_predictions(*method, pictures.images(0, 1)));
  told["state_bytes_a_task"] = state_bytes(*teacher);
  std::cout << told << std::endl;
}

}  // namespace
}  // namespace cadenza

int main(int n_arguments, char** arguments) {
  try {
    if (n_arguments < 2) {
      throw std::invalid_argument("usage: dual_prompt_cost N_IMAGES [KEY=VALUE...]");
    }
    cadenza::OptionTexts options;
    for (int index = 2; index < n_arguments; ++index) {
      const std::string word = arguments[index];
      options[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    }
    cadenza::measure(std::stoll(arguments[1]), options);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "dual_prompt_cost: " << error.what() << '\n';
    return 1;
  }
}
