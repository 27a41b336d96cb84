// How often words, and words joined to the one before, occur: what phrases are found by.
//
// Threads take lines and put what they see into the buffer of the part of the table that its hash names; then threads
// take parts. So each text is kept once, whatever the threads, and what is found does not depend on them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "text_arena.hpp"
#include "vectors/phrase_table.hpp"

namespace nlptk {

// One part of the table.
class PhraseCounts {
 public:
  PhraseCounts() : entries_(std::size_t{1} << 6) {}

  std::size_t size() const { return size_; }
  void prefetch(std::uint32_t hash) const { __builtin_prefetch(&entries_[hash & (entries_.size() - 1)]); }
  // Counts a word (`first` is 0), or a pair whose words have so many bytes.
  void add(std::string_view text, std::uint32_t hash, std::uint32_t first, std::uint32_t last);
  std::uint64_t count(std::string_view text, std::uint32_t hash) const { return entries_[place(text, hash)].count; }
  // Forgets all that occurs at most `most` times.
  void prune(std::uint64_t most);
  // f(text, first, last, count) for each pair.
  template <class F>
  void for_each_pair(F&& f) const {
    for (const Entry& entry : entries_)
      if (entry.first != 0) f(entry.text(), entry.first, entry.last, entry.count);
    for (const auto& [text, first, last] : others_)
      if (const std::uint64_t n = count(text, hash_word(text))) f(std::string_view(text), first, last, n);
  }

 private:
  // Half a cache line.
  struct Entry {
    const char* data = nullptr;  // null: a free place
    std::uint32_t size = 0, hash = 0, first = 0, last = 0;
    std::uint64_t count = 0;
    std::string_view text() const { return {data, size}; }
  };
  std::size_t place(std::string_view text, std::uint32_t hash) const;
  void insert(std::size_t at, const Entry& entry);
  void grow();

  std::vector<Entry> entries_;
  std::size_t size_ = 0;
  TextArena texts_{std::size_t{1} << 16};
  // "a_b" and "c", "a" and "b_c" make one text with one count, but are two pairs: those after the first are here.
  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t>> others_;
};

class PhraseCounter {
 public:
  // About `max_types` words and pairs are kept at most: when there are more, those seen once are forgotten, the next time
  // those seen twice, and so on.
  PhraseCounter(PhraseRules rules, const PhrasePasses& before, std::size_t max_types, int threads);

  // Sentences, one a line, of words between white space. The text must be valid UTF-8.
  void add_lines(std::string_view text);
  void add_sentence(const std::vector<std::string_view>& words);
  std::size_t types() const;
  std::uint64_t words() const;
  std::uint64_t forgotten() const { return forgotten_; }  // what was seen at most so often may be forgotten
  // The phrases, sorted.
  PhraseTable take();

 private:
  static constexpr std::size_t kParts = 64;
  static constexpr std::size_t part_of(std::uint32_t hash) { return hash >> 26; }

  // Like std::string, but growing is all that an append may have to call.
  struct Bytes {
    void grow(std::size_t needed);
    std::unique_ptr<char[]> data;
    std::size_t size = 0, capacity = 0;
  };
  // What a thread has seen: for each part, headers and texts one after another.
  struct Seen {
    struct Header {
      std::uint32_t hash, size, first, last;
    };
    explicit Seen(const PhrasePasses& before) : joiner(before) {}
    void put(std::string_view text, std::uint32_t hash, std::size_t first, std::size_t last);
    std::array<Bytes, kParts> parts;
    std::uint64_t words = 0;
    PhraseJoiner joiner;
    std::vector<std::string_view> sentence;
    std::string joined;
  };
  void look(const std::vector<std::string_view>& sentence, Seen& seen) const;
  void add_seen();
  std::uint64_t count(std::string_view text) const;
  double score(std::uint64_t first, std::uint64_t last, std::uint64_t both, double types) const;

  PhraseTable rules_;  // without phrases
  std::size_t max_types_;
  int threads_;
  std::vector<Seen> seen_;  // by each thread
  std::size_t pending_ = 0;  // words of sentences that are not in the table yet
  std::vector<PhraseCounts> parts_;
  std::uint64_t words_ = 0, forgotten_ = 0;
};

}  // namespace nlptk
