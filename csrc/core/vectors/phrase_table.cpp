#include "vectors/phrase_table.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "parallel.hpp"

namespace nlptk {

PhraseTable::PhraseTable(PhraseRules rules, std::vector<Phrase> phrases)
    : rules_(std::move(rules)),
      phrases_(std::move(phrases)),
      slots_(std::bit_ceil(2 * phrases_.size() + 2)),
      connectors_(std::bit_ceil(2 * rules_.connectors.size() + 2)) {
  if (phrases_.size() >= 0xFFFFFFFF) throw std::invalid_argument("there are too many phrases");
  for (std::size_t i = 0; i < phrases_.size(); ++i) {
    const Phrase& phrase = phrases_[i];
    if (phrase.text.size() < std::uint64_t{phrase.first} + phrase.last)
      throw std::invalid_argument("a phrase is shorter than its words");
    const std::uint32_t hash = hash_word(phrase.text);
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at].index != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {hash, static_cast<std::uint32_t>(i + 1)};
  }
  for (const std::string& word : rules_.connectors) {
    std::size_t at = hash_word(word) & (connectors_.size() - 1);
    while (!connectors_[at].empty()) at = (at + 1) & (connectors_.size() - 1);
    connectors_[at] = word;
  }
}

bool PhraseTable::connects(std::string_view word, std::uint32_t hash) const {
  const std::size_t mask = connectors_.size() - 1;
  for (std::size_t at = hash & mask; !connectors_[at].empty(); at = (at + 1) & mask)
    if (connectors_[at] == word) return true;
  return false;
}

const PhraseTable::Phrase* PhraseTable::find(std::string_view text, std::size_t first, std::size_t last) const {
  const std::uint32_t hash = hash_word(text);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].index != 0; at = (at + 1) & mask) {
    if (slots_[at].hash != hash) continue;
    const Phrase& phrase = phrases_[slots_[at].index - 1];
    if (phrase.first == first && phrase.last == last && phrase.text == text) return &phrase;
  }
  return nullptr;
}

void PhraseTable::group(const std::vector<std::string_view>& words, std::vector<Group>& out, std::string& joined) const {
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  out.clear();
  std::size_t start = kNone;  // the word that a phrase may begin with; connectors may stand after it
  const auto single = [&](std::size_t end) {
    for (std::size_t i = start; i < end; ++i) out.push_back({i, i + 1, nullptr});
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (!rules_.connectors.empty() && connects(word)) {
      if (start == kNone)
        out.push_back({i, i + 1, nullptr});
      else
        joined.append(rules_.delimiter).append(word);
      continue;
    }
    if (start != kNone) {
      joined.append(rules_.delimiter).append(word);
      if (const Phrase* phrase = find(joined, words[start].size(), word.size())) {
        out.push_back({start, i + 1, phrase});
        start = kNone;
        continue;
      }
      single(i);
    }
    start = i;
    joined = word;
    if (word.empty()) out.push_back({i, i + 1, nullptr}), start = kNone;  // begins no phrase
  }
  if (start != kNone) single(words.size());
}

const std::vector<std::string_view>& PhraseJoiner::join(const std::vector<std::string_view>& words) {
  if (passes_.empty()) return words;
  words_ = words;
  for (const auto& table : passes_) {
    table->group(words_, groups_, joined_);
    // In place: a group stands no later than its words.
    for (std::size_t i = 0; i < groups_.size(); ++i)
      words_[i] = groups_[i].phrase != nullptr ? std::string_view(groups_[i].phrase->text) : words_[groups_[i].begin];
    words_.resize(groups_.size());
  }
  return words_;
}

std::string_view next_share(std::string_view text, std::size_t& at) {
  constexpr std::size_t kShare = std::size_t{1} << 17, kLongLine = 4 * kShare;
  const std::size_t begin = at;
  const std::size_t feed = text.find('\n', std::min(begin + kShare, text.size()));
  const std::size_t end = feed == std::string_view::npos ? text.size() : feed + 1;
  if (end - begin <= kLongLine) {
    at = end;
    return text.substr(begin, end - begin);
  }
  // The lines before the long one, or a part of it: it begins where the share does.
  const std::size_t before = text.substr(0, std::min(begin + kShare, text.size())).rfind('\n');
  if (before != std::string_view::npos && before >= begin) {
    at = before + 1;
  } else {
    const std::string_view line = text.substr(0, end);
    for (std::size_t words = 0; words < kMostWords && !utf8::next_word(line, at).empty(); ++words) {
    }
    std::size_t rest = at;
    if (utf8::next_word(line, rest).empty()) at = end;  // the white space after the last word, too
  }
  return text.substr(begin, at - begin);
}

std::string join_phrases(const PhrasePasses& passes, std::string_view text, int threads) {
  std::vector<std::string_view> shares;
  for (std::size_t at = 0; at < text.size();) shares.push_back(next_share(text, at));
  std::vector<std::string> parts(shares.size());
  parallel_for(shares.size(), threads, 1, [&](std::size_t share, std::size_t, int) {
    PhraseJoiner joiner(passes);
    std::vector<std::string_view> words;
    std::string& out = parts[share];
    out.reserve(shares[share].size());
    for_each_sentence(shares[share], words, [&](const auto& sentence, bool feed) {
      for (const std::string_view word : joiner.join(sentence)) {
        if (!out.empty() && out.back() != '\n') out += ' ';
        out.append(word);
      }
      if (feed) out += '\n';
    });
  });
  std::string all;
  all.reserve(text.size());
  for (const std::string& part : parts) {
    const bool within_line = !all.empty() && all.back() != '\n' && !part.empty() && part.front() != '\n';
    if (within_line) all += ' ';
    all += part;
  }
  return all;
}

}  // namespace nlptk
