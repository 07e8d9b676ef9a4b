#include "cadenza/checkpoint/unpickle.h"

#include <bit>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/checkpoint/torch_object.h"

namespace cadenza {

namespace {

/// Instructions by the bytes of Python's pickle.py.
enum Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kList = 'l',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kEmptyList = ']',
  kEmptyTuple = ')',
  kDict = 'd',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

class Machine {
 public:
  Machine(ByteReader& reader, const PickleLimits& limits)
      : reader_(reader), limits_(limits), n_copies_(reader.size()) {}

  Unpickled run() {
    while (!result_.root) {
      offset_ = reader_.position();
      step(reader_.u8());
    }
    return std::move(result_);
  }

 private:
  std::string where() const { return cat(reader_.name(), ": pickle at offset ", offset_, ": "); }

  PickleRef make(PickleValue value) {
    CADENZA_REQUIRE(result_.values.size() < limits_.n_values, ErrorCode::kLimitExceeded, where(),
                    "more than ", limits_.n_values, " values");
    return &result_.values.emplace_back(std::move(value));
  }
  void push(PickleValue value) { stack_.push_back(make(std::move(value))); }

  /// Nothing below the last mark belongs to whoever pops.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  PickleRef top() {
    CADENZA_REQUIRE(stack_.size() > floor(), ErrorCode::kCorruptData, where(),
                    "the stack is empty");
    return stack_.back();
  }
  PickleRef pop() {
    const PickleRef value = top();
    stack_.pop_back();
    return value;
  }
  std::vector<PickleRef> pop_to_mark() {
    CADENZA_REQUIRE(!marks_.empty(), ErrorCode::kCorruptData, where(), "no mark on the stack");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleRef> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }
  std::vector<PickleRef> pop_several(std::size_t n_items) {
    std::vector<PickleRef> items(n_items);
    for (std::size_t index = n_items; index-- > 0;) items[index] = pop();
    return items;
  }

  template <class Kind>
  Kind& as(PickleRef value, std::string_view expected) {
    auto* kind = std::get_if<Kind>(&value->is);
    CADENZA_REQUIRE(kind != nullptr, ErrorCode::kCorruptData, where(), "expected ", expected);
    return *kind;
  }

  void append(std::span<const PickleRef> items) {
    const PickleRef target = top();
    if (std::holds_alternative<PickleOpaque>(target->is)) return;  // a set
    auto& list = as<PickleList>(target, "a list to append to");
    list.items.insert(list.items.end(), items.begin(), items.end());
  }

  void set_items(const std::vector<PickleRef>& items) {
    CADENZA_REQUIRE(items.size() % 2 == 0, ErrorCode::kCorruptData, where(),
                    "a key without a value");
    auto& dict = as<PickleDict>(top(), "a dictionary to fill");
    for (std::size_t index = 0; index < items.size(); index += 2) {
      dict.items.emplace_back(items[index], items[index + 1]);
    }
  }

  void remember(std::uint64_t place) { memo_[place] = top(); }
  void recall(std::uint64_t place) {
    const auto found = memo_.find(place);
    CADENZA_REQUIRE(found != memo_.end(), ErrorCode::kCorruptData, where(), "memo ", place,
                    " was never written");
    stack_.push_back(found->second);
  }

  std::string text(std::uint64_t n_bytes) { return std::string(reader_.take_text(n_bytes)); }

  std::string line() {
    std::string text;
    for (char byte = 0; (byte = static_cast<char>(reader_.u8())) != '\n';) {
      constexpr std::size_t kMaxLine = 1024;
      CADENZA_REQUIRE(text.size() < kMaxLine, ErrorCode::kCorruptData, where(),
                      "a name of more than ", kMaxLine, " bytes");
      text.push_back(byte);
    }
    return text;
  }

  PickleValue whole_number(std::uint64_t n_bytes) {
    const auto bytes = reader_.take_text(n_bytes);
    if (bytes.size() > sizeof(std::int64_t)) return {PickleLong{std::string(bytes)}};
    const bool is_negative = !bytes.empty() && static_cast<unsigned char>(bytes.back()) >= 0x80;
    std::int64_t value = is_negative ? -1 : 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return {value};
  }

  double real() {
    const std::uint64_t high = reader_.u32_big_endian();
    return std::bit_cast<double>(high << 32 | reader_.u32_big_endian());
  }

  /// Runs `action` of torch_object.h, and tells where in the pickle it failed.
  template <class Action>
  auto located(const Action& action) {
    try {
      return action();
    } catch (const Error& error) {
      throw error.with_context(cat(reader_.name(), ": pickle at offset ", offset_));
    }
  }

  void push_global(const std::string& module, const std::string& name) {
    push({located([&] { return allowed_global(module, name); })});
  }

  void call() {
    const auto& arguments = as<PickleTuple>(pop(), "a tuple of arguments");
    const auto& function = as<PickleGlobal>(pop(), "a function");
    push(located([&] { return call_global(function, arguments, n_copies_); }));
  }

  void load_storage() {
    const PickleRef id = pop();
    auto storage = located([&] { return storage_of(*id); });
    const auto [found, is_new] = result_.storages.emplace(storage.key, storage);
    CADENZA_REQUIRE(is_new || (found->second.dtype == storage.dtype &&
                               found->second.n_elements == storage.n_elements),
                    ErrorCode::kCorruptData, where(), "storage '", storage.key,
                    "' was of another type or length before");
    push({std::move(storage)});
  }

  void finish() {
    const PickleRef value = pop();
    CADENZA_REQUIRE(stack_.empty() && marks_.empty(), ErrorCode::kCorruptData, where(),
                    stack_.size(), " values are left on the stack");
    result_.root = value;
  }

  void step(std::uint8_t opcode);

  ByteReader& reader_;
  const PickleLimits& limits_;
  std::uint64_t n_copies_;
  std::uint64_t offset_ = 0;
  Unpickled result_;
  std::vector<PickleRef> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleRef> memo_;
};

void Machine::step(std::uint8_t opcode) {
  constexpr std::uint8_t kNewestProtocol = 5;
  switch (opcode) {
    case kProto: {
      const int protocol = reader_.u8();
      CADENZA_REQUIRE(protocol <= kNewestProtocol, ErrorCode::kUnsupported, where(), "protocol ",
                      protocol, "; up to ", int{kNewestProtocol}, " are read");
      return;
    }
    case kFrame:
      return reader_.skip(8);
    case kStop:
      return finish();

    case kNone:
      return push({});
    case kNewTrue:
      return push({true});
    case kNewFalse:
      return push({false});
    case kBinInt:
      return push({std::int64_t{static_cast<std::int32_t>(reader_.u32())}});
    case kBinInt1:
      return push({std::int64_t{reader_.u8()}});
    case kBinInt2:
      return push({std::int64_t{reader_.u16()}});
    case kLong1:
      return push(whole_number(reader_.u8()));
    case kLong4:
      return push(whole_number(reader_.u32()));
    case kBinFloat:
      return push({real()});
    case kBinUnicode:
    case kBinString:
      return push({text(reader_.u32())});
    case kShortBinUnicode:
    case kShortBinString:
      return push({text(reader_.u8())});
    case kBinUnicode8:
      return push({text(reader_.u64())});
    case kBinBytes:
      return push({PickleBytes{text(reader_.u32())}});
    case kShortBinBytes:
      return push({PickleBytes{text(reader_.u8())}});
    case kBinBytes8:
      return push({PickleBytes{text(reader_.u64())}});

    case kEmptyList:
      return push({PickleList{}});
    case kEmptyTuple:
      return push({PickleTuple{}});
    case kEmptyDict:
      return push({PickleDict{}});
    case kEmptySet:
      return push({PickleOpaque{}});
    case kList:
      return push({PickleList{pop_to_mark()}});
    case kTuple:
      return push({PickleTuple{pop_to_mark()}});
    case kTuple1:
      return push({PickleTuple{pop_several(1)}});
    case kTuple2:
      return push({PickleTuple{pop_several(2)}});
    case kTuple3:
      return push({PickleTuple{pop_several(3)}});
    case kDict: {
      const auto items = pop_to_mark();
      push({PickleDict{}});
      return set_items(items);
    }
    case kFrozenSet:
      pop_to_mark();
      return push({PickleOpaque{}});
    case kAppend: {
      const PickleRef item = pop();
      return append({&item, 1});
    }
    case kAppends:
    case kAddItems:
      return append(pop_to_mark());
    case kSetItem:
      return set_items(pop_several(2));
    case kSetItems:
      return set_items(pop_to_mark());

    case kMark:
      return marks_.push_back(stack_.size());
    case kPop:
      if (!marks_.empty() && stack_.size() == marks_.back()) return marks_.pop_back();
      pop();
      return;
    case kPopMark:
      pop_to_mark();
      return;
    case kDup:
      return stack_.push_back(top());

    case kBinPut:
      return remember(reader_.u8());
    case kLongBinPut:
      return remember(reader_.u32());
    case kMemoize:
      return remember(memo_.size());
    case kBinGet:
      return recall(reader_.u8());
    case kLongBinGet:
      return recall(reader_.u32());

    case kGlobal: {
      const auto module = line();
      return push_global(module, line());
    }
    case kStackGlobal: {
      const auto name = as<std::string>(pop(), "a name");
      return push_global(as<std::string>(pop(), "a module's name"), name);
    }
    case kReduce:
    case kNewObj:
      return call();
    case kBuild:
      pop();
      return located([&] { set_state(*top()); });
    case kBinPersId:
      return load_storage();
    default:
      throw Error(ErrorCode::kUnsupported,
                  cat(where(), "instruction ", int{opcode}, " is none that checkpoints use"));
  }
}

}  // namespace

Unpickled unpickle(ByteReader& reader, const PickleLimits& limits) {
  return Machine(reader, limits).run();
}

}  // namespace cadenza
