// jieba.posseg: words with part-of-speech tags, from the dictionary and a hidden Markov model of (place, tag) states.
//
// As in jieba 0.42.1 its blocks are not those of jieba.cut ("%" and "-" end one), so the words differ now and then.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "segment/jieba_cut.hpp"

namespace nlptk {

struct JiebaTagged {
  JiebaWords words;
  std::vector<std::uint16_t> tags;  // [words], numbers of JiebaDictionary::tag_names

  void clear() {
    words.clear();
    tags.clear();
  }
  void add(std::size_t start, std::size_t end, std::uint16_t tag) {
    words.add(start, end);
    tags.push_back(tag);
  }
};

// The decoder's scratch memory: for each character the states that were possible, each with its best predecessor.
struct JiebaTagWorkspace {
  struct Step {
    std::uint8_t state, before;
  };
  std::vector<Step> steps;
  std::vector<std::size_t> bounds;  // [characters + 1] into steps
  std::vector<std::uint8_t> path;   // [characters] the best states
};

class JiebaTagger {
 public:
  // Bytes as nlptk/tokenize/jieba_models.py lays them out. Names the model's tags in the dictionary.
  // std::invalid_argument where the tables do not fit together.
  JiebaTagger(std::string_view bytes, JiebaDictionary& dictionary);

  // Appends the words of workspace.text[begin, end), which is cut as if it stood alone.
  void cut(const JiebaDictionary& dictionary, const JiebaCutter& cutter, bool use_hmm, std::size_t begin,
           std::size_t end, JiebaWorkspace& workspace, JiebaTagWorkspace& scratch, JiebaTagged& out) const;

 private:
  static constexpr std::size_t kMostStates = 256;
  using States = std::array<std::uint64_t, kMostStates / 64>;  // a set

  struct Entry {  // of one character, by state
    std::uint8_t state;
    bool allowed;  // in char_state_tab
    double emission;
  };
  struct Character {
    std::uint32_t first = 0, last = 0;  // of entries_
    bool known = false;                 // in char_state_tab; any state is allowed to others
    States allowed{};
  };

  void cut_block(const JiebaDictionary& dictionary, const JiebaCutter& cutter, bool use_hmm, std::size_t begin,
                 std::size_t end, JiebaWorkspace& workspace, JiebaTagWorkspace& scratch, JiebaTagged& out) const;
  void cut_detail(const char32_t* text, std::size_t begin, std::size_t end, JiebaTagWorkspace& scratch,
                  JiebaTagged& out) const;
  void decode(const char32_t* text, std::size_t length, JiebaTagWorkspace& scratch) const;
  const Character& character(char32_t c) const;

  std::size_t states_ = 0;              // in the order of Python's tuples, by which ties fall
  std::vector<char> places_;            // [states] B, M, E or S
  std::vector<std::uint16_t> tags_;     // [states]
  std::vector<double> start_;           // [states]
  std::vector<double> transitions_;     // [to, from], -inf for none
  std::vector<States> followers_;       // [states]
  std::vector<Character> characters_;   // from 0x4E00 on
  std::vector<Entry> entries_;
  States all_{};
  std::uint16_t number_tag_ = 0, letter_tag_ = 0;  // "m" and "eng"
};

}  // namespace nlptk
