// One jieba tokenizer: dictionary, HMM and the words that are kept whole, safe to use from several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "segment/jieba_cut.hpp"

namespace nlptk {

class Jieba {
 public:
  // Both as bytes: see JiebaDictionary and JiebaHmm.
  Jieba(std::string_view dictionary, std::string_view hmm)
      : dictionary_(dictionary), hmm_(hmm), whole_(std::vector<std::u32string>()), cutter_(dictionary_, hmm_) {}

  // Fills `words` (which is cleared first) with the words of a text.
  void cut(const TextSpan& text, JiebaMode mode, bool use_hmm, JiebaWorkspace& workspace, JiebaWords& words) const;

  // The tokens of a batch as a Doc wants them, over threads (<= 0: one for each core): no white space but what leads a
  // text, which is one token. Accurate mode. tokens[texts].
  void tokens(const TextSpan* texts, std::size_t count, bool use_hmm, int threads, JiebaWords* tokens) const;

  // Changes wait for running cuts to end. See JiebaDictionary::add; a word of count 0 is also never joined by the HMM.
  void add(std::u32string_view word, std::int64_t count);
  void set_tag(std::u32string_view word, const std::string& tag);
  void set_total(std::int64_t total);
  // From now on the word is found before the text is cut, whatever characters it has. The longest such word counts.
  void keep_whole(std::u32string_view word, bool keep);

  std::optional<std::int64_t> count(std::u32string_view text) const;
  std::int64_t total() const;
  std::vector<JiebaDictionary::Entry> entries() const;

 private:
  std::size_t whole_word(std::size_t at, std::size_t end, const JiebaWorkspace& workspace) const;
  // Calls piece(begin, end, whole) for the whole words of a text and what lies between them.
  template <class Piece>
  void pieces(std::size_t length, const JiebaWorkspace& workspace, Piece&& piece) const;

  mutable std::shared_mutex mutex_;
  JiebaDictionary dictionary_;
  JiebaHmm hmm_;
  DoubleArray whole_;  // a value of 0 marks a word
  bool any_whole_ = false;
  JiebaCutter cutter_;
};

}  // namespace nlptk
