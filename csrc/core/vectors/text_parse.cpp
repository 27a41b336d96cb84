#include "vectors/text_parse.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "parallel.hpp"

namespace nlptk {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }

std::string_view strip_end(std::string_view line) {
  while (!line.empty() && (is_space(line.back()) || line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10,
                              1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// Most numbers of such files: digits with a point among them, at most 15. One division of exact doubles is correctly
// rounded; rounding it again to float is right unless it lies halfway between two floats, to the last bit.
const char* parse_plain(const char* p, const char* end, float* out) {
  const bool minus = p != end && *p == '-';
  if (minus) ++p;
  std::uint64_t digits = 0;
  const char* const first = p;
  for (; p != end && static_cast<unsigned char>(*p - '0') < 10; ++p) digits = digits * 10 + static_cast<unsigned>(*p - '0');
  std::size_t after = 0, count = static_cast<std::size_t>(p - first);
  if (count > 15) return nullptr;
  if (p != end && *p == '.') {
    const char* const point = ++p;
    for (; p != end && static_cast<unsigned char>(*p - '0') < 10; ++p)
      digits = digits * 10 + static_cast<unsigned>(*p - '0');
    after = static_cast<std::size_t>(p - point);
    count += after;
  }
  if (count == 0 || count > 15 || (p != end && !is_space(*p))) return nullptr;
  const double value = static_cast<double>(digits) / kPowers[after];
  if ((std::bit_cast<std::uint64_t>(value) & 0x1FFFFFFF) == 0x10000000) return nullptr;
  *out = static_cast<float>(minus ? -value : value);
  return p;
}

// One number that ends where a field does. Null if there is none.
const char* parse_number(const char* p, const char* end, float* out) {
  if (const char* const done = parse_plain(p, end, out)) return done;
  const char* const start = p;
  if (p != end && *p == '+' && p + 1 != end && p[1] != '-') ++p;
  const std::from_chars_result found = std::from_chars(p, end, *out);
  if (found.ec == std::errc::invalid_argument || (found.ptr != end && !is_space(*found.ptr))) return nullptr;
  if (found.ec == std::errc::result_out_of_range)  // an infinity, or nearly 0
    *out = std::strtof(std::string(start, found.ptr).c_str(), nullptr);
  return found.ptr;
}

bool is_number(std::string_view field) {
  float value;
  return parse_number(field.data(), field.data() + field.size(), &value) == field.data() + field.size();
}

std::string_view first_field(std::string_view line) {
  return line.substr(0, static_cast<std::size_t>(std::find_if(line.begin(), line.end(), is_space) - line.begin()));
}

// Where the last `count` fields begin, or npos.
std::size_t last_fields(std::string_view line, std::size_t count) {
  std::size_t at = line.size();
  for (; count > 0; --count) {
    while (at > 0 && is_space(line[at - 1])) --at;
    if (at == 0) return std::string_view::npos;
    while (at > 0 && !is_space(line[at - 1])) --at;
  }
  return at;
}

std::size_t count_fields(std::string_view line) {
  std::size_t count = 0;
  for (std::size_t k = 0; k < line.size(); ++k) count += !is_space(line[k]) && (k == 0 || is_space(line[k - 1]));
  return count;
}

std::string short_of(std::string_view field) {
  std::string out(1, '\'');
  for (const char c : field.substr(0, 40)) out += static_cast<unsigned char>(c) < ' ' || c == 0x7F ? '?' : c;
  return out.append(field.size() > 40 ? "...'" : "'");
}

// Fills one row; the message says what is wrong, and is empty if nothing is.
std::string parse_line(std::string_view line, std::size_t dim, float* row, std::size_t* word_size) {
  line = strip_end(line);
  if (line.empty()) return "is empty, but a word and its numbers are expected";
  if (is_space(line.front())) return "begins with a space, not with a word";
  std::string_view word = first_field(line);
  if (const std::size_t fields = count_fields(line); fields != dim + 1) {
    const std::size_t at = fields > dim + 1 ? last_fields(line, dim) : std::string_view::npos;
    bool spaced = at != std::string_view::npos;
    if (spaced) {
      word = strip_end(line.substr(0, at));
      for (std::size_t k = 1; spaced && k < word.size(); ++k)
        if (is_space(word[k - 1]) && !is_space(word[k])) spaced = !is_number(first_field(word.substr(k)));
    }
    if (!spaced)
      return "has " + std::to_string(fields - 1) + " numbers after its word, but " + std::to_string(dim) + " are expected";
  }
  const char* p = line.data() + word.size();
  const char* const end = line.data() + line.size();
  for (std::size_t d = 0; d < dim; ++d) {
    while (p != end && is_space(*p)) ++p;
    const char* const next = parse_number(p, end, row + d);
    if (next == nullptr)
      return short_of(first_field({p, static_cast<std::size_t>(end - p)})) + " is no number";
    if (!std::isfinite(row[d]))
      return "the vector of " + short_of(word) + " holds " + std::string(p, next) + "; leave the word out";
    p = next;
  }
  *word_size = word.size();
  return {};
}

}  // namespace

std::vector<std::size_t> find_lines(std::string_view text, int threads) {
  constexpr std::size_t kPart = 1 << 22;
  std::vector<std::vector<std::size_t>> parts((text.size() + kPart - 1) / kPart);
  parallel_for(text.size(), threads, kPart, [&](std::size_t begin, std::size_t end, int) {
    std::vector<std::size_t>& ends = parts[begin / kPart];
    const char* p = text.data() + begin;
    while ((p = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(text.data() + end - p)))))
      ends.push_back(static_cast<std::size_t>(++p - text.data()));
  });
  std::vector<std::size_t> lines{0};
  for (const std::vector<std::size_t>& part : parts) lines.insert(lines.end(), part.begin(), part.end());
  if (lines.back() != text.size()) lines.push_back(text.size());
  return lines;
}

std::size_t count_numbers(std::string_view line) {
  line = strip_end(line);
  std::size_t count = 0;
  for (std::size_t at; (at = last_fields(line, 1)) != std::string_view::npos && at > 0; ++count) {
    if (!is_number(line.substr(at))) break;
    line = strip_end(line.substr(0, at));
  }
  return count;
}

TextFault parse_lines(std::string_view text, const std::vector<std::size_t>& lines, std::size_t first, std::size_t dim,
                      int threads, float* matrix, WordPlace* words) {
  TextFault fault;
  std::mutex mutex;
  parallel_for(lines.size() - 1 - first, threads, 256, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t row = begin; row < end; ++row) {
      const std::size_t at = lines[first + row];
      std::size_t size = 0;
      std::string message = parse_line(text.substr(at, lines[first + row + 1] - at), dim, matrix + row * dim, &size);
      if (!message.empty()) {
        const std::lock_guard<std::mutex> lock(mutex);
        if (fault.message.empty() || first + row < fault.line) fault = {first + row, std::move(message)};
        return;
      }
      words[row] = {static_cast<std::int64_t>(at), static_cast<std::int64_t>(at + size)};
    }
  });
  return fault;
}

TextFault parse_binary(std::string_view data, std::size_t rows, std::size_t dim, float* matrix, WordPlace* words) {
  std::size_t at = 0;
  InterruptPoll poll;
  for (std::size_t row = 0; row < rows; ++row) {
    if (row % 65536 == 0) poll();
    while (at < data.size() && data[at] == '\n') ++at;
    const std::size_t space = data.find(' ', at);
    if (space == std::string_view::npos || data.size() - space - 1 < dim * sizeof(float))
      return {row, "the file ends here: it is cut short, or its header counts too many"};
    if (space == at) return {row, "there is no word here: the header's counts do not fit the file"};
    words[row] = {static_cast<std::int64_t>(at), static_cast<std::int64_t>(space)};
    std::memcpy(matrix + row * dim, data.data() + space + 1, dim * sizeof(float));
    for (std::size_t d = 0; d < dim; ++d)
      if (!std::isfinite(matrix[row * dim + d]))
        return {row, "the vector of " + short_of(data.substr(at, space - at)) + " holds NaN or an infinity"};
    at = space + 1 + dim * sizeof(float);
  }
  while (at < data.size() && data[at] == '\n') ++at;
  if (at != data.size()) return {rows, "the file goes on after the rows that its header counts"};
  return {};
}

}  // namespace nlptk
