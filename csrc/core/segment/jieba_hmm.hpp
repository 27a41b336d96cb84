// jieba.finalseg: cuts runs of characters that no dictionary word joins by a four-state hidden Markov model.
//
// Double precision and jieba's order of operations, so that every tie falls as it does there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "segment/blob.hpp"

namespace nlptk {

// The characters that finalseg's HMM is asked about.
constexpr bool is_jieba_han(char32_t c) { return c >= 0x4E00 && c <= 0x9FD5; }
constexpr bool is_ascii_digit(char32_t c) { return c >= '0' && c <= '9'; }
constexpr bool is_ascii_alnum(char32_t c) {
  return is_ascii_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

class JiebaHmm {
 public:
  static constexpr double kMinFloat = -3.14e100;  // finalseg's MIN_FLOAT
  // In the order of their letters, by which Python's max breaks ties.
  enum State : std::uint8_t { B, E, M, S };

  // Start [4], transitions [from, to], then the characters and their emissions [characters, 4], states as above.
  // std::invalid_argument where the bytes do not hold that.
  explicit JiebaHmm(std::string_view bytes);

  // Words that are always cut into characters (finalseg.Force_Split_Words).
  void force_split(std::u32string_view word) { force_split_.emplace(word); }

  // finalseg.cut over text[begin, end): calls emit(start, end) for each word.
  template <class Emit>
  void cut(const char32_t* text, std::size_t begin, std::size_t end, std::vector<std::uint8_t>& scratch,
           Emit&& emit) const {
    while (begin < end) {
      std::size_t stop = begin + 1;
      if (is_jieba_han(text[begin])) {
        while (stop < end && is_jieba_han(text[stop])) ++stop;
        cut_han(text, begin, stop, scratch, emit);
      } else {
        while (stop < end && !is_jieba_han(text[stop])) ++stop;
        cut_other(text, begin, stop, emit);
      }
      begin = stop;
    }
  }

 private:
  static constexpr char32_t kFirst = 0x4E00, kLast = 0x9FD5;

  // The best state of each character to scratch[0, end - begin).
  void decode(const char32_t* text, std::size_t begin, std::size_t end, std::vector<std::uint8_t>& scratch) const;

  template <class Emit>
  void cut_han(const char32_t* text, std::size_t begin, std::size_t end, std::vector<std::uint8_t>& scratch,
               Emit&& emit) const {
    decode(text, begin, end, scratch);
    std::size_t start = begin;
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint8_t state = scratch[i - begin];
      if (state != E && state != S) continue;
      if (state == S) start = i;
      if (i > start && !force_split_.empty() && force_split_.count(std::u32string(text + start, text + i + 1)) > 0) {
        for (; start <= i; ++start) emit(start, start + 1);
      } else {
        emit(start, i + 1);
      }
      start = i + 1;
    }
  }

  // finalseg's re_skip: letters and digits with a decimal part and a percent sign are a word; what is between, too.
  template <class Emit>
  void cut_other(const char32_t* text, std::size_t begin, std::size_t end, Emit&& emit) const {
    std::size_t at = begin;
    while (at < end) {
      if (!is_ascii_alnum(text[at])) {
        ++at;
        continue;
      }
      if (at > begin) emit(begin, at);
      begin = at;
      while (at < end && is_ascii_alnum(text[at])) ++at;
      if (at + 1 < end && text[at] == '.' && is_ascii_digit(text[at + 1])) {
        at += 2;
        while (at < end && is_ascii_digit(text[at])) ++at;
      }
      if (at < end && text[at] == '%') ++at;
      emit(begin, at);
      begin = at;
    }
    if (begin < end) emit(begin, end);
  }

  std::array<double, 4> start_;
  std::array<std::array<double, 4>, 4> transitions_;  // [from][to]
  std::vector<std::array<double, 4>> emissions_;      // [kFirst..kLast]
  std::unordered_set<std::u32string> force_split_;
};

}  // namespace nlptk
