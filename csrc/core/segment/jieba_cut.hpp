// jieba.Tokenizer: the best path through the dictionary's words, the HMM where only single characters are left.
//
// Follows jieba 0.42.1 (Sun Junyi, MIT licence): blocks as re_han_default and re_skip_default split a text, sums of
// ln(count) - ln(total) in double precision from right to left, ties to the longer word, full and search mode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "parallel.hpp"
#include "segment/jieba_dictionary.hpp"
#include "segment/jieba_hmm.hpp"
#include "text.hpp"

namespace nlptk {

inline constexpr std::size_t kKeptLength = std::size_t{1} << 22;  // memory for more is not kept for the next text

struct JiebaWords {
  std::vector<std::int32_t> starts, ends;  // [words], code points; in search and full mode they overlap
  // Full mode can glue letters and digits that lie apart: (word, its text), in order of the words.
  std::vector<std::pair<std::size_t, std::u32string>> glued;

  void clear() {
    if (starts.capacity() > kKeptLength) *this = JiebaWords();
    starts.clear();
    ends.clear();
    glued.clear();
  }
  std::size_t size() const { return starts.size(); }
  void add(std::size_t start, std::size_t end) {
    starts.push_back(static_cast<std::int32_t>(start));
    ends.push_back(static_cast<std::int32_t>(end));
  }
};

// Scratch memory of one thread, reused.
struct JiebaWorkspace {
  std::vector<char32_t> text;
  std::vector<std::uint16_t> codes;   // [text + 1]
  std::vector<double> scores;         // [text + 1] of the best path from there to the end of the block
  std::vector<std::uint32_t> nexts;   // [text] where the best word from there ends
  std::vector<std::uint8_t> states;   // of the HMM

  void prepare(const TextSpan& span);  // std::invalid_argument for 2^31 code points or more
};

enum class JiebaMode : std::uint8_t { accurate, full, search };

// Characters of jieba's re_han_default: a run of them is cut by the dictionary, every other character is a word.
bool is_jieba_block(char32_t c);
// The same for jieba.posseg's re_han_internal, which lacks "%" and "-".
bool is_posseg_block(char32_t c);

// The parts of a text that the dictionary cuts and those that it does not, in order.
template <class IsBlock, class Block, class Rest>
void jieba_blocks(const char32_t* text, std::size_t begin, std::size_t end, IsBlock&& is_block, Block&& block,
                  Rest&& rest) {
  std::size_t polled = begin;
  while (begin < end) {
    const bool inside = is_block(text[begin]);
    std::size_t stop = begin + 1;
    while (stop < end && is_block(text[stop]) == inside) ++stop;
    if (inside) {
      block(begin, stop);
    } else {
      rest(begin, stop);
    }
    begin = stop;
    if (begin - polled >= kCharsPerPoll) {
      poll_interrupt();
      polled = begin;
    }
  }
}

class JiebaCutter {
 public:
  JiebaCutter(const JiebaDictionary& dictionary, const JiebaHmm& hmm) : dictionary_(dictionary), hmm_(hmm) {}

  // Appends the words of workspace.text[begin, end), which is cut as if it stood alone.
  void cut(JiebaMode mode, bool use_hmm, std::size_t begin, std::size_t end, JiebaWorkspace& workspace,
           JiebaWords& words) const;

  // Fills workspace.nexts for one block.
  void best_path(std::size_t begin, std::size_t end, JiebaWorkspace& workspace) const;
  // The node that spells the block's characters [begin, end), whose codes best_path left; kNone if there is none.
  std::uint32_t node_of(std::size_t begin, std::size_t end, const JiebaWorkspace& workspace) const;

 private:
  void cut_block(bool use_hmm, std::size_t begin, std::size_t end, JiebaWorkspace& workspace, JiebaWords& words) const;
  void cut_singles(std::size_t begin, std::size_t end, JiebaWorkspace& workspace, JiebaWords& words) const;
  void cut_full(std::size_t begin, std::size_t end, JiebaWorkspace& workspace, JiebaWords& words) const;
  void add_grams(std::size_t first, JiebaWorkspace& workspace, JiebaWords& words) const;

  const JiebaDictionary& dictionary_;
  const JiebaHmm& hmm_;
};

}  // namespace nlptk
