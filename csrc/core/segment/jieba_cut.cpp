#include "segment/jieba_cut.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "unicode.hpp"

namespace nlptk {
namespace {

constexpr std::array<bool, 128> ascii_set(std::string_view signs) {
  std::array<bool, 128> in{};
  for (char32_t c = 0; c < 128; ++c) in[c] = is_ascii_alnum(c);
  for (const char c : signs) in[static_cast<unsigned char>(c)] = true;
  return in;
}
constexpr auto kBlockSigns = ascii_set("+#&._%-"), kPossegSigns = ascii_set("+#&._");

}  // namespace

bool is_jieba_block(char32_t c) { return is_jieba_han(c) || (c < 128 && kBlockSigns[c]); }
bool is_posseg_block(char32_t c) { return is_jieba_han(c) || (c < 128 && kPossegSigns[c]); }

void JiebaWorkspace::prepare(const TextSpan& span) {
  if (span.length > 0x7FFFFFFF) throw std::invalid_argument("a text of 2^31 characters or more is too long: split it");
  const std::size_t size = span.length + 1;
  if (text.size() > kKeptLength && size <= kKeptLength) *this = JiebaWorkspace();
  if (text.size() < size) {
    text.resize(size);
    codes.resize(size);
    scores.resize(size);
    nexts.resize(size);
  }
  widen(span, text.data());
}

// Best sums from right to left. Following the trie from a character visits its words by length, so no graph is kept.
void JiebaCutter::best_path(std::size_t begin, std::size_t end, JiebaWorkspace& workspace) const {
  const Alphabet& alphabet = dictionary_.trie().alphabet();
  const DoubleArray::Node* const nodes = dictionary_.trie().nodes();
  const double log_total = dictionary_.log_total();
  const char32_t* const text = workspace.text.data();
  std::uint16_t* const codes = workspace.codes.data();
  double* const scores = workspace.scores.data();
  std::uint32_t* const nexts = workspace.nexts.data();

  for (std::size_t i = begin; i < end; ++i) codes[i] = alphabet.code(text[i]);
  codes[end] = 0;  // no child: ends every walk
  scores[end] = 0;
  // In stretches, so that there is no call in the inner loop.
  for (std::size_t stop = end, low = begin; stop > begin; stop = low) {
    low = stop - begin > kCharsPerPoll ? stop - kCharsPerPoll : begin;
    for (std::size_t start = stop; start-- > low;) {
      // The second step is the one that misses the cache; four characters ahead it is there in time.
      if (start >= begin + 4) __builtin_prefetch(nodes + nodes[codes[start - 4]].base + codes[start - 3]);
      double best = DoubleArray::kNoWord;
      std::size_t next = start + 1, at = start;
      std::uint32_t parent = DoubleArray::kRoot, slot = codes[start];
      while (nodes[slot].check == parent) {
        const DoubleArray::Node& node = nodes[slot];
        ++at;
        const double score = node.value - log_total + scores[at];
        if (score >= best) {  // a tie goes to the longer word
          best = score;
          next = at;
        }
        parent = slot;
        slot = node.base + codes[at];
      }
      if (best == DoubleArray::kNoWord) {  // no word begins here: a count of 1 is assumed for the character
        best = 0.0 - log_total + scores[start + 1];
        next = start + 1;
      }
      scores[start] = best;
      nexts[start] = static_cast<std::uint32_t>(next);
    }
    if (low > begin) poll_interrupt();
  }
}

std::uint32_t JiebaCutter::node_of(std::size_t begin, std::size_t end, const JiebaWorkspace& workspace) const {
  std::uint32_t node = DoubleArray::kRoot;
  for (; begin < end; ++begin) {
    const std::uint16_t code = workspace.codes[begin];
    if (code == 0 || (node = dictionary_.trie().child(node, code)) == DoubleArray::kNone) return DoubleArray::kNone;
  }
  return node;
}

// ---- accurate mode -----------------------------------------------------------------------------------------------

void JiebaCutter::cut_block(bool use_hmm, std::size_t begin, std::size_t end, JiebaWorkspace& workspace,
                            JiebaWords& words) const {
  best_path(begin, end, workspace);
  std::size_t held = begin;  // [held, at): single characters not yet given out
  for (std::size_t at = begin; at < end;) {
    const std::size_t next = workspace.nexts[at];
    const bool single = next == at + 1;
    if (single && (use_hmm || is_ascii_alnum(workspace.text[at]))) {
      at = next;
      continue;
    }
    if (use_hmm) {
      cut_singles(held, at, workspace, words);
    } else if (held < at) {
      words.add(held, at);
    }
    words.add(at, next);
    held = at = next;
  }
  if (use_hmm) {
    cut_singles(held, end, workspace, words);
  } else if (held < end) {
    words.add(held, end);
  }
}

void JiebaCutter::cut_singles(std::size_t begin, std::size_t end, JiebaWorkspace& workspace, JiebaWords& words) const {
  if (end - begin < 2 || dictionary_.is_word(node_of(begin, end, workspace))) {
    for (; begin < end; ++begin) words.add(begin, begin + 1);
  } else {
    hmm_.cut(workspace.text.data(), begin, end, workspace.states,
             [&](std::size_t start, std::size_t stop) { words.add(start, stop); });
  }
}

// ---- search and full mode ----------------------------------------------------------------------------------------

// Puts the dictionary's two- and three-character words inside each word from `first` on before that word.
void JiebaCutter::add_grams(std::size_t first, JiebaWorkspace& workspace, JiebaWords& words) const {
  const JiebaWords whole{{words.starts.begin() + static_cast<std::ptrdiff_t>(first), words.starts.end()},
                         {words.ends.begin() + static_cast<std::ptrdiff_t>(first), words.ends.end()},
                         {}};
  words.starts.resize(first);
  words.ends.resize(first);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (i % kCharsPerPoll == 0) poll_interrupt();
    const auto start = static_cast<std::size_t>(whole.starts[i]), end = static_cast<std::size_t>(whole.ends[i]);
    for (std::size_t width = 2; width <= 3 && width < end - start; ++width) {
      for (std::size_t at = start; at + width <= end; ++at) {
        if (dictionary_.is_word(dictionary_.trie().find({workspace.text.data() + at, width}))) words.add(at, at + width);
      }
    }
    words.add(start, end);
  }
}

// jieba's __cut_all, whose runs of letters and digits ("eng_buf") are given out late and may skip characters.
void JiebaCutter::cut_full(std::size_t begin, std::size_t end, JiebaWorkspace& workspace, JiebaWords& words) const {
  const DoubleArray& trie = dictionary_.trie();
  const char32_t* const text = workspace.text.data();
  std::vector<std::pair<std::size_t, std::size_t>> run;  // the pieces of eng_buf
  std::vector<std::size_t> stops;                        // where the words from here end
  std::size_t covered = begin;                           // behind the last word given out
  const auto give_run = [&] {
    if (run.empty()) return;
    bool together = true;
    for (std::size_t i = 1; i < run.size(); ++i) together = together && run[i - 1].second == run[i].first;
    if (!together) {
      std::u32string glued;
      for (const auto& [from, to] : run) glued.append(text + from, text + to);
      words.glued.emplace_back(words.size(), std::move(glued));
    }
    words.add(run.front().first, run.back().second);
    run.clear();
  };
  for (std::size_t at = begin; at < end; ++at) {
    if (at % kCharsPerPoll == 0) poll_interrupt();
    if (!is_ascii_alnum(text[at])) give_run();
    stops.clear();
    std::uint32_t node = DoubleArray::kRoot;
    for (std::size_t stop = at; stop < end; ++stop) {
      const std::uint16_t code = trie.alphabet().code(text[stop]);
      if (code == 0 || (node = trie.child(node, code)) == DoubleArray::kNone) break;
      if (dictionary_.is_word(node)) stops.push_back(stop + 1);
    }
    if (stops.empty()) stops.push_back(at + 1);
    if (stops.size() == 1 && at >= covered) {
      if (is_ascii_alnum(text[at])) {
        run.emplace_back(at, stops[0]);
      } else {
        words.add(at, stops[0]);
      }
      covered = stops[0];
      continue;
    }
    for (const std::size_t stop : stops) {
      if (stop == at + 1) continue;
      words.add(at, stop);
      covered = stop;
    }
  }
  give_run();
}

// ---- all of it ---------------------------------------------------------------------------------------------------

void JiebaCutter::cut(JiebaMode mode, bool use_hmm, std::size_t begin, std::size_t end, JiebaWorkspace& workspace,
                      JiebaWords& words) const {
  const char32_t* const text = workspace.text.data();
  const std::size_t first = words.size();
  const auto block = [&](std::size_t from, std::size_t to) {
    if (mode == JiebaMode::full) {
      cut_full(from, to, workspace, words);
    } else {
      cut_block(use_hmm, from, to, workspace, words);
    }
  };
  // re_skip_default splits at every white space and keeps it; full mode gives what is between as it is, "" too.
  const auto rest = [&](std::size_t from, std::size_t to) {
    std::size_t held = from;
    for (std::size_t at = from; at < to;) {
      const bool space = unicode::is_space(text[at]);
      const std::size_t next = at + (text[at] == '\r' && at + 1 < to && text[at + 1] == '\n' ? 2 : 1);
      if (mode != JiebaMode::full) {
        words.add(at, next);
      } else if (space) {
        words.add(held, at);
        words.add(at, next);
        held = next;
      }
      at = next;
    }
    if (mode == JiebaMode::full) words.add(held, to);
  };
  jieba_blocks(text, begin, end, is_jieba_block, block, rest);
  if (mode == JiebaMode::search) add_grams(first, workspace, words);
}

}  // namespace nlptk
