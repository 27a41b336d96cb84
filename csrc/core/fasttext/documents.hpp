// Documents as Python gives them, whole texts or lists of tokens, and their tokens as UTF-8.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "text.hpp"
#include "utf8.hpp"

namespace nlptk {

class Documents {
 public:
  // Ends every document, as fastText has it for every line.
  static constexpr std::string_view kEnd = "</s>";

  // Texts that are split where fastText splits them: space, \t, \n, \v, \f, \r, NUL. The spans must stay valid.
  explicit Documents(std::vector<TextSpan> texts) : spans_(std::move(texts)) {}
  // Document i is tokens [offsets[i], offsets[i + 1]).
  Documents(std::vector<TextSpan> tokens, std::vector<std::size_t> offsets)
      : spans_(std::move(tokens)), offsets_(std::move(offsets)) {}

  std::size_t size() const { return offsets_.empty() ? spans_.size() : offsets_.size() - 1; }

  // Calls f(token) for all tokens of a document and then kEnd. A token is valid until f returns, and not empty; a lone
  // surrogate in it is U+FFFD. `buffer` is the thread's.
  template <class F>
  void for_each_token(std::size_t document, utf8::Buffer& buffer, F&& f) const {
    if (offsets_.empty()) {
      split(buffer.convert(spans_[document]), f);
    } else {
      for (std::size_t t = offsets_[document]; t < offsets_[document + 1]; ++t)
        if (const std::string_view token = buffer.convert(spans_[t]); !token.empty()) f(token);
    }
    f(kEnd);
  }

 private:
  static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

  template <class F>
  static void split(std::string_view text, F&& f) {
    for (std::size_t at = 0; at < text.size();) {
      if (is_space(text[at])) {
        ++at;
        continue;
      }
      const std::size_t begin = at;
      while (at < text.size() && !is_space(text[at])) ++at;
      f(text.substr(begin, at - begin));
    }
  }

  std::vector<TextSpan> spans_;
  std::vector<std::size_t> offsets_;
};

}  // namespace nlptk
