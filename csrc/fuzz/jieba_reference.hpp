// jieba's accurate and search mode as its Python source has them, over a plain map: slow and obvious.
//
// Follows jieba 0.42.1: get_DAG, calc, __cut_DAG, __cut_DAG_NO_HMM, cut_for_search, finalseg.viterbi and finalseg.cut.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace reference {

// States in the order of their letters: B, E, M, S.
enum State { B, E, M, S };

class Jieba {
 public:
  std::map<std::u32string, std::int64_t> counts;  // FREQ
  std::int64_t total = 0;
  std::set<std::u32string> force_split;
  std::array<double, 4> start{};
  std::array<std::array<double, 4>, 4> transitions{};  // [from][to]
  std::map<char32_t, std::array<double, 4>> emissions;
  double never = -3.14e100;  // MIN_FLOAT

  void add(const std::u32string& word, std::int64_t count) {
    counts[word] = count;
    total += count;
    for (std::size_t n = 1; n < word.size(); ++n) counts.emplace(word.substr(0, n), 0);
  }

  std::vector<std::u32string> cut(const std::u32string& text, bool use_hmm) const {
    std::vector<std::u32string> words;
    for (std::size_t at = 0; at < text.size();) {
      std::size_t stop = at + 1;
      if (in_block(text[at])) {
        while (stop < text.size() && in_block(text[stop])) ++stop;
        cut_block(text.substr(at, stop - at), use_hmm, words);
      } else {
        if (text.compare(at, 2, U"\r\n") == 0) ++stop;
        words.push_back(text.substr(at, stop - at));
      }
      at = stop;
    }
    return words;
  }

  std::vector<std::u32string> cut_for_search(const std::u32string& text, bool use_hmm) const {
    std::vector<std::u32string> words;
    for (const std::u32string& word : cut(text, use_hmm)) {
      for (std::size_t width = 2; width <= 3 && width < word.size(); ++width)
        for (std::size_t at = 0; at + width <= word.size(); ++at)
          if (count(word.substr(at, width)) > 0) words.push_back(word.substr(at, width));
      words.push_back(word);
    }
    return words;
  }

 private:
  using Words = std::vector<std::u32string>;

  static bool is_alnum(char32_t c) {
    return (c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
  }
  static bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
  static bool is_han(char32_t c) { return c >= 0x4E00 && c <= 0x9FD5; }
  static bool in_block(char32_t c) {
    return is_han(c) || is_alnum(c) || std::u32string_view(U"+#&._%-").find(c) != std::u32string_view::npos;
  }
  std::int64_t count(const std::u32string& word) const {
    const auto found = counts.find(word);
    return found == counts.end() ? 0 : found->second;
  }

  void cut_block(const std::u32string& text, bool use_hmm, Words& words) const {
    const double log_total = std::log(static_cast<double>(total));
    std::vector<std::pair<double, std::size_t>> route(text.size() + 1);  // score, last character of the word
    for (std::size_t at = text.size(); at-- > 0;) {
      std::vector<std::size_t> lasts;
      for (std::size_t last = at; last < text.size() && counts.count(text.substr(at, last + 1 - at)) > 0; ++last)
        if (count(text.substr(at, last + 1 - at)) > 0) lasts.push_back(last);
      if (lasts.empty()) lasts.push_back(at);
      bool first = true;
      for (const std::size_t last : lasts) {
        const std::int64_t n = std::max<std::int64_t>(count(text.substr(at, last + 1 - at)), 1);
        const std::pair<double, std::size_t> way{
            std::log(static_cast<double>(n)) - log_total + route[last + 1].first, last};
        if (first || way > route[at]) route[at] = way;
        first = false;
      }
    }
    std::u32string held;
    const auto give_held = [&] {
      if (!use_hmm) {
        if (!held.empty()) words.push_back(held);
      } else if (held.size() < 2 || count(held) > 0) {
        for (const char32_t c : held) words.emplace_back(1, c);
      } else {
        cut_unknown(held, words);
      }
      held.clear();
    };
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t next = route[at].second + 1;
      const std::u32string word = text.substr(at, next - at);
      if (word.size() == 1 && (use_hmm || is_alnum(word[0]))) {
        held += word;
      } else {
        give_held();
        words.push_back(word);
      }
      at = next;
    }
    give_held();
  }

  void cut_unknown(const std::u32string& text, Words& words) const {
    for (std::size_t at = 0; at < text.size();) {
      std::size_t stop = at;
      if (is_han(text[at])) {
        while (stop < text.size() && is_han(text[stop])) ++stop;
        cut_han(text.substr(at, stop - at), words);
      } else if (is_alnum(text[at])) {
        while (stop < text.size() && is_alnum(text[stop])) ++stop;
        if (stop + 1 < text.size() && text[stop] == U'.' && is_digit(text[stop + 1]))
          for (++stop; stop < text.size() && is_digit(text[stop]);) ++stop;
        if (stop < text.size() && text[stop] == U'%') ++stop;
        words.push_back(text.substr(at, stop - at));
      } else {
        while (stop < text.size() && !is_han(text[stop]) && !is_alnum(text[stop])) ++stop;
        words.push_back(text.substr(at, stop - at));
      }
      at = stop;
    }
  }

  double emission(char32_t c, int state) const {
    const auto found = emissions.find(c);
    return found == emissions.end() ? never : found->second[static_cast<std::size_t>(state)];
  }

  void cut_han(const std::u32string& text, Words& words) const {
    static constexpr State before[4][2] = {{E, S}, {B, M}, {B, M}, {E, S}};  // of each state
    std::vector<std::array<double, 4>> scores(text.size());
    std::vector<std::array<State, 4>> from(text.size());
    for (std::size_t s = 0; s < 4; ++s) scores[0][s] = start[s] + emission(text[0], static_cast<int>(s));
    for (std::size_t i = 1; i < text.size(); ++i)
      for (std::size_t s = 0; s < 4; ++s) {
        std::pair<double, State> best{};
        for (int k = 0; k < 2; ++k) {
          const State last = before[s][k];
          const std::pair<double, State> way{
              scores[i - 1][last] + transitions[last][s] + emission(text[i], static_cast<int>(s)), last};
          if (k == 0 || way > best) best = way;
        }
        std::tie(scores[i][s], from[i][s]) = best;
      }
    std::vector<State> states(text.size());
    states.back() = scores.back()[S] >= scores.back()[E] ? S : E;
    for (std::size_t i = text.size(); i-- > 1;) states[i - 1] = from[i][states[i]];
    std::size_t begin = 0, next = 0;
    const auto give = [&](const std::u32string& word) {
      if (force_split.count(word) == 0) return words.push_back(word);
      for (const char32_t c : word) words.emplace_back(1, c);
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (states[i] == B) begin = i;
      if (states[i] == E) give(text.substr(begin, i + 1 - begin));
      if (states[i] == S) give(text.substr(i, 1));
      if (states[i] == E || states[i] == S) next = i + 1;
    }
    if (next < text.size()) give(text.substr(next));
  }
};

}  // namespace reference
