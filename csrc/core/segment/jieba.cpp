#include "segment/jieba.hpp"

#include "parallel.hpp"
#include "unicode.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kGrain = 64;  // texts for each turn of a thread

// Leaves out words of white space; what leads the text becomes one token.
void as_tokens(const JiebaWorkspace& workspace, std::size_t length, JiebaWords& words) {
  const char32_t* const text = workspace.text.data();
  std::size_t lead = 0, kept = 0;
  while (lead < length && unicode::is_space(text[lead])) ++lead;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto start = static_cast<std::size_t>(words.starts[i]);
    if (start == 0 && lead > 0) {
      words.ends[kept++] = static_cast<std::int32_t>(lead);
    } else if (!unicode::is_space(text[start])) {
      words.starts[kept] = words.starts[i];
      words.ends[kept++] = words.ends[i];
    }
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

void Jieba::cut(const TextSpan& text, JiebaMode mode, bool use_hmm, JiebaWorkspace& workspace,
                JiebaWords& words) const {
  const std::shared_lock lock(mutex_);
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
