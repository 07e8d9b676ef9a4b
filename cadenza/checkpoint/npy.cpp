#include "cadenza/checkpoint/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "cadenza/base/bytes.h"
#include "cadenza/base/error.h"
#include "cadenza/checkpoint/layout.h"

namespace cadenza {

namespace {

constexpr std::string_view kMagic{"\x93NUMPY", 6};

struct Header {
  std::string descr;
  bool is_fortran = false;
  TensorShape shape;
};

/// The few forms of Python's literals that numpy writes into a header.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& where) : rest_(text), where_(where) {}

  Header parse() {
    Header header;
    bool has_descr = false, has_order = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      const auto key = text();
      expect(':');
      if (key == "descr" && !has_descr) {
        CADENZA_REQUIRE(next() != '[', ErrorCode::kUnsupported, where_,
                        ": holds structures; arrays of plain numbers and texts are read");
        header.descr = text();
        has_descr = true;
      } else if (key == "fortran_order" && !has_order) {
        header.is_fortran = flag();
        has_order = true;
      } else if (key == "shape" && !has_shape) {
        header.shape = shape();
        has_shape = true;
      } else {
        fail(cat("the key '", key, "'"));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (!has_descr || !has_order || !has_shape) fail("no descr, fortran_order or shape");
    if (next() != '\0') fail("something behind the dictionary");
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::kCorruptData, cat(where_, ": the header has ", what));
  }
  /// The next character that is no space; 0 at the end.
  char next() {
    const auto first = rest_.find_first_not_of(" \t\n");
    rest_.remove_prefix(std::min(first, rest_.size()));
    return rest_.empty() ? '\0' : rest_[0];
  }
  bool accept(char wanted) {
    if (next() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    if (!accept(wanted)) fail(cat("no '", wanted, "' where one belongs"));
  }
  std::string text() {
    const char quote = next();
    if (quote != '\'' && quote != '"') fail("no text where one belongs");
    const auto end = rest_.find(quote, 1);
    if (end == rest_.npos) fail("a text without end");
    std::string found(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return found;
  }
  bool flag() {
    next();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    fail("neither True nor False");
  }
  TensorShape shape() {
    constexpr std::size_t kMaxAxes = 64;  // numpy's own
    TensorShape sizes;
    expect('(');
    while (!accept(')')) {
      next();
      std::int64_t size = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (error != std::errc() || size < 0) fail("a shape of something else than sizes");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      if (next() == 'L') rest_.remove_prefix(1);  // Python 2
      sizes.push_back(size);
      if (sizes.size() > kMaxAxes) fail("a shape of too many axes");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }

  std::string_view rest_;
  const std::string& where_;
};

Header read_header(ByteReader& reader, const std::string& where) {
  CADENZA_REQUIRE(reader.remaining() >= kMagic.size() && reader.take_text(kMagic.size()) == kMagic,
                  ErrorCode::kCorruptData, where, ": not a .npy file");
  const int major = reader.u8();
  const int minor = reader.u8();
  CADENZA_REQUIRE(major >= 1 && major <= 3 && minor == 0, ErrorCode::kUnsupported, where,
                  ": version ", major, '.', minor, " of the .npy format; 1.0 to 3.0 are read");
  const std::uint64_t n_header = major == 1 ? reader.u16() : reader.u32();
  return HeaderParser(reader.take_text(n_header), where).parse();
}

struct NumberType {
  std::string_view descr;
  DType dtype;
};
constexpr std::array<NumberType, 12> kNumbers{{{"f8", DType::kF64},
                                               {"f4", DType::kF32},
                                               {"f2", DType::kF16},
                                               {"i8", DType::kI64},
                                               {"i4", DType::kI32},
                                               {"i2", DType::kI16},
                                               {"i1", DType::kI8},
                                               {"u8", DType::kU64},
                                               {"u4", DType::kU32},
                                               {"u2", DType::kU16},
                                               {"u1", DType::kU8},
                                               {"b1", DType::kBool}}};

/// Big-endian elements, turned.
StoredTensor swapped(const StoredTensor& tensor) {
  const auto buffer =
      std::make_shared<std::vector<std::byte>>(tensor.bytes.begin(), tensor.bytes.end());
  const auto size = static_cast<std::ptrdiff_t>(size_of(tensor.dtype));
  for (auto first = buffer->begin(); first != buffer->end(); first += size) {
    std::reverse(first, first + size);
  }
  return {tensor.dtype, tensor.shape, *buffer, buffer};
}

/// Strides, in elements, of an array whose first axis is the fastest.
std::vector<std::int64_t> fortran_strides(const TensorShape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t axis = 1; axis < shape.size(); ++axis) {
    strides[axis] = strides[axis - 1] * shape[axis - 1];
  }
  return strides;
}

void append_utf8(std::uint32_t code_point, std::string& text) {
  const auto add = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  const auto tail = [&](int shift) { add(0x80 | ((code_point >> shift) & 0x3F)); };
  if (code_point < 0x80) {
    add(code_point);
  } else if (code_point < 0x800) {
    add(0xC0 | code_point >> 6);
    tail(0);
  } else if (code_point < 0x10000) {
    add(0xE0 | code_point >> 12);
    tail(6);
    tail(0);
  } else {
    add(0xF0 | code_point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

/// Texts are padded with zeros to the longest.
TextArray read_texts(std::span<const std::byte> bytes, const Header& header,
                     std::uint64_t n_characters, const std::string& where) {
  constexpr std::uint64_t kMaxCharacters = 1 << 24;
  CADENZA_REQUIRE(n_characters > 0 && n_characters <= kMaxCharacters, ErrorCode::kUnsupported,
                  where, ": texts of ", n_characters, " characters");
  TensorShape with_characters = header.shape;
  with_characters.push_back(static_cast<std::int64_t>(n_characters));
  const auto n_bytes = packed_bytes(with_characters, DType::kU32, where);
  CADENZA_REQUIRE(n_bytes == bytes.size(), ErrorCode::kCorruptData, where, ": ",
                  shape_text(header.shape), ' ', header.descr, " is ", n_bytes, " bytes, found ",
                  bytes.size());
  CADENZA_REQUIRE(!header.is_fortran || header.shape.size() < 2, ErrorCode::kUnsupported, where,
                  ": texts in Fortran order");
  TextArray array{header.shape, {}};
  ByteReader reader(bytes, where);
  for (std::uint64_t text_begin = 0; text_begin < n_bytes; text_begin += 4 * n_characters) {
    auto& text = array.texts.emplace_back();
    std::size_t n_kept = 0;
    for (std::uint64_t index = 0; index < n_characters; ++index) {
      const auto code_point = reader.u32();
      const bool is_scalar = code_point < 0xD800 || (code_point > 0xDFFF && code_point <= 0x10FFFF);
      CADENZA_REQUIRE(is_scalar, ErrorCode::kCorruptData, where, ": ", code_point,
                      " is no character");
      append_utf8(code_point, text);
      if (code_point != 0) n_kept = text.size();
    }
    text.resize(n_kept);
  }
  return array;
}

StoredTensor read_numbers(std::span<const std::byte> bytes, const Header& header,
                          const std::string& where, std::shared_ptr<const void> owner) {
  const auto type = std::string_view(header.descr).substr(1);
  const auto found = std::ranges::find(kNumbers, type, &NumberType::descr);
  CADENZA_REQUIRE(found != kNumbers.end(), ErrorCode::kUnsupported, where, ": type '", header.descr,
                  "'; f2 f4 f8, i1 to i8, u1 to u8, b1 and U are read");
  const auto n_bytes = packed_bytes(header.shape, found->dtype, where);
  CADENZA_REQUIRE(n_bytes == bytes.size(), ErrorCode::kCorruptData, where, ": ",
                  shape_text(header.shape), ' ', header.descr, " is ", n_bytes, " bytes, found ",
                  bytes.size());
  if (found->dtype == DType::kBool) require_bool_bytes(bytes, where);
  StoredTensor tensor{found->dtype, header.shape, bytes, std::move(owner)};
  if (header.descr[0] == '>' && size_of(tensor.dtype) > 1) tensor = swapped(tensor);
  if (header.is_fortran && header.shape.size() > 1 && n_bytes > 0) {
    tensor =
        gather_strided(tensor.bytes, tensor.dtype, tensor.shape, fortran_strides(tensor.shape));
  }
  return tensor;
}

std::string shape_tuple(const TensorShape& shape) {
  std::string text = "(";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    text += cat(shape[axis], shape.size() == 1 ? "," : axis + 1 < shape.size() ? ", " : "");
  }
  return text + ")";
}

std::vector<std::byte> with_header(const std::string& descr, const TensorShape& shape,
                                   std::span<const std::byte> content) {
  constexpr std::size_t kAlignment = 64, kBeforeHeader = 10;
  std::string header =
      cat("{'descr': '", descr, "', 'fortran_order': False, 'shape': ", shape_tuple(shape), ", }");
  const auto n_unpadded = kBeforeHeader + header.size() + 1;
  header.append((kAlignment - n_unpadded % kAlignment) % kAlignment, ' ');
  header.push_back('\n');
  std::string start(kMagic);
  start += {1, 0};  // version
  start += {static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  start += header;
  std::vector<std::byte> bytes(start.size() + content.size());
  std::memcpy(bytes.data(), start.data(), start.size());
  if (!content.empty()) std::memcpy(bytes.data() + start.size(), content.data(), content.size());
  return bytes;
}

/// Errors: kInvalidArgument for anything that is not UTF-8.
std::vector<std::uint32_t> code_points(const std::string& text) {
  std::vector<std::uint32_t> points;
  for (std::size_t index = 0; index < text.size();) {
    const auto first = static_cast<unsigned char>(text[index]);
    const int n_tail = first < 0x80 ? 0 : first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : 3;
    std::uint32_t point = n_tail == 0 ? first : first & (0x3F >> n_tail);
    bool is_utf8 = (first < 0x80 || first >= 0xC2) && first < 0xF5 &&
                   index + static_cast<std::size_t>(n_tail) < text.size();
    for (int tail = 1; is_utf8 && tail <= n_tail; ++tail) {
      const auto byte = static_cast<unsigned char>(text[index + static_cast<std::size_t>(tail)]);
      is_utf8 = byte >> 6 == 2;
      point = point << 6 | (byte & 0x3F);
    }
    CADENZA_REQUIRE(is_utf8, ErrorCode::kInvalidArgument, "a text for a .npy file is not UTF-8");
    points.push_back(point);
    index += 1 + static_cast<std::size_t>(n_tail);
  }
  return points;
}

std::vector<std::byte> write_texts(const TextArray& array) {
  std::vector<std::vector<std::uint32_t>> texts;
  std::size_t n_characters = 1;
  for (const auto& text : array.texts) {
    n_characters = std::max(n_characters, texts.emplace_back(code_points(text)).size());
  }
  CADENZA_REQUIRE(packed_bytes(array.shape, DType::kU8, "texts") == texts.size(),
                  ErrorCode::kInvalidArgument, texts.size(), " texts for shape ",
                  shape_text(array.shape));
  std::vector<std::uint32_t> padded;
  for (auto& text : texts) {
    text.resize(n_characters, 0);
    padded.insert(padded.end(), text.begin(), text.end());
  }
  return with_header(cat("<U", n_characters), array.shape, std::as_bytes(std::span(padded)));
}

}  // namespace

NpyArray read_npy(std::span<const std::byte> bytes, std::string_view name,
                  std::shared_ptr<const void> owner) {
  const std::string where(name);
  ByteReader reader(bytes, where);
  const auto header = read_header(reader, where);
  const auto content = reader.take(reader.remaining());
  const auto& descr = header.descr;
  CADENZA_REQUIRE(descr.size() >= 2 && std::string_view("<>|=").find(descr[0]) != std::string::npos,
                  ErrorCode::kUnsupported, where, ": type '", descr, "'");
  CADENZA_REQUIRE(descr[1] != 'O', ErrorCode::kUnsupported, where,
                  ": holds Python objects, which are never read: save numbers or texts");
  if (descr[1] != 'U') return read_numbers(content, header, where, std::move(owner));
  std::uint64_t n_characters = 0;
  const char* end = descr.data() + descr.size();
  const auto [stop, error] = std::from_chars(descr.data() + 2, end, n_characters);
  CADENZA_REQUIRE(error == std::errc() && stop == end && descr[0] == '<', ErrorCode::kUnsupported,
                  where, ": type '", descr, "'");
  return read_texts(content, header, n_characters, where);
}

std::vector<std::byte> write_npy(const NpyArray& array) {
  if (const auto* texts = std::get_if<TextArray>(&array)) return write_texts(*texts);
  const auto& tensor = std::get<StoredTensor>(array);
  const auto found = std::ranges::find(kNumbers, tensor.dtype, &NumberType::dtype);
  CADENZA_REQUIRE(found != kNumbers.end(), ErrorCode::kInvalidArgument, "numpy has no type ",
                  to_string(tensor.dtype), "; convert it to F32");
  const char order = size_of(tensor.dtype) == 1 ? '|' : '<';
  return with_header(cat(order, found->descr), tensor.shape, tensor.bytes);
}

}  // namespace cadenza
