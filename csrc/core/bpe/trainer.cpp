#include "bpe/trainer.hpp"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>

#include "bpe/pair_queue.hpp"
#include "utf8.hpp"
#include "parallel.hpp"

namespace nlptk {
namespace {

// The tokens so far, by id and by bytes.
class Vocabulary {
 public:
  explicit Vocabulary(std::vector<std::string>& tokens) : tokens_(tokens) {}
  // The id of the token, a new one if there is none yet.
  std::uint32_t add(const std::string& token) {
    const auto [at, fresh] = ids_.try_emplace(token, static_cast<std::uint32_t>(tokens_.size()));
    if (fresh) tokens_.push_back(token);
    return at->second;
  }

 private:
  std::vector<std::string>& tokens_;
  std::unordered_map<std::string, std::uint32_t> ids_;
};

class Training {
 public:
  Training(const BpeTrainOptions& options, BpeTrained& out) : options_(options), out_(out), vocabulary_(out.tokens) {}

  void run(WordCounts words, const std::function<void(std::size_t)>& progress) {
    if (words.size() == 0) throw std::invalid_argument("there is nothing to learn from: the training text is empty");
    for (const std::string& token : options_.special) vocabulary_.add(token);
    out_.special = out_.tokens.size();
    add_alphabet(words);
    add_marked(words);
    if (out_.tokens.size() > options_.vocab_size)
      throw std::invalid_argument("vocab_size is " + std::to_string(options_.vocab_size) + ", but the special tokens and "
                                  "the units of the text are " + std::to_string(out_.tokens.size()) +
                                  " already; ask for more, or limit the alphabet");
    fill(std::move(words));
    merge(progress);
  }

 private:
  // A unit and its place in the word: the byte or code point, and a bit for each mark that it bears.
  struct Unit {
    char32_t value;
    unsigned marks;
    std::size_t index() const { return marks * std::size_t{0x110000} + value; }
  };
  static constexpr unsigned kStart = 1, kEnd = 2;

  template <class F>
  void each_unit(std::string_view word, F&& f) {
    for (std::size_t at = 0; at < word.size();) {
      Unit unit{static_cast<std::uint8_t>(word[at]), at == 0 && options_.marks_start ? kStart : 0};
      if (options_.byte_level) {
        ++at;
      } else {
        unit.value = utf8::decode(word.data() + at);
        at += utf8::length_of(static_cast<unsigned char>(word[at]));
      }
      if (at == word.size() && options_.marks_end) unit.marks |= kEnd;
      f(unit);
    }
  }

  std::string text(const Unit& unit) const {
    std::string out;
    if (unit.marks & kStart) out += kWordStart;
    if (options_.byte_level)
      out += static_cast<char>(unit.value);
    else
      utf8::append(out, unit.value);
    if (unit.marks & kEnd) out += kWordEnd;
    return out;
  }

  void add_alphabet(const WordCounts& words) {
    std::vector<std::uint64_t> counts(0x110000, 0);
    words.for_each([&](const WordCounts::Word& word) {
      each_unit(word.text(), [&](const Unit& unit) { counts[unit.value] += word.count; });
    });
    for (const std::string& unit : options_.alphabet)
      each_unit(unit, [&](const Unit& one) { counts[one.value] = ~std::uint64_t{0}; });
    std::vector<char32_t> units;
    for (char32_t c = 0; c < 0x110000; ++c)
      if (counts[c] > 0) units.push_back(c);
    if (options_.limit_alphabet > 0 && units.size() > options_.limit_alphabet) {
      std::stable_sort(units.begin(), units.end(), [&](char32_t a, char32_t b) { return counts[a] > counts[b]; });
      units.resize(options_.limit_alphabet);
    }
    const auto rank = [&](char32_t c) {
      return options_.byte_level ? byte_rank(static_cast<std::uint8_t>(c)) : static_cast<std::uint32_t>(c);
    };
    std::sort(units.begin(), units.end(), [&](char32_t a, char32_t b) { return rank(a) < rank(b); });
    ids_.assign(std::size_t{0x110000} * (1 + kStart * options_.marks_start + kEnd * options_.marks_end), kNoToken);
    for (const char32_t c : units) ids_[c] = vocabulary_.add(text({c, 0}));
  }

  // The units with marks, which are tokens apart.
  void add_marked(const WordCounts& words) {
    if (!options_.marks_start && !options_.marks_end) return;
    std::vector<bool> seen(ids_.size(), false);
    words.for_each([&](const WordCounts::Word& word) {
      each_unit(word.text(), [&](const Unit& unit) {
        if (ids_[unit.value] != kNoToken) seen[unit.index()] = true;
      });
    });
    for (std::size_t i = 0x110000; i < seen.size(); ++i)
      if (seen[i])
        ids_[i] = vocabulary_.add(text({static_cast<char32_t>(i % 0x110000), static_cast<unsigned>(i / 0x110000)}));
  }

  void fill(WordCounts words) {
    std::vector<const WordCounts::Word*> order;
    order.reserve(words.size());
    words.for_each([&](const WordCounts::Word& word) { order.push_back(&word); });
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->count > b->count; });
    std::vector<std::uint32_t> units;
    std::size_t filled = 0;
    for (const WordCounts::Word* word : order) {
      if (++filled % 65536 == 0) poll_interrupt();
      units.clear();
      each_unit(word->text(), [&](const Unit& unit) {
        if (ids_[unit.value] != kNoToken) units.push_back(ids_[unit.index()]);
      });
      queue_.add_piece(units, word->count);
    }
  }

  void merge(const std::function<void(std::size_t)>& progress) {
    queue_.start(out_.tokens.size(), options_.vocab_size, options_.max_token_length);
    std::unordered_map<std::uint64_t, std::size_t> place;  // of a pair's merge, which may come again
    PairQueue::Best best;
    while (out_.tokens.size() < options_.vocab_size && queue_.best(best)) {
      if (static_cast<std::uint64_t>(best.count) < options_.min_frequency) break;
      const std::size_t before = out_.tokens.size();
      const std::uint32_t merged = vocabulary_.add(out_.tokens[best.left] + out_.tokens[best.right]);
      const auto [at, fresh] = place.try_emplace(PairCounts::key(best.left, best.right), out_.merges.size());
      if (!fresh) out_.merges[at->second].merged = kNoToken;  // the later of two equal merges counts
      at->second = out_.merges.size();
      out_.merges.push_back({best.left, best.right, merged});
      queue_.merge(merged, out_.tokens.size() > before);
      progress(out_.tokens.size());
    }
    std::erase_if(out_.merges, [](const BpeMerge& merge) { return merge.merged == kNoToken; });
  }

  const BpeTrainOptions& options_;
  BpeTrained& out_;
  Vocabulary vocabulary_;
  std::vector<std::uint32_t> ids_;  // by Unit::index()
  PairQueue queue_;
};

}  // namespace

std::uint32_t byte_rank(std::uint8_t byte) {
  const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
  if (printable) return byte;
  // The others follow from 256 on, in their own order.
  if (byte <= 32) return 256U + byte;
  return byte == 173 ? 256U + 33 + 34 : 256U + 33 + (byte - 127U);
}

BpeTrained bpe_train(WordCounts words, const BpeTrainOptions& options,
                     const std::function<void(std::size_t)>& progress) {
  BpeTrained trained;
  Training(options, trained).run(std::move(words), progress);
  return trained;
}

}  // namespace nlptk
