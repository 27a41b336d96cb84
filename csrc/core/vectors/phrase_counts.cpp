#include "vectors/phrase_counts.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "parallel.hpp"

namespace nlptk {

std::size_t PhraseCounts::place(std::string_view text, std::uint32_t hash) const {
  const std::size_t mask = entries_.size() - 1;
  std::size_t at = hash & mask;
  while (entries_[at].data != nullptr && (entries_[at].hash != hash || entries_[at].text() != text)) at = (at + 1) & mask;
  return at;
}

void PhraseCounts::add(std::string_view text, std::uint32_t hash, std::uint32_t first, std::uint32_t last) {
  const std::size_t at = place(text, hash);
  Entry& entry = entries_[at];
  if (entry.data == nullptr) return insert(at, {text.data(), static_cast<std::uint32_t>(text.size()), hash, first, last, 1});
  ++entry.count;
  if (first == 0 || (entry.first == first && entry.last == last)) return;
  if (entry.first == 0)
    entry.first = first, entry.last = last;
  else
    others_.emplace(text, first, last);
}

void PhraseCounts::insert(std::size_t at, const Entry& entry) {
  const char* const copy = texts_.keep(entry.text());  // before the entry, should there be no memory for it
  entries_[at] = entry;
  entries_[at].data = copy;
  if (++size_ * 4 > entries_.size() * 3) grow();
}

void PhraseCounts::grow() {
  std::vector<Entry> old(entries_.size() * 2);
  old.swap(entries_);
  const std::size_t mask = entries_.size() - 1;
  for (const Entry& entry : old) {
    if (entry.data == nullptr) continue;
    std::size_t at = entry.hash & mask;
    while (entries_[at].data != nullptr) at = (at + 1) & mask;
    entries_[at] = entry;
  }
}

void PhraseCounts::prune(std::uint64_t most) {
  PhraseCounts kept;
  for (const Entry& entry : entries_)
    if (entry.data != nullptr && entry.count > most) kept.insert(kept.place(entry.text(), entry.hash), entry);
  for (const auto& other : others_)
    if (kept.count(std::get<0>(other), hash_word(std::get<0>(other))) != 0) kept.others_.insert(other);
  *this = std::move(kept);
}

PhraseCounter::PhraseCounter(PhraseRules rules, const PhrasePasses& before, std::size_t max_types, int threads)
    : rules_(std::move(rules), {}),
      max_types_(max_types),
      threads_(resolve_threads(threads)),
      parts_(kParts) {
  for (int thread = 0; thread < threads_; ++thread) seen_.emplace_back(before);
}

void PhraseCounter::Seen::put(std::string_view text, std::uint32_t hash, std::size_t first, std::size_t last) {
  if (text.size() > 0xFFFFFFFF) throw std::invalid_argument("a word is longer than 4 GiB");
  const Header header{hash, static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(first),
                      static_cast<std::uint32_t>(last)};
  Bytes& out = parts[part_of(hash)];
  const std::size_t end = out.size + sizeof header + text.size();
  if (end > out.capacity) out.grow(end);
  std::memcpy(out.data.get() + out.size, &header, sizeof header);
  std::memcpy(out.data.get() + out.size + sizeof header, text.data(), text.size());
  out.size = end;
}

void PhraseCounter::Bytes::grow(std::size_t needed) {
  capacity = std::max(needed, 2 * capacity);
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  if (size != 0) std::memcpy(larger.get(), data.get(), size);
  data = std::move(larger);
}

void PhraseCounter::look(const std::vector<std::string_view>& sentence, Seen& seen) const {
  const std::vector<std::string_view>& words = seen.joiner.join(sentence);
  bool started = false;
  std::size_t first = 0;  // bytes of the word that the pair begins with
  std::string& joined = seen.joined;
  for (const std::string_view word : words) {
    const std::uint32_t hash = hash_word(word);
    if (rules_.connects(word, hash)) {
      if (started) joined.append(rules_.rules().delimiter).append(word);
      continue;
    }
    seen.put(word, hash, 0, 0);
    if (started) {
      joined.append(rules_.rules().delimiter).append(word);
      seen.put(joined, hash_word(joined), first, word.size());
    }
    joined = word;
    first = word.size();
    started = true;
  }
  seen.words += words.size();
}

void PhraseCounter::add_lines(std::string_view text) {
  constexpr std::size_t kRound = std::size_t{1} << 21;  // bytes before what was seen is put into the table
  std::vector<std::string_view> shares;
  for (std::size_t at = 0; at < text.size();) {
    shares.clear();
    for (const std::size_t begin = at; at < text.size() && at - begin < kRound;) shares.push_back(next_share(text, at));
    parallel_for(shares.size(), threads_, 1, [&](std::size_t share, std::size_t, int thread) {
      Seen& seen = seen_[static_cast<std::size_t>(thread)];
      for_each_sentence(shares[share], seen.sentence, [&](const auto& sentence, bool) { look(sentence, seen); });
    });
    add_seen();
  }
}

void PhraseCounter::add_sentence(const std::vector<std::string_view>& words) {
  look(words, seen_[0]);
  pending_ += words.size();
  if (pending_ > 1 << 18) add_seen();
}

void PhraseCounter::add_seen() {
  constexpr std::size_t kAhead = 16;  // how many texts ahead the table's lines are asked for
  parallel_for(kParts, threads_, 1, [&](std::size_t part, std::size_t, int) {
    PhraseCounts& counts = parts_[part];
    for (Seen& seen : seen_) {
      Bytes& bytes = seen.parts[part];
      const char* ahead = bytes.data.get();
      const char* const end = ahead + bytes.size;
      Seen::Header header;
      const auto look_ahead = [&] {
        if (ahead == end) return;
        std::memcpy(&header, ahead, sizeof header);
        counts.prefetch(header.hash);
        ahead += sizeof header + header.size;
      };
      for (std::size_t i = 0; i < kAhead; ++i) look_ahead();
      for (const char* at = bytes.data.get(); at != end; at += sizeof header + header.size) {
        look_ahead();
        std::memcpy(&header, at, sizeof header);
        counts.add({at + sizeof header, header.size}, header.hash, header.first, header.last);
      }
      bytes.size = 0;
    }
  });
  pending_ = 0;
  for (Seen& seen : seen_) words_ += std::exchange(seen.words, 0);
  if (types() > max_types_) {
    ++forgotten_;
    parallel_for(kParts, threads_, 1, [&](std::size_t part, std::size_t, int) { parts_[part].prune(forgotten_); });
  }
}

std::size_t PhraseCounter::types() const {
  std::size_t total = 0;
  for (const PhraseCounts& part : parts_) total += part.size();
  return total;
}

std::uint64_t PhraseCounter::words() const {
  std::uint64_t total = words_;
  for (const Seen& seen : seen_) total += seen.words;
  return total;
}

std::uint64_t PhraseCounter::count(std::string_view text) const {
  const std::uint32_t hash = hash_word(text);
  return parts_[part_of(hash)].count(text, hash);
}

// In the order of operations that gensim has, so that a score is the same to the last bit.
double PhraseCounter::score(std::uint64_t first, std::uint64_t last, std::uint64_t both, double types) const {
  const PhraseRules& rules = rules_.rules();
  const auto n = static_cast<double>(both);
  if (!rules.npmi) return (n - rules.min_count) / static_cast<double>(first * last) * types;
  if (n < rules.min_count) return -INFINITY;
  const auto total = static_cast<double>(words_);
  const double pa = static_cast<double>(first) / total, pb = static_cast<double>(last) / total, pab = n / total;
  return std::log(pab / (pa * pb)) / -std::log(pab);
}

PhraseTable PhraseCounter::take() {
  add_seen();
  const auto all = static_cast<double>(types());
  std::vector<std::vector<PhraseTable::Phrase>> found(kParts);
  parallel_for(kParts, threads_, 1, [&](std::size_t part, std::size_t, int) {
    parts_[part].for_each_pair([&](std::string_view text, std::uint32_t first, std::uint32_t last, std::uint64_t both) {
      if (static_cast<double>(both) < rules_.rules().min_count) return;
      const std::uint64_t a = count(text.substr(0, first)), b = count(text.substr(text.size() - last));
      if (a == 0 || b == 0) return;  // forgotten
      const double value = score(a, b, both, all);
      if (value > rules_.rules().threshold) found[part].push_back({std::string(text), first, last, value});
    });
  });
  std::vector<PhraseTable::Phrase> phrases;
  for (auto& part : found) std::move(part.begin(), part.end(), std::back_inserter(phrases));
  std::sort(phrases.begin(), phrases.end(),
            [](const auto& x, const auto& y) { return std::tie(x.text, x.first, x.last) < std::tie(y.text, y.first, y.last); });
  parts_ = std::vector<PhraseCounts>(kParts);
  words_ = forgotten_ = 0;
  return PhraseTable(rules_.rules(), std::move(phrases));
}

}  // namespace nlptk
