#include "segment/jieba_tagger.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <stdexcept>
#include <string>

#include "parallel.hpp"
#include "unicode.hpp"

namespace nlptk {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();
constexpr char32_t kFirst = 0x4E00, kLast = 0x9FD5;

template <class States>
bool has(const States& set, std::size_t state) {
  return (set[state / 64] >> (state % 64) & 1) != 0;
}
template <class States>
void put(States& set, std::size_t state) {
  set[state / 64] |= std::uint64_t{1} << (state % 64);
}
template <class States>
bool none(const States& set) {
  return std::all_of(set.begin(), set.end(), [](std::uint64_t word) { return word == 0; });
}
template <class States>
States both(const States& a, const States& b) {
  States out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] & b[i];
  return out;
}
// Calls visit(state) in ascending order.
template <class States, class Visit>
void each(const States& set, Visit&& visit) {
  for (std::size_t i = 0; i < set.size(); ++i) {
    for (std::uint64_t word = set[i]; word != 0; word &= word - 1)
      visit(64 * i + static_cast<std::size_t>(std::countr_zero(word)));
  }
}

bool is_number_sign(char32_t c) { return c == '.' || is_ascii_digit(c); }

}  // namespace

// ---- tables ------------------------------------------------------------------------------------------------------

JiebaTagger::JiebaTagger(std::string_view bytes, JiebaDictionary& dictionary) {
  const auto require = [](bool fits) {
    if (!fits) throw std::invalid_argument("the compiled tagger's tables do not fit together");
  };
  BlobReader in(bytes);
  places_ = in.array<char>();
  const auto names = in.array<char>();  // of the states' tags, each with a line end
  start_ = in.array<double>();
  const auto from = in.array<std::uint8_t>(), to = in.array<std::uint8_t>();
  const auto steps = in.array<double>();
  const auto letters = in.array<std::uint32_t>();
  const auto known = in.array<std::uint8_t>();
  const auto ends = in.array<std::uint32_t>();
  const auto entry_states = in.array<std::uint8_t>(), entry_allowed = in.array<std::uint8_t>();
  const auto emissions = in.array<double>();

  states_ = places_.size();
  require(states_ > 0 && states_ <= kMostStates && start_.size() == states_ && from.size() == steps.size() &&
          to.size() == steps.size() && known.size() == letters.size() && ends.size() == letters.size() &&
          entry_states.size() == emissions.size() && entry_allowed.size() == emissions.size());
  for (auto at = names.begin(); at != names.end();) {
    const auto end = std::find(at, names.end(), '\n');
    require(end != names.end());
    tags_.push_back(dictionary.tag_number(std::string(at, end)));
    at = end + 1;
  }
  require(tags_.size() == states_);
  number_tag_ = dictionary.tag_number("m");
  letter_tag_ = dictionary.tag_number("eng");

  for (std::size_t state = 0; state < states_; ++state) put(all_, state);
  transitions_.assign(states_ * states_, kNever);
  followers_.resize(states_);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    require(from[i] < states_ && to[i] < states_);
    transitions_[to[i] * states_ + from[i]] = steps[i];
    put(followers_[from[i]], to[i]);
  }
  // Then there is always a way on, so that decode need not ask.
  for (const std::uint8_t state : to) require(!none(followers_[state]));

  characters_.resize(kLast - kFirst + 1);
  std::uint32_t first = 0;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    require(ends[i] >= first && ends[i] <= emissions.size());
    Character letter{first, ends[i], known[i] != 0, {}};
    bool leads_on = known[i] == 0;
    for (std::uint32_t e = first; e < ends[i]; ++e) {
      require(entry_states[e] < states_ && (e == first || entry_states[e] > entry_states[e - 1]));
      if (entry_allowed[e] == 0) continue;
      put(letter.allowed, entry_states[e]);
      leads_on = leads_on || !none(followers_[entry_states[e]]);
    }
    require(leads_on);
    first = ends[i];
    if (is_jieba_han(letters[i])) characters_[letters[i] - kFirst] = letter;
  }
  entries_.resize(emissions.size());
  for (std::size_t e = 0; e < emissions.size(); ++e)
    entries_[e] = {entry_states[e], entry_allowed[e] != 0, emissions[e]};
}

const JiebaTagger::Character& JiebaTagger::character(char32_t c) const { return characters_[c - kFirst]; }

// ---- Viterbi -----------------------------------------------------------------------------------------------------

// posseg/viterbi.py: a character allows the states of char_state_tab that can follow, or all that can follow if there
// are none. Sums are (score + transition) + emission, compared after both additions; a tie goes to the later state.
void JiebaTagger::decode(const char32_t* text, std::size_t length, JiebaTagWorkspace& scratch) const {
  std::array<double, kMostStates> scores, next_scores;
  States present = character(text[0]).known ? character(text[0]).allowed : all_;
  scratch.steps.clear();
  scratch.bounds.assign(1, 0);
  for (std::size_t i = 0; i < length; ++i) {
    if (i % kCharsPerPoll == kCharsPerPoll - 1) poll_interrupt();
    const Character& letter = character(text[i]);
    States now = present;
    if (i > 0) {
      States expected{};
      each(present, [&](std::size_t state) {
        for (std::size_t w = 0; w < expected.size(); ++w) expected[w] |= followers_[state][w];
      });
      now = letter.known ? both(letter.allowed, expected) : expected;
      if (none(now)) now = expected;
    }
    std::uint32_t entry = letter.first;
    each(now, [&](std::size_t state) {
      while (entry < letter.last && entries_[entry].state < state) ++entry;
      const bool emitted = entry < letter.last && entries_[entry].state == state;
      const double emission = emitted ? entries_[entry].emission : JiebaHmm::kMinFloat;
      std::size_t before = 0;
      double best = kNever;
      if (i == 0) {
        best = start_[state] + emission;
      } else {
        const double* const into = transitions_.data() + state * states_;
        each(present, [&](std::size_t previous) {
          const double score = scores[previous] + into[previous] + emission;
          if (score >= best) {
            best = score;
            before = previous;
          }
        });
      }
      next_scores[state] = best;
      scratch.steps.push_back({static_cast<std::uint8_t>(state), static_cast<std::uint8_t>(before)});
    });
    scratch.bounds.push_back(scratch.steps.size());
    scores = next_scores;
    present = now;
  }
  std::size_t state = 0;
  double best = kNever;
  each(present, [&](std::size_t last) {
    if (scores[last] >= best) {
      best = scores[last];
      state = last;
    }
  });
  scratch.path.resize(length);
  for (std::size_t i = length; i-- > 0;) {
    scratch.path[i] = static_cast<std::uint8_t>(state);
    std::size_t step = scratch.bounds[i];
    while (scratch.steps[step].state != state) ++step;
    state = scratch.steps[step].before;
  }
}

// ---- words -------------------------------------------------------------------------------------------------------

// posseg's __cut_detail: Han by the HMM, runs of digits and points are "m", of letters and digits "eng", others "x".
void JiebaTagger::cut_detail(const char32_t* text, std::size_t begin, std::size_t end, JiebaTagWorkspace& scratch,
                             JiebaTagged& out) const {
  while (begin < end) {
    std::size_t stop = begin + 1;
    if (is_jieba_han(text[begin])) {
      while (stop < end && is_jieba_han(text[stop])) ++stop;
      decode(text + begin, stop - begin, scratch);
      std::size_t start = begin;
      for (std::size_t i = begin; i < stop; ++i) {
        const std::uint8_t state = scratch.path[i - begin];
        if (places_[state] != 'E' && places_[state] != 'S') continue;
        out.add(start, i + 1, tags_[state]);
        start = i + 1;
      }
      if (start < stop) out.add(start, stop, tags_[scratch.path[start - begin]]);
    } else if (is_number_sign(text[begin])) {
      while (stop < end && is_number_sign(text[stop])) ++stop;
      out.add(begin, stop, number_tag_);
    } else if (is_ascii_alnum(text[begin])) {
      while (stop < end && is_ascii_alnum(text[stop])) ++stop;
      out.add(begin, stop, letter_tag_);
    } else {
      while (stop < end && !is_jieba_han(text[stop]) && text[stop] != '.' && !is_ascii_alnum(text[stop])) ++stop;
      out.add(begin, stop, JiebaDictionary::kNoTag);
    }
    begin = stop;
  }
}

void JiebaTagger::cut_block(const JiebaDictionary& dictionary, const JiebaCutter& cutter, bool use_hmm,
                            std::size_t begin, std::size_t end, JiebaWorkspace& workspace, JiebaTagWorkspace& scratch,
                            JiebaTagged& out) const {
  cutter.best_path(begin, end, workspace);
  const auto add_word = [&](std::size_t from, std::size_t to) {
    out.add(from, to, dictionary.tag(cutter.node_of(from, to, workspace)));
  };
  // Single characters that were held back: letters and digits in one word, or all of them through the HMM.
  const auto add_singles = [&](std::size_t from, std::size_t to) {
    if (from == to) return;
    if (!use_hmm) {
      out.add(from, to, letter_tag_);
    } else if (to - from == 1 || dictionary.is_word(cutter.node_of(from, to, workspace))) {
      for (; from < to; ++from) add_word(from, from + 1);
    } else {
      cut_detail(workspace.text.data(), from, to, scratch, out);
    }
  };
  std::size_t held = begin;
  for (std::size_t at = begin; at < end;) {
    const std::size_t next = workspace.nexts[at];
    if (next == at + 1 && (use_hmm || is_ascii_alnum(workspace.text[at]))) {
      at = next;
      continue;
    }
    add_singles(held, at);
    add_word(at, next);
    held = at = next;
  }
  add_singles(held, end);
}

void JiebaTagger::cut(const JiebaDictionary& dictionary, const JiebaCutter& cutter, bool use_hmm, std::size_t begin,
                      std::size_t end, JiebaWorkspace& workspace, JiebaTagWorkspace& scratch,
                      JiebaTagged& out) const {
  const char32_t* const text = workspace.text.data();
  const auto block = [&](std::size_t from, std::size_t to) {
    cut_block(dictionary, cutter, use_hmm, from, to, workspace, scratch, out);
  };
  const auto rest = [&](std::size_t from, std::size_t to) {
    while (from < to) {
      const std::size_t next = from + (text[from] == '\r' && from + 1 < to && text[from + 1] == '\n' ? 2 : 1);
      out.add(from, next, JiebaDictionary::kNoTag);
      from = next;
    }
  };
  jieba_blocks(text, begin, end, is_posseg_block, block, rest);
}

}  // namespace nlptk
