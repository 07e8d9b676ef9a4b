#include "cadenza/method/ucad/settings.h"

#include <charconv>

#include "cadenza/base/error.h"
#include "cadenza/network/registry.h"

namespace cadenza {
namespace {

/// "all", "none", "B" or "B-C", counted from 0.
std::pair<std::int64_t, std::int64_t> block_range(const std::string& text, std::int64_t tap_block) {
  if (text == "all") return {0, tap_block};
  if (text == "none") return {0, -1};
  std::int64_t first = -1, last = -1;
  const auto* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, first);
  bool is_read = error == std::errc();
  last = first;
  if (is_read && rest != end && *rest == '-') {
    const auto second = std::from_chars(rest + 1, end, last);
    is_read = second.ec == std::errc();
    rest = second.ptr;
  }
  CADENZA_REQUIRE(
      is_read && rest == end && 0 <= first && first <= last && last <= tap_block,
      ErrorCode::kInvalidArgument, "method 'ucad': prompt_layers = '", text,
      "': expected all, none, a block B or blocks B-C with B <= C <= tap_block = ", tap_block);
  return {first, last};
}

LabelRule label_rule(const Options& options) {
  const auto& name = options.text("labels");
  if (name != "auto") return parse_label_rule(name);
  return options.flag("compat") ? LabelRule::kAveraged : LabelRule::kNearest;
}

PromptInit prompt_init(const std::string& name) {
  return name == "uniform"  ? PromptInit::kUniform
         : name == "normal" ? PromptInit::kNormal
                            : PromptInit::kZeros;
}

}  // namespace

std::vector<OptionSpec> ucad_options() {
  return {
      text_option("network", "vit_base_patch16", "a ViT, see `cadenza networks`"),
      text_option("weights", "",
                  "a .safetensors file or random:SEED; empty: what `weights import` left"),
      choice_option("precision", "auto", {"auto", "f32", "bf16"},
                    "of all passes; auto: bf16 where the processor multiplies it"),
      integer_option("size", 0, 0, 4096, "side of the input in pixels; 0: the network's own"),
      choice_option("norm", "auto", {"auto", "network", "imagenet"},
                    "mean and deviation of the input; auto: the network's, with compat imagenet"),
      integer_option("tap_block", 5, 0, 47, "features are the patches after this block, from 0"),
      text_option("prompt_layers", "all",
                  "blocks with a prompt, from 0: all (up to tap_block), none, B or B-C; the later "
                  "they begin, the less is computed"),
      integer_option("prompt_length", 1, 0, 64, "key and value tokens a block; 0: no prompt"),
      choice_option("prompt_init", "uniform", {"uniform", "normal", "zeros"},
                    "what a prompt starts as, before prompt_scale"),
      real_option("prompt_scale", 1, 0, 100, "half width or deviation of the start"),
      flag_option("shared_prompt", false,
                  "one prompt for all tasks, so that strategies have something to act on"),
      integer_option("epochs", 25, 0, 100000,
                     "passes over a task's images; 0: no prompt, nothing is trained"),
      integer_option("batch_size", 8, 1, 4096, "images a training step"),
      real_option("learning_rate", 5e-4, 0, 10, "of Adam"),
      real_option("weight_decay", 0, 0, 10, "of Adam, added to the gradient"),
      real_option("clip_norm", 1, 0, 1e9, "largest norm of the prompt's gradient; 0: none"),
      real_option("temperature", 0.5, 1e-3, 1e3, "of the contrastive loss"),
      choice_option("structure", "sam", {"sam", "felzenszwalb", "slic", "folder", "grid"},
                    "regions that attract or repel; sam without weights: felzenszwalb"),
      choice_option("labels", "auto", {"auto", "nearest", "majority", "averaged"},
                    "a cell's region from its pixels; auto: nearest, with compat averaged"),
      integer_option("patch_size", 1, 1, 15,
                     "side of the square of patches whose features are taken together; odd"),
      integer_option("embed_dim", 1024, 0, 65536,
                     "channels features are averaged to before distances; 0: none"),
      integer_option("target_dim", 0, 0, 65536, "and from there to these; 0: no second time"),
      integer_option("key_size", 196, 1, 1000000, "rows of the plain network kept for routing"),
      integer_option("memory_size", 196, 1, 1000000, "rows kept for scoring"),
      integer_option("basic_size", 0, 0, 1000000,
                     "rows of the larger memory that memory_gap compares with (the authors: 1960, "
                     "8 MB a task); 0: none"),
      choice_option("sampler", "approx_greedy_coreset", {"approx_greedy_coreset", "greedy_coreset"},
                    "how rows are picked: on random projections, or on the features themselves"),
      integer_option("projection_dim", 128, 1, 65536, "approx_greedy_coreset: of a projected row"),
      integer_option("start_rows", 10, 1, 1000, "approx_greedy_coreset: rows that bound the start"),
      choice_option("key_pool", "max", {"max", "mean"},
                    "over an image's patches, of the distance to a task's keys"),
      real_option("sigma", 4, 0, 100, "of the map's Gaussian, in pixels of the input"),
      real_option("reject_factor", 0, 0, 1000,
                  "an image this many times farther than the farthest left-out normal is of no "
                  "known task; 0: never"),
      integer_option("cache_mb", 1024, 0, 1 << 20,
                     "for what the frozen blocks before the first prompt give, a task"),
      flag_option("compat", false, "the released program's arithmetic where it differs")};
}

UcadSettings read_ucad_settings(const Options& options, const NetworkEntry& network) {
  const auto& sampler = options.text("sampler");
  UcadSettings settings{
      .network = options.text("network"),
      .weights = options.text("weights"),
      .precision = options.text("precision"),
      .size_px = options.integer("size") > 0 ? options.integer("size") : network.size_px,
      .tap_block = options.integer("tap_block"),
      .first_block = 0,
      .n_blocks = 0,
      .prompt_length = options.integer("prompt_length"),
      .prompt_init = prompt_init(options.text("prompt_init")),
      .prompt_scale = options.real("prompt_scale"),
      .shared_prompt = options.flag("shared_prompt"),
      .epochs = options.integer("epochs"),
      .batch_size = options.integer("batch_size"),
      .learning_rate = options.real("learning_rate"),
      .weight_decay = options.real("weight_decay"),
      .clip_norm = options.real("clip_norm"),
      .temperature = options.real("temperature"),
      .structure = options.text("structure"),
      .label_rule = label_rule(options),
      .patch_size = options.integer("patch_size"),
      .embed_dim = options.integer("embed_dim"),
      .target_dim = options.integer("target_dim"),
      .key_size = options.integer("key_size"),
      .memory_size = options.integer("memory_size"),
      .basic_size = options.integer("basic_size"),
      .sampler = sampler == "greedy_coreset" ? CoresetSampler::kExact : CoresetSampler::kProjected,
      .projection_dim = options.integer("projection_dim"),
      .n_start_rows = options.integer("start_rows"),
      .key_pool = parse_key_pool(options.text("key_pool")),
      .sigma_px = options.real("sigma"),
      .reject_factor = options.real("reject_factor"),
      .cache_mb = options.integer("cache_mb"),
      .compat = options.flag("compat")};
  CADENZA_REQUIRE(network.family == "vit", ErrorCode::kInvalidArgument,
                  "method 'ucad': network = '", network.name,
                  "': expected a ViT, whose attention takes prompts; method dual_prompt has them "
                  "for convolutions");
  const auto [first, last] = block_range(options.text("prompt_layers"), settings.tap_block);
  if (settings.epochs > 0 && settings.prompt_length > 0) {
    settings.first_block = first;
    settings.n_blocks = last - first + 1;
  }
  CADENZA_REQUIRE(settings.patch_size % 2 == 1, ErrorCode::kInvalidArgument,
                  "method 'ucad': patch_size = ", settings.patch_size,
                  ": expected an odd number, a patch and as many on each side");
  CADENZA_REQUIRE(settings.target_dim == 0 || settings.embed_dim > 0, ErrorCode::kInvalidArgument,
                  "method 'ucad': target_dim = ", settings.target_dim,
                  ": expected embed_dim with it, or 0");
  CADENZA_REQUIRE(settings.basic_size == 0 || settings.basic_size > settings.memory_size,
                  ErrorCode::kInvalidArgument, "method 'ucad': basic_size = ", settings.basic_size,
                  ": expected 0 or more than memory_size = ", settings.memory_size);
  CADENZA_REQUIRE(!settings.compat || settings.prompt_length <= 1, ErrorCode::kInvalidArgument,
                  "method 'ucad': prompt_length = ", settings.prompt_length,
                  ": the released program's batch rule (compat) knows one token a block");
  return settings;
}

InputSpec ucad_input(const Options& options, const NetworkEntry& network) {
  const auto size = options.integer("size") > 0 ? options.integer("size") : network.size_px;
  InputSpec input{.height_px = size, .width_px = size};
  const auto& norm = options.text("norm");
  const bool is_imagenet = norm == "imagenet" || (norm == "auto" && options.flag("compat"));
  if (!is_imagenet) {
    input.mean = network.mean;
    input.stddev = network.stddev;
  }
  input.fit = Fit::kShortSideCrop;
  input.resampler = Resampler::kPillowBilinear;
  input.structure = options.text("structure");
  input.needs_structure = options.integer("epochs") > 0 && options.integer("prompt_length") > 0 &&
                          options.text("prompt_layers") != "none" && input.structure != "grid";
  return input;
}

}  // namespace cadenza
