// One jieba: dictionary, HMM, words that are kept whole, tagger and keywords; safe to use from several threads.
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
#include "segment/jieba_keywords.hpp"
#include "segment/jieba_tagger.hpp"

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

  // Words with tags, as jieba.posseg gives them, for one text and as tokens for a batch. The rest as above.
  // std::invalid_argument before set_tagger.
  void tag(const TextSpan& text, bool use_hmm, JiebaWorkspace& workspace, JiebaTagWorkspace& scratch,
           JiebaTagged& out) const;
  void tagged_tokens(const TextSpan* texts, std::size_t count, bool use_hmm, int threads, JiebaTagged* tokens) const;

  enum class Keywords : std::uint8_t { tfidf, textrank };
  // At most `most` keywords of a text by falling weight; words and tags (if it was tagged) are left in `out`. `tags`: the allowed
  // ones, TF-IDF takes any if there are none. `by_tag`: a word with another tag is another keyword.
  // std::invalid_argument before set_idf or, where tags are needed, set_tagger.
  std::vector<JiebaKeyword> keywords(const TextSpan& text, Keywords method, bool use_hmm,
                                     const std::vector<std::string>& tags, bool by_tag, std::size_t most,
                                     JiebaWorkspace& workspace, JiebaTagWorkspace& scratch, JiebaTagged& out) const;

  bool has_tagger() const;
  void set_tagger(std::string_view bytes);  // see JiebaTagger
  bool has_idf() const;
  void set_idf(std::string_view bytes);  // see JiebaIdf
  void set_stop_words(JiebaStopWords words);
  std::vector<std::string> tag_names() const;

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
  void cut_locked(const TextSpan& text, JiebaMode mode, bool use_hmm, JiebaWorkspace& workspace,
                  JiebaWords& words) const;
  void tag_locked(const TextSpan& text, bool use_hmm, JiebaWorkspace& workspace, JiebaTagWorkspace& scratch,
                  JiebaTagged& out) const;
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
  std::unique_ptr<const JiebaTagger> tagger_;
  std::unique_ptr<const JiebaIdf> idf_;
  JiebaStopWords stop_words_;
};

}  // namespace nlptk
