#include "segmenter.hpp"

#include <algorithm>

#include "unicode.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kBlock = 512;  // candidates whose keys are held at a time: they stay in the cache

const char32_t* widen_into(const TextSpan& text, std::vector<char32_t>& buffer) {
  if (buffer.size() < text.length) buffer.resize(text.length);
  widen(text, buffer.data());
  return buffer.data();
}

// Masks what cannot be, so that the path round it is the best one: no token goes across white space, a paragraph
// begins a sentence.
void force_starts(const Paragraph& paragraph, float* emissions) {
  constexpr float kNever = -1e6F;
  for (std::size_t c = 0; c < paragraph.candidates.size(); ++c)
    if (SegmentFeatures::forced(paragraph, c)) std::fill_n(emissions + c * kSegmentLabels, std::size_t{kOnly}, kNever);
  std::fill_n(emissions, std::size_t{kSentenceOnly}, kNever);
}

void label_candidates(const SegmentFeatures& features, const LinearModel& model, SegmentWorkspace& workspace) {
  Paragraph& paragraph = workspace.paragraph;
  const std::size_t count = paragraph.candidates.size();
  workspace.keys.resize(std::min(count, kBlock) * features.size());
  if (workspace.linear.emissions.size() < count * kSegmentLabels)
    workspace.linear.emissions.resize(count * kSegmentLabels);
  if (workspace.path.size() < count) workspace.path.resize(count);
  float* emissions = workspace.linear.emissions.data();
  features.atoms(paragraph);
  for (std::size_t first = 0; first < count; first += kBlock) {
    const std::size_t last = std::min(count, first + kBlock);
    features.keys(paragraph, first, last, workspace.keys.data());
    model.emissions(workspace.keys.data(), last - first, features.size(), workspace.linear,
                    emissions + first * kSegmentLabels);
  }
  force_starts(paragraph, emissions);
  viterbi(model.chain(), emissions, count, workspace.linear.chain, workspace.path.data());
}

// Tokens of text[from, to), one paragraph.
void segment_paragraph(const SegmentFeatures& features, const LinearModel& model, const char32_t* text,
                       std::size_t from, std::size_t to, SegmentWorkspace& workspace, Segments& out) {
  const Paragraph& paragraph = workspace.paragraph;
  features.scan(text, from, to, workspace.paragraph);
  label_candidates(features, model, workspace);
  for (std::size_t c = 0; c < paragraph.candidates.size(); ++c) {
    // Scores may forbid every right label: what must be a token is one all the same.
    if (!begins_token(workspace.path[c]) && !SegmentFeatures::forced(paragraph, c)) continue;
    const std::uint32_t unit = paragraph.candidates[c];
    if (c > 0) out.ends.push_back(paragraph.positions[unit - (paragraph.units[unit - 1] == U' ' ? 2 : 1)] + 1);
    out.starts.push_back(paragraph.positions[unit]);
    out.sentence_starts.push_back(c == 0 || begins_sentence(workspace.path[c]) ? 1 : 0);
  }
  out.ends.push_back(static_cast<std::int32_t>(to));
}

}  // namespace

Segments segment_text(const SegmentFeatures& features, const LinearModel& model, const TextSpan& span,
                      SegmentWorkspace& workspace) {
  const char32_t* text = widen_into(span, workspace.text);
  Segments out;
  std::size_t leading = 0;
  while (leading < span.length && unicode::is_space(text[leading])) ++leading;
  if (leading > 0) {  // white space before the first word is a token of its own
    out.starts.push_back(0);
    out.ends.push_back(static_cast<std::int32_t>(leading));
    out.sentence_starts.push_back(1);
  }
  const std::size_t first = out.starts.size();
  each_paragraph(text, span.length, [&](std::size_t from, std::size_t to) {
    segment_paragraph(features, model, text, from, to, workspace, out);
  });
  if (leading > 0 && out.starts.size() > first) out.sentence_starts[first] = 0;  // it belongs to that first sentence
  return out;
}

SegmentCandidates segment_candidates(const SegmentFeatures& features, const TextSpan& span, SegmentWorkspace& workspace) {
  const char32_t* text = widen_into(span, workspace.text);
  Paragraph& paragraph = workspace.paragraph;
  SegmentCandidates out;
  each_paragraph(text, span.length, [&](std::size_t from, std::size_t to) {
    features.scan(text, from, to, paragraph);
    const std::size_t count = paragraph.candidates.size();
    for (const std::uint32_t unit : paragraph.candidates) out.positions.push_back(paragraph.positions[unit]);
    out.keys.resize(out.keys.size() + count * features.size());
    features.atoms(paragraph);
    features.keys(paragraph, 0, count, out.keys.data() + out.keys.size() - count * features.size());
    out.paragraphs.push_back(static_cast<std::int64_t>(count));
  });
  return out;
}

std::vector<std::uint32_t> inner_split_keys(const TextSpan& span, const std::int32_t* starts, std::size_t tokens) {
  SegmentWorkspace workspace;
  const char32_t* text = widen_into(span, workspace.text);
  const SegmentFeatures plain({{}, {}, {}}, Templates({}, {0}, {}), {}, {});
  const Paragraph& paragraph = workspace.paragraph;
  std::vector<std::uint32_t> found;
  std::size_t next = 0;
  each_paragraph(text, span.length, [&](std::size_t from, std::size_t to) {
    plain.scan(text, from, to, workspace.paragraph);
    std::size_t candidate = 0;
    for (std::uint32_t u = 0; u < paragraph.units.size(); ++u) {
      while (next < tokens && starts[next] < paragraph.positions[u]) ++next;
      if (candidate < paragraph.candidates.size() && paragraph.candidates[candidate] == u) {
        ++candidate;
      } else if (next < tokens && starts[next] == paragraph.positions[u] && paragraph.rest_length[u] <= kLongestRest) {
        found.push_back(split_key(paragraph.units.data() + u, paragraph.rest_length[u]));
      }
    }
  });
  return found;
}

}  // namespace nlptk
