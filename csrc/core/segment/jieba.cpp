#include "segment/jieba.hpp"

#include <algorithm>
#include <stdexcept>

#include "parallel.hpp"
#include "unicode.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kGrain = 64;  // texts for each turn of a thread

// Leaves out words of white space; what leads the text becomes one token.
void as_tokens(const JiebaWorkspace& workspace, std::size_t length, JiebaWords& words, std::uint16_t* tags = nullptr) {
  const char32_t* const text = workspace.text.data();
  std::size_t lead = 0, kept = 0;
  while (lead < length && unicode::is_space(text[lead])) ++lead;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto start = static_cast<std::size_t>(words.starts[i]);
    const bool leads = start == 0 && lead > 0;
    if (!leads && (start < lead || unicode::is_space(text[start]))) continue;
    words.starts[kept] = words.starts[i];
    words.ends[kept] = leads ? static_cast<std::int32_t>(lead) : words.ends[i];
    if (tags != nullptr) tags[kept] = tags[i];
    ++kept;
  }
  words.starts.resize(kept);
  words.ends.resize(kept);
}

}  // namespace

// The length of the longest whole word at a place; 0 if there is none.
std::size_t Jieba::whole_word(std::size_t at, std::size_t end, const JiebaWorkspace& workspace) const {
  std::size_t longest = 0;
  std::uint32_t node = DoubleArray::kRoot;
  for (std::size_t i = at; i < end; ++i) {
    const std::uint16_t code = whole_.alphabet().code(workspace.text[i]);
    if (code == 0 || (node = whole_.child(node, code)) == DoubleArray::kNone) break;
    if (whole_.nodes()[node].value == 0) longest = i + 1 - at;
  }
  return longest;
}

template <class Piece>
void Jieba::pieces(std::size_t length, const JiebaWorkspace& workspace, Piece&& piece) const {
  std::size_t held = 0;
  for (std::size_t at = 0; any_whole_ && at < length;) {
    const std::size_t width = whole_word(at, length, workspace);
    if (width == 0) {
      ++at;
      continue;
    }
    if (held < at) piece(held, at, false);
    piece(at, at + width, true);
    held = at += width;
  }
  if (held < length) piece(held, length, false);
}

// ---- cutting and tagging -----------------------------------------------------------------------------------------

void Jieba::cut(const TextSpan& text, JiebaMode mode, bool use_hmm, JiebaWorkspace& workspace,
                JiebaWords& words) const {
  const std::shared_lock lock(mutex_);
  cut_locked(text, mode, use_hmm, workspace, words);
}

void Jieba::cut_locked(const TextSpan& text, JiebaMode mode, bool use_hmm, JiebaWorkspace& workspace,
                       JiebaWords& words) const {
  words.clear();
  workspace.prepare(text);
  pieces(text.length, workspace, [&](std::size_t begin, std::size_t end, bool whole) {
    if (whole) {
      words.add(begin, end);
    } else {
      cutter_.cut(mode, use_hmm, begin, end, workspace, words);
    }
  });
}

void Jieba::tag(const TextSpan& text, bool use_hmm, JiebaWorkspace& workspace, JiebaTagWorkspace& scratch,
                JiebaTagged& out) const {
  const std::shared_lock lock(mutex_);
  tag_locked(text, use_hmm, workspace, scratch, out);
}

void Jieba::tag_locked(const TextSpan& text, bool use_hmm, JiebaWorkspace& workspace, JiebaTagWorkspace& scratch,
                       JiebaTagged& out) const {
  if (!tagger_) throw std::invalid_argument("tagging needs the tagger's tables: call set_tagger first");
  out.clear();
  workspace.prepare(text);
  pieces(text.length, workspace, [&](std::size_t begin, std::size_t end, bool whole) {
    if (whole) {
      const std::u32string_view word(workspace.text.data() + begin, end - begin);
      out.add(begin, end, dictionary_.tag(dictionary_.trie().find(word)));
    } else {
      tagger_->cut(dictionary_, cutter_, use_hmm, begin, end, workspace, scratch, out);
    }
  });
}

void Jieba::tokens(const TextSpan* texts, std::size_t count, bool use_hmm, int threads, JiebaWords* tokens) const {
  threads = resolve_threads(threads);
  std::vector<JiebaWorkspace> workspaces(static_cast<std::size_t>(threads));
  parallel_for(count, threads, kGrain, [&](std::size_t begin, std::size_t end, int thread) {
    JiebaWorkspace& workspace = workspaces[static_cast<std::size_t>(thread)];
    for (std::size_t i = begin; i < end; ++i) {
      cut(texts[i], JiebaMode::accurate, use_hmm, workspace, tokens[i]);
      as_tokens(workspace, texts[i].length, tokens[i]);
    }
  });
}

void Jieba::tagged_tokens(const TextSpan* texts, std::size_t count, bool use_hmm, int threads,
                          JiebaTagged* tokens) const {
  threads = resolve_threads(threads);
  std::vector<std::pair<JiebaWorkspace, JiebaTagWorkspace>> workspaces(static_cast<std::size_t>(threads));
  parallel_for(count, threads, kGrain, [&](std::size_t begin, std::size_t end, int thread) {
    auto& [workspace, scratch] = workspaces[static_cast<std::size_t>(thread)];
    for (std::size_t i = begin; i < end; ++i) {
      tag(texts[i], use_hmm, workspace, scratch, tokens[i]);
      as_tokens(workspace, texts[i].length, tokens[i].words, tokens[i].tags.data());
      tokens[i].tags.resize(tokens[i].words.size());
    }
  });
}

// ---- keywords ----------------------------------------------------------------------------------------------------

std::vector<JiebaKeyword> Jieba::keywords(const TextSpan& text, Keywords method, bool use_hmm,
                                          const std::vector<std::string>& tags, bool by_tag,
                                          std::size_t most, JiebaWorkspace& workspace,
                                          JiebaTagWorkspace& scratch, JiebaTagged& out) const {
  const std::shared_lock lock(mutex_);
  if (method == Keywords::tfidf && !idf_) throw std::invalid_argument("TF-IDF needs its table: call set_idf first");
  const bool tagged = method == Keywords::textrank || !tags.empty();
  JiebaKeywordFilter filter;
  filter.any_tag = !tagged;
  filter.by_tag = by_tag && !tags.empty();
  if (tagged) {
    for (const std::string& name : dictionary_.tag_names())
      filter.tags.push_back(std::find(tags.begin(), tags.end(), name) != tags.end());
    tag_locked(text, use_hmm, workspace, scratch, out);
  } else {
    out.tags.clear();
    cut_locked(text, JiebaMode::accurate, use_hmm, workspace, out.words);
  }
  const char32_t* const from = workspace.text.data();
  return method == Keywords::tfidf ? jieba_tfidf(from, out, *idf_, stop_words_, filter, most)
                                   : jieba_textrank(from, out, stop_words_, filter, most);
}

bool Jieba::has_tagger() const {
  const std::shared_lock lock(mutex_);
  return tagger_ != nullptr;
}

void Jieba::set_tagger(std::string_view bytes) {
  const std::unique_lock lock(mutex_);
  tagger_ = std::make_unique<const JiebaTagger>(bytes, dictionary_);
}

bool Jieba::has_idf() const {
  const std::shared_lock lock(mutex_);
  return idf_ != nullptr;
}

void Jieba::set_idf(std::string_view bytes) {
  auto read = std::make_unique<const JiebaIdf>(bytes);
  const std::unique_lock lock(mutex_);
  idf_ = std::move(read);
}

void Jieba::set_stop_words(JiebaStopWords words) {
  const std::unique_lock lock(mutex_);
  stop_words_ = std::move(words);
}

std::vector<std::string> Jieba::tag_names() const {
  const std::shared_lock lock(mutex_);
  return dictionary_.tag_names();
}

// ---- changes -----------------------------------------------------------------------------------------------------

void Jieba::add(std::u32string_view word, std::int64_t count) {
  const std::unique_lock lock(mutex_);
  dictionary_.add(word, count);
  if (count == 0) hmm_.force_split(word);
}

void Jieba::set_tag(std::u32string_view word, const std::string& tag) {
  const std::unique_lock lock(mutex_);
  dictionary_.set_tag(word, tag);
}

void Jieba::set_total(std::int64_t total) {
  const std::unique_lock lock(mutex_);
  dictionary_.set_total(total);
}

void Jieba::keep_whole(std::u32string_view word, bool keep) {
  const std::unique_lock lock(mutex_);
  whole_.set_value(whole_.insert(word), keep ? 0.0 : DoubleArray::kNoWord);
  any_whole_ = true;
}

std::optional<std::int64_t> Jieba::count(std::u32string_view text) const {
  const std::shared_lock lock(mutex_);
  return dictionary_.count(text);
}

std::int64_t Jieba::total() const {
  const std::shared_lock lock(mutex_);
  return dictionary_.total();
}

std::vector<JiebaDictionary::Entry> Jieba::entries() const {
  const std::shared_lock lock(mutex_);
  return dictionary_.entries();
}

}  // namespace nlptk
