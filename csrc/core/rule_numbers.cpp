#include "rule_chunk.hpp"

namespace nlptk::rules {

std::size_t Chunk::number_end(std::size_t p) const {
  std::size_t q = skip(p, kDigit);
  for (std::size_t more = q; (more = number_part(p, q)) != q;) q = more;
  return q;
}

// The end of the separator and the digits after it at q, or q if the number ends there.
std::size_t Chunk::number_part(std::size_t p, std::size_t q) const {
  if (kind(q + 1) != kDigit) return q;
  const std::size_t end = skip(q + 1, kDigit);
  switch (at(q)) {
    case U'.':
    case U':': return end;
    case U',': return end - q == 4 ? end : q;
    case U'/': return kind(end) == kSlash && kind(end + 1) == kDigit ? skip(end + 1, kDigit) : date_end(p, q, end);
    case U'-': return hyphenated_end(p, q, end);
    default: return q;
  }
}

// 9/11 is a date and one token; 1/2 is a fraction and 20/30 no date.
std::size_t Chunk::date_end(std::size_t p, std::size_t slash, std::size_t end) const {
  if (slash - p > 2) return slash - p == 3 ? end : slash;  // 503/464-7927 is a telephone number
  const int month = small_number(p, slash), day = small_number(slash + 1, end);
  const bool fraction = month < day && (day == 2 || day == 3 || day == 4 || day == 5 || day == 8);
  const bool date = month >= 1 && month <= 12 && day >= 1 && day <= 31;
  return date && !fraction ? end : slash;
}

int Chunk::small_number(std::size_t from, std::size_t to) const {
  int value = 0;
  for (std::size_t i = from; i < to && i < from + 3; ++i) value = 10 * value + static_cast<int>(at(i)) - '0';
  return value;
}

// Telephone numbers, postal codes and dates are one token, ranges are three.
std::size_t Chunk::hyphenated_end(std::size_t p, std::size_t hyphen, std::size_t end) const {
  const std::size_t left = hyphen - p, right = end - hyphen - 1;
  if (kind(end) == kHyphen && kind(end + 1) == kDigit) return skip(end + 1, kDigit);  // three groups or more
  const bool dialled = right == 4 && (left == 1 || left == 3 || left == 5 || left > 5);
  return dialled ? end : hyphen;
}

}  // namespace nlptk::rules
