#include "segment/jieba_hmm.hpp"

#include <algorithm>
#include <stdexcept>

#include "parallel.hpp"

namespace nlptk {

JiebaHmm::JiebaHmm(std::string_view bytes) {
  BlobReader in(bytes);
  start_ = in.value<std::array<double, 4>>();
  transitions_ = in.value<std::array<std::array<double, 4>, 4>>();
  const auto characters = in.array<std::uint32_t>();
  const auto emissions = in.array<double>();
  if (emissions.size() != 4 * characters.size())
    throw std::invalid_argument("the compiled HMM's tables do not fit together");
  emissions_.assign(kLast - kFirst + 1, {kMinFloat, kMinFloat, kMinFloat, kMinFloat});
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (!is_jieba_han(characters[i])) continue;
    for (std::size_t s = 0; s < 4; ++s) emissions_[characters[i] - kFirst][s] = emissions[4 * i + s];
  }
}

// Each state has two possible predecessors. The sums are formed in finalseg's order, (score + transition) + emission,
// and compared after it, because beside MIN_FLOAT the smaller terms vanish and make ties. A tie goes to the later letter.
void JiebaHmm::decode(const char32_t* text, std::size_t begin, std::size_t end,
                      std::vector<std::uint8_t>& scratch) const {
  const std::size_t length = end - begin;
  if (scratch.size() < length) scratch.resize(length);
  std::array<double, 4> score = start_;
  const std::array<double, 4>& first = emissions_[text[begin] - kFirst];
  for (std::size_t s = 0; s < 4; ++s) score[s] += first[s];
  for (std::size_t i = 1; i < length;) {
    const std::size_t stop = std::min(length, i + kCharsPerPoll);
    for (; i < stop; ++i) {
      const std::array<double, 4>& emission = emissions_[text[begin + i] - kFirst];
      const double e_b = score[E] + transitions_[E][B] + emission[B], s_b = score[S] + transitions_[S][B] + emission[B];
      const double b_e = score[B] + transitions_[B][E] + emission[E], m_e = score[M] + transitions_[M][E] + emission[E];
      const double b_m = score[B] + transitions_[B][M] + emission[M], m_m = score[M] + transitions_[M][M] + emission[M];
      const double e_s = score[E] + transitions_[E][S] + emission[S], s_s = score[S] + transitions_[S][S] + emission[S];
      // One bit for each state: whether the later letter of its two predecessors won.
      const int won = (s_b >= e_b) << B | (m_e >= b_e) << E | (m_m >= b_m) << M | (s_s >= e_s) << S;
      score = {s_b >= e_b ? s_b : e_b, m_e >= b_e ? m_e : b_e, m_m >= b_m ? m_m : b_m, s_s >= e_s ? s_s : e_s};
      scratch[i] = static_cast<std::uint8_t>(won);
    }
    if (stop < length) poll_interrupt();
  }
  constexpr std::uint8_t later[4] = {S, M, M, S}, earlier[4] = {E, B, B, E};
  std::uint8_t state = score[S] >= score[E] ? S : E;
  for (std::size_t i = length; i-- > 1;) {
    const std::uint8_t won = scratch[i];
    scratch[i] = state;
    state = (won >> state & 1) != 0 ? later[state] : earlier[state];
  }
  scratch[0] = state;
}

}  // namespace nlptk
