#include "cadenza/method/dual_prompt/settings.h"

#include <algorithm>

#include "cadenza/base/error.h"
#include "cadenza/method/dual_prompt/sites.h"

namespace cadenza::dual_prompt {
namespace {

std::int64_t size_of(const Options& options, const NetworkEntry& network) {
  return options.integer("size") > 0 ? options.integer("size") : network.size_px;
}

/// A ConvNeXt's last stage, as its authors' README has it; an EfficientNet's last stage whose cells
/// are 16 pixels: behind it cells are 32 pixels, and there are few blocks.
int default_stage(const NetworkEntry& network, std::span<const InjectionSite> known) {
  int stage = known.back().stage;
  if (network.family != "efficientnet") return stage;
  for (const auto& tap : list_taps(network)) {
    if (!tap.name.starts_with("stage.") || tap.stride_px > 16) continue;
    stage = std::stoi(tap.name.substr(std::string_view("stage.").size()));
  }
  return stage;
}

bool is_behind(const InjectionSite& a, const InjectionSite& b) {
  return a.stage != b.stage ? a.stage > b.stage : a.block > b.block;
}

/// all, ALL, *, s4:*
bool is_wildcard(const std::string& sites) {
  return sites.find_first_of("*lL") != std::string::npos;
}

InjectionSite last_of_stage(std::span<const InjectionSite> known, int stage) {
  InjectionSite last = known.back();
  for (const auto& block : known) {
    if (block.stage == stage) last = block;
  }
  return last;
}

/// Sites and analysis site. Wildcards end at the analysis site: behind it a prompt does nothing.
void read_places(DualPromptSettings& settings, const Options& options,
                 const NetworkEntry& network) {
  const auto known = list_injection_sites(network, settings.size_px, settings.size_px);
  const auto& asked = options.text("sites");
  const auto& analysis = options.text("analysis_site");
  const bool is_auto = asked == "auto";
  settings.sites = parse_sites(is_auto ? "all" : asked, known, network.name);
  InjectionSite site;
  if (analysis != "auto") {
    site = parse_site(analysis, known, network.name);
  } else if (is_auto || settings.sites.empty()) {
    site = last_of_stage(known, default_stage(network, known));
  } else {
    site = last_of_stage(known, settings.sites.back().stage);
  }
  settings.analysis_tap = site.name;
  if (options.flag("compat")) {  // the released program reads the stage's number alone
    site = last_of_stage(known, site.stage);
    settings.analysis_tap = site.name;
  }
  if (is_auto) {
    std::erase_if(settings.sites, [&](const auto& block) { return block.stage != site.stage; });
  }
  if (is_auto || is_wildcard(asked)) {
    std::erase_if(settings.sites, [&](const auto& block) { return is_behind(block, site); });
  }
  for (const auto& block : settings.sites) {
    CADENZA_REQUIRE(!is_behind(block, site), ErrorCode::kInvalidArgument,
                    "method 'dual_prompt': sites = '", asked, "': block ", block.name,
                    " lies behind analysis_site ", site.name,
                    ", where a prompt changes nothing; expected blocks up to it");
  }
  const bool learns = options.integer("epochs") > 0 &&
                      (settings.kernel_prompt || settings.mask_prompt || settings.head_dim != 0);
  if (!learns) settings.sites.clear();
}

LabelRule label_rule(const Options& options) {
  const auto& name = options.text("labels");
  if (name != "auto") return parse_label_rule(name);
  return options.flag("compat") ? LabelRule::kAveraged : LabelRule::kNearest;
}

std::int64_t last_width(const NetworkEntry& network) {
  std::int64_t width = 0;
  for (const auto& tap : list_taps(network)) {
    if (tap.name.starts_with("stage.")) width = tap.channels;
  }
  return width;
}

}  // namespace

std::vector<OptionSpec> dual_prompt_options() {
  return {
      text_option("network", "efficientnet_lite0",
                  "a ConvNeXt or EfficientNet, see `cadenza networks`; frozen"),
      text_option("weights", "",
                  "a .safetensors file or random:SEED; empty: what `weights import` left"),
      choice_option("precision", "auto", {"auto", "f32", "bf16"},
                    "of all passes; auto: bf16 where the processor multiplies it"),
      integer_option("size", 0, 0, 4096, "side of the input in pixels; 0: the network's own"),
      choice_option("norm", "auto", {"auto", "network", "imagenet"},
                    "mean and deviation of the input; auto: the network's, with compat imagenet"),
      text_option("sites", "auto",
                  "blocks with prompts: all, none, sK:*, sKbI, sKbI-J, comma separated, from 1; "
                  "auto: a ConvNeXt's stage 4, an EfficientNet's last stage of 16-pixel cells; the "
                  "later they begin, the less is computed"),
      text_option("analysis_site", "auto",
                  "features are this block's output, sKbI; auto: the last one of the last stage "
                  "with prompts"),
      flag_option("kernel_prompt", true, "a learned change of the depthwise kernels"),
      flag_option("mask_prompt", true, "a learned gate over the places of a block's input"),
      choice_option("mask_scale", "auto", {"auto", "learned", "frozen"},
                    "how far the gate may reach; auto: learned, with compat frozen at 1"),
      integer_option("head_dim", -1, -1, 65536,
                     "features' size behind the learned projection; -1: the last stage's width; 0: "
                     "no projection"),
      flag_option("shared_prompt", false,
                  "one set of prompts for all tasks, so that strategies have something to act on"),
      integer_option("epochs", 25, 0, 100000,
                     "passes over a task's images; 0: no prompt, nothing is trained"),
      integer_option("batch_size", 8, 1, 4096, "images a training step"),
      choice_option("optimizer", "adam", {"adam", "adamw_groups"},
                    "adamw_groups: prompts at 2e-4, head at 5e-4 with decay 0.05"),
      real_option("learning_rate", 5e-4, 0, 10, "of adam"),
      real_option("weight_decay", 0, 0, 10, "of adam, added to the gradient"),
      real_option("clip_norm", 1, 0, 1e9, "largest norm of all gradients together; 0: none"),
      real_option("temperature", 0.5, 1e-3, 1e3, "of the contrastive loss"),
      choice_option("structure", "sam", {"sam", "felzenszwalb", "slic", "folder", "grid"},
                    "regions that attract or repel; sam without weights: felzenszwalb"),
      choice_option("labels", "auto", {"auto", "nearest", "majority", "averaged"},
                    "a cell's region from its pixels; auto: nearest, with compat averaged"),
      integer_option("patch_size", 1, 1, 15,
                     "side of the square of cells that is scored as one, odd"),
      integer_option("embed_dim", 0, 0, 65536,
                     "channels features are averaged to before distances; 0: none"),
      integer_option("target_dim", 0, 0, 65536, "and from there to these; 0: no second time"),
      integer_option("key_size", 196, 1, 1000000, "rows of the plain network kept for routing"),
      integer_option("memory_size", 196, 1, 1000000, "rows kept for scoring"),
      integer_option("basic_size", 0, 0, 1000000,
                     "rows of the larger memory that memory_gap compares with (the authors: 1960); "
                     "0: none"),
      choice_option("sampler", "greedy_coreset", {"greedy_coreset", "approx_greedy_coreset"},
                    "how rows are picked: on the features themselves, or on random projections"),
      integer_option("projection_dim", 128, 1, 65536, "approx_greedy_coreset: of a projected row"),
      integer_option("start_rows", 10, 1, 1000, "approx_greedy_coreset: rows that bound the start"),
      choice_option("key_pool", "mean", {"mean", "max"},
                    "over an image's patches, of 1 - cosine to a task's keys"),
      real_option("sigma", 4, 0, 100, "of the map's Gaussian, in pixels of the input"),
      real_option("reject_factor", 0, 0, 1000,
                  "an image this many times farther than the farthest left-out normal is of no "
                  "known task; 0: never"),
      integer_option("cache_mb", 1024, 0, 1 << 20,
                     "for what the frozen blocks before the first prompt give, a training"),
      flag_option("compat", false, "the released program's arithmetic where it differs")};
}

DualPromptSettings read_settings(const Options& options, const NetworkEntry& network) {
  const auto& scale = options.text("mask_scale");
  const auto head = options.integer("head_dim");
  DualPromptSettings settings{
      .network = options.text("network"),
      .weights = options.text("weights"),
      .precision = options.text("precision"),
      .size_px = size_of(options, network),
      .sites = {},
      .analysis_tap = {},
      .kernel_prompt = options.flag("kernel_prompt"),
      .mask_prompt = options.flag("mask_prompt"),
      .trains_scale = scale == "auto" ? !options.flag("compat") : scale == "learned",
      .shared_prompt = options.flag("shared_prompt"),
      .head_dim = head < 0 ? last_width(network) : head,
      .epochs = options.integer("epochs"),
      .batch_size = options.integer("batch_size"),
      .groups =
          options.text("optimizer") == "adam" ? OptimizerGroups::kOne : OptimizerGroups::kSplit,
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
      .sampler = parse_patch_sampler(options.text("sampler")),
      .projection_dim = options.integer("projection_dim"),
      .n_start_rows = options.integer("start_rows"),
      .key_pool = parse_key_pool(options.text("key_pool")),
      .sigma_px = options.real("sigma"),
      .reject_factor = options.real("reject_factor"),
      .cache_mb = options.integer("cache_mb"),
      .compat = options.flag("compat")};
  read_places(settings, options, network);
  if (!settings.has_prompt()) {
    settings.head_dim = 0;
    settings.shared_prompt = false;
  }
  CADENZA_REQUIRE(settings.patch_size % 2 == 1, ErrorCode::kInvalidArgument,
                  "method 'dual_prompt': patch_size = ", settings.patch_size,
                  ": expected an odd number, a cell and as many on each side");
  CADENZA_REQUIRE(settings.target_dim == 0 || settings.embed_dim > 0, ErrorCode::kInvalidArgument,
                  "method 'dual_prompt': target_dim = ", settings.target_dim,
                  ": expected embed_dim with it, or 0");
  CADENZA_REQUIRE(settings.basic_size == 0 || settings.basic_size > settings.memory_size,
                  ErrorCode::kInvalidArgument,
                  "method 'dual_prompt': basic_size = ", settings.basic_size,
                  ": expected 0 or more than memory_size = ", settings.memory_size);
  return settings;
}

InputSpec input_spec(const Options& options, const NetworkEntry& network) {
  const auto size = size_of(options, network);
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
  input.needs_structure = read_settings(options, network).has_prompt() && input.structure != "grid";
  return input;
}

}  // namespace cadenza::dual_prompt
