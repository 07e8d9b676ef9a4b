#include "cadenza/network/engine.h"

#include "cadenza/base/error.h"
#include "cadenza/network/openvino_engine.h"
#include "cadenza/network/torch_engine.h"

namespace cadenza {

std::string_view to_string(EngineKind kind) noexcept {
  return kind == EngineKind::kTorch ? "torch" : "openvino";
}

std::string_view to_string(Precision precision) noexcept {
  return precision == Precision::kF32 ? "f32" : "bf16";
}

std::int64_t Engine::require_inputs(std::span<const at::Tensor> inputs) const {
  const auto described = graph_.inputs();
  CADENZA_REQUIRE(inputs.size() == described.size(), ErrorCode::kInvalidArgument, "expected ",
                  described.size(), " inputs, got ", inputs.size());
  std::int64_t batch = 0;
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    const Node& node = graph_.nodes()[described[index]];
    const auto& input = std::get<op::Input>(node.op);
    const at::Tensor& given = inputs[index];
    CADENZA_REQUIRE(given.defined(), ErrorCode::kInvalidArgument, "input '", input.name,
                    "': expected ", to_string(node.shape), ", got nothing");
    Shape wanted = node.shape;
    const bool has_batch = !wanted.empty() && wanted[0] == kBatch;
    if (has_batch && given.dim() > 0) {
      if (batch == 0) batch = given.size(0);
      wanted[0] = batch;
    }
    const bool fits = given.sizes() == at::IntArrayRef(wanted) && (!has_batch || batch > 0);
    CADENZA_REQUIRE(fits, ErrorCode::kInvalidArgument, "input '", input.name, "': expected ",
                    to_string(has_batch && batch == 0 ? node.shape : wanted), ", got ",
                    given.sizes());
    const auto type = input.type == ElementType::kU8 ? at::kByte : at::kFloat;
    CADENZA_REQUIRE(given.scalar_type() == type, ErrorCode::kInvalidArgument, "input '", input.name,
                    "': expected ", c10::toString(type), " numbers, got ",
                    c10::toString(given.scalar_type()));
  }
  return std::max<std::int64_t>(batch, 1);
}

std::unique_ptr<Engine> make_engine(Graph graph, std::shared_ptr<const Weights> weights,
                                    const EngineOptions& options) {
  if (options.kind == EngineKind::kOpenvino) {
    CADENZA_REQUIRE(options.device.is_cpu(), ErrorCode::kUnsupported,
                    "OpenVINO runs on the CPU here, not on ", options.device.str(),
                    "; use the torch engine");
    return make_openvino_engine(std::move(graph), std::move(weights), options);
  }
  return std::make_unique<TorchEngine>(
      std::move(graph), std::move(weights),
      TorchOptions{.precision = options.precision, .device = options.device});
}

Precision pick_precision(std::string_view name) {
  if (name == "f32") return Precision::kF32;
  if (name == "bf16") return Precision::kBf16;
  CADENZA_REQUIRE(name == "auto", ErrorCode::kInvalidArgument, "precision '", name,
                  "': expected one of auto, f32, bf16");
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") ? Precision::kBf16 : Precision::kF32;
}

at::Device parse_device(const std::string& name) {
  const auto digits = name.substr(std::min<std::size_t>(name.size(), 5));
  const bool is_cuda = name.starts_with("cuda:") && !digits.empty() && digits.size() < 3 &&
                       digits.find_first_not_of("0123456789") == std::string::npos;
  CADENZA_REQUIRE(name == "cpu" || is_cuda, ErrorCode::kInvalidArgument, "device '", name,
                  "': expected cpu or cuda:N");
  return is_cuda ? at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(std::stoi(digits)))
                 : at::Device(at::kCPU);
}

}  // namespace cadenza
