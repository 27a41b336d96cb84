// Segmentation of raw text: candidates labelled by their place in a token, by a linear-chain model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "linear_model.hpp"
#include "segment_features.hpp"
#include "text.hpp"

namespace nlptk {

// A candidate's place in its token: second, third, later, last; the only or first one of a token; of a sentence.
// Telling the places apart lets a first-order chain know how long a word is (Zhao et al. 2006).
enum SegmentLabel : std::int32_t { kSecond, kThird, kLater, kLast, kOnly, kFirst, kSentenceOnly, kSentenceFirst };
inline constexpr std::size_t kSegmentLabels = 8;
inline bool begins_token(std::int32_t label) { return label >= kOnly; }
inline bool begins_sentence(std::int32_t label) { return label >= kSentenceOnly; }

// Tokens of one text: sorted, disjoint, only white space between them, the first at 0.
struct Segments {
  std::vector<std::int32_t> starts, ends;
  std::vector<std::uint8_t> sentence_starts;  // 1 at the first token of each sentence
};

// Scratch memory of one thread.
struct SegmentWorkspace {
  Paragraph paragraph;
  LinearWorkspace linear;
  std::vector<char32_t> text;
  std::vector<std::uint32_t> keys;
  std::vector<std::int32_t> path;
};

// The model has kSegmentLabels labels. Whatever its scores, the tokens keep the rules above.
Segments segment_text(const SegmentFeatures& features, const LinearModel& model, const TextSpan& text,
                      SegmentWorkspace& workspace);

// The candidates of one text with their keys, for training.
struct SegmentCandidates {
  std::vector<std::int32_t> positions;   // character offset of each candidate
  std::vector<std::uint32_t> keys;       // [candidates, features.size()]
  std::vector<std::int64_t> paragraphs;  // candidates of each paragraph
};
SegmentCandidates segment_candidates(const SegmentFeatures& features, const TextSpan& text, SegmentWorkspace& workspace);

// Keys of the word rests at those of the token starts (increasing) that lie inside a run of letters or digits: what
// SegmentFeatures takes as `splits`.
std::vector<std::uint32_t> inner_split_keys(const TextSpan& text, const std::int32_t* starts, std::size_t tokens);

}  // namespace nlptk
