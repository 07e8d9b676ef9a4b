#include "cadenza/checkpoint/torch_object.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

constexpr std::array<std::pair<std::string_view, DType>, 10> kStorages{
    {{"torch.FloatStorage", DType::kF32},
     {"torch.DoubleStorage", DType::kF64},
     {"torch.HalfStorage", DType::kF16},
     {"torch.BFloat16Storage", DType::kBF16},
     {"torch.LongStorage", DType::kI64},
     {"torch.IntStorage", DType::kI32},
     {"torch.ShortStorage", DType::kI16},
     {"torch.CharStorage", DType::kI8},
     {"torch.ByteStorage", DType::kU8},
     {"torch.BoolStorage", DType::kBool}}};

constexpr std::string_view kTensor = "torch._utils._rebuild_tensor",
                           kTensor2 = "torch._utils._rebuild_tensor_v2",
                           kParameter = "torch._utils._rebuild_parameter",
                           kSubclass = "torch._tensor._rebuild_from_type_v2",
                           kOrderedDict = "collections.OrderedDict";

/// Names whose calls give something that we have no use for.
constexpr std::array<std::string_view, 8> kOpaqueMakers{"torch.Size",
                                                        "torch.device",
                                                        "numpy.core.multiarray.scalar",
                                                        "numpy._core.multiarray.scalar",
                                                        "numpy.dtype",
                                                        "_codecs.encode",
                                                        "builtins.set",
                                                        "__builtin__.set"};

/// Names that stand as values.
constexpr std::array<std::string_view, 15> kValues{
    "torch.Tensor",         "torch.nn.parameter.Parameter",
    "torch.float64",        "torch.float32",
    "torch.float16",        "torch.bfloat16",
    "torch.int64",          "torch.int32",
    "torch.int16",          "torch.int8",
    "torch.uint8",          "torch.bool",
    "torch.strided",        "torch.contiguous_format",
    "torch.preserve_format"};

bool is_allowed(std::string_view name) {
  constexpr std::array kMakers{kTensor, kTensor2, kParameter, kSubclass, kOrderedDict};
  return std::ranges::count(kMakers, name) > 0 || std::ranges::count(kOpaqueMakers, name) > 0 ||
         std::ranges::count(kValues, name) > 0 ||
         std::ranges::find(kStorages, name, &std::pair<std::string_view, DType>::first) !=
             kStorages.end();
}

template <class Kind>
const Kind& as(const PickleValue& value, std::string_view what, std::string_view expected) {
  const auto* kind = std::get_if<Kind>(&value.is);
  CADENZA_REQUIRE(kind != nullptr, ErrorCode::kCorruptData, what, ": expected ", expected);
  return *kind;
}

std::vector<std::int64_t> whole_numbers(const PickleValue& value, std::string_view what) {
  constexpr std::size_t kMaxAxes = 64;  // torch's own
  const auto& items = as<PickleTuple>(value, what, "a tuple").items;
  CADENZA_REQUIRE(items.size() <= kMaxAxes, ErrorCode::kCorruptData, what, ": ", items.size(),
                  " axes, at most ", kMaxAxes);
  std::vector<std::int64_t> numbers;
  for (const auto* item : items) {
    numbers.push_back(as<std::int64_t>(*item, what, "a whole number"));
  }
  return numbers;
}

void require_count(const PickleTuple& arguments, std::size_t least, std::size_t most,
                   std::string_view function) {
  CADENZA_REQUIRE(arguments.items.size() >= least && arguments.items.size() <= most,
                  ErrorCode::kCorruptData, function, ": ", arguments.items.size(),
                  " arguments, expected ", least, " to ", most);
}

PickleTensor make_tensor(const PickleTuple& arguments) {
  const auto& items = arguments.items;
  PickleTensor tensor{as<PickleStorage>(*items[0], "a tensor", "a storage"),
                      as<std::int64_t>(*items[1], "a tensor's offset", "a whole number"),
                      whole_numbers(*items[2], "a tensor's shape"),
                      whole_numbers(*items[3], "a tensor's strides")};
  CADENZA_REQUIRE(tensor.shape.size() == tensor.strides.size(), ErrorCode::kCorruptData,
                  "a tensor of ", tensor.shape.size(), " axes has ", tensor.strides.size(),
                  " strides");
  return tensor;
}

/// Python 2 wrote OrderedDict([[key, value], ...]); later ones start empty and fill it.
PickleDict make_dict(const PickleTuple& arguments, std::uint64_t& n_copies) {
  require_count(arguments, 0, 1, kOrderedDict);
  PickleDict dict;
  if (arguments.items.empty()) return dict;
  const auto& pairs = as<PickleList>(*arguments.items[0], kOrderedDict, "a list of pairs").items;
  CADENZA_REQUIRE(pairs.size() <= n_copies, ErrorCode::kLimitExceeded, kOrderedDict,
                  ": the same items are copied again and again");
  n_copies -= pairs.size();
  for (const auto* pair : pairs) {
    const auto* list = std::get_if<PickleList>(&pair->is);
    const auto& items =
        list != nullptr ? list->items : as<PickleTuple>(*pair, kOrderedDict, "pairs").items;
    CADENZA_REQUIRE(items.size() == 2, ErrorCode::kCorruptData, kOrderedDict, ": a pair of ",
                    items.size());
    dict.items.emplace_back(items[0], items[1]);
  }
  return dict;
}

}  // namespace

PickleGlobal allowed_global(const std::string& module, const std::string& name) {
  PickleGlobal global{module + "." + name};
  CADENZA_REQUIRE(is_allowed(global.name), ErrorCode::kUnsupported, "the file wants to import '",
                  global.name,
                  "', which is refused: only tensors and plain containers are read. Save the "
                  "state_dict alone, or as .safetensors");
  return global;
}

PickleValue call_global(const PickleGlobal& function, const PickleTuple& arguments,
                        std::uint64_t& n_copies) {
  const auto& items = arguments.items;
  if (function.name == kOrderedDict) return {make_dict(arguments, n_copies)};
  if (function.name == kTensor || function.name == kTensor2) {
    require_count(arguments, 4, 7, function.name);
    return {make_tensor(arguments)};
  }
  if (function.name == kParameter) {
    require_count(arguments, 2, 3, function.name);
    return {as<PickleTensor>(*items[0], function.name, "a tensor")};
  }
  if (function.name == kSubclass) {  // (function, type, arguments, state)
    require_count(arguments, 4, 4, function.name);
    const auto& inner = as<PickleGlobal>(*items[0], function.name, "a function");
    CADENZA_REQUIRE(inner.name == kTensor2, ErrorCode::kUnsupported, function.name, ": of ",
                    inner.name);
    return call_global(inner, as<PickleTuple>(*items[2], function.name, "a tuple"), n_copies);
  }
  CADENZA_REQUIRE(std::ranges::count(kOpaqueMakers, function.name) > 0, ErrorCode::kUnsupported,
                  "a call of '", function.name, "'");
  return {PickleOpaque{}};
}

void set_state(const PickleValue& object) {
  const bool has_state = std::holds_alternative<PickleDict>(object.is) ||
                         std::holds_alternative<PickleOpaque>(object.is) ||
                         std::holds_alternative<PickleTensor>(object.is);
  CADENZA_REQUIRE(has_state, ErrorCode::kCorruptData, "a state for something that takes none");
}

PickleStorage storage_of(const PickleValue& persistent_id) {
  constexpr std::string_view kWhat = "a storage's id";
  const auto& items = as<PickleTuple>(persistent_id, kWhat, "a tuple").items;
  CADENZA_REQUIRE(items.size() == 5 || items.size() == 6, ErrorCode::kCorruptData, kWhat, ": ",
                  items.size(), " parts, expected 5 or 6");
  const auto& kind = as<std::string>(*items[0], kWhat, "a text");
  CADENZA_REQUIRE(kind == "storage", ErrorCode::kUnsupported, kWhat, ": of a '", kind,
                  "'; save the state_dict alone, not the whole module");
  const auto& type = as<PickleGlobal>(*items[1], kWhat, "a type").name;
  const auto found = std::ranges::find(kStorages, type, &std::pair<std::string_view, DType>::first);
  CADENZA_REQUIRE(found != kStorages.end(), ErrorCode::kUnsupported, kWhat, ": type '", type, "'");
  const auto n_elements = as<std::int64_t>(*items[4], kWhat, "a number of elements");
  CADENZA_REQUIRE(n_elements >= 0, ErrorCode::kCorruptData, kWhat, ": ", n_elements, " elements");
  CADENZA_REQUIRE(items.size() == 5 || std::holds_alternative<std::monostate>(items[5]->is),
                  ErrorCode::kUnsupported, kWhat,
                  ": a view of another storage, as PyTorch 0.3 and earlier wrote it; load and save "
                  "it again");
  return {found->second, as<std::string>(*items[2], kWhat, "a key"),
          static_cast<std::uint64_t>(n_elements)};
}

}  // namespace cadenza
