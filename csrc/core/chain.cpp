// Prepares the tables, picks the kernels of this machine's instruction set, and runs batches over threads.
#include "chain.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <vector>

#include "chain_exact.hpp"
#include "chain_pieces.hpp"
#include "cpu.hpp"
#include "kernels/chain_kernel.hpp"
#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr float kNegInf = -std::numeric_limits<float>::infinity();
constexpr std::size_t kLanes = 16;  // of the widest vector; rows are padded to a multiple

float* aligned(float* buffer) {
  const auto address = reinterpret_cast<std::uintptr_t>(buffer);
  return buffer + ((64 - address % 64) % 64) / sizeof(float);
}

// The highest finite score, 0 if there is none.
float highest(const float* scores, std::size_t n) {
  const float top = n == 0 ? kNegInf : *std::max_element(scores, scores + n);
  return top == kNegInf ? 0.0f : top;
}

float scaled_exp(float score, double shift) {
  const auto value = static_cast<float>(std::exp(static_cast<double>(score) - shift));
  return value < std::numeric_limits<float>::min() ? 0.0f : value;
}

// What a thread needs for batches of Viterbi.
struct Scratch {
  ChainWorkspace workspace;
  std::vector<ChainItem> items;
};

// Where the sequences' scores come from: a row for each position, or for each word where `words` is given.
struct Emissions {
  const float* rows;
  const std::int32_t* words;
};

constexpr std::size_t kKeptFloats = std::size_t{1} << 22;  // 16 MiB

// Sequences that one thread takes at a time: enough to find some of like length, well under a second of work, and
// some for every thread where starting it (some 50 us) pays.
std::size_t batch_grain(std::size_t sequences, std::size_t positions, std::size_t labels, int threads) {
  const double pairs = static_cast<double>(positions) * static_cast<double>(labels * labels + 64);
  const double average = std::max(1.0, pairs / static_cast<double>(std::max<std::size_t>(sequences, 1)));
  const auto longest = static_cast<std::size_t>(std::min(5e8 / average, 256.0));
  const auto shortest = static_cast<std::size_t>(std::min(1e7 / average, 256.0));
  const std::size_t fair = sequences / (2 * static_cast<std::size_t>(resolve_threads(threads)));
  return std::max<std::size_t>({1, std::min(longest, std::max({shortest, fair, kChainGroup}))});
}

}  // namespace

struct Chain::Impl {
  explicit Impl(const ChainScores& scores);
  // The tables with their exponentials, which Viterbi does not need.
  const ChainTables& exponentials() const;

  std::vector<float> buffer;
  ChainTables tables{};
  mutable std::vector<float> exp_buffer;
  mutable ChainTables with_exponentials{};
  double transition_shift = 0.0;
  double start_shift = 0.0;
  double end_shift = 0.0;
  mutable std::once_flag once;
  const ChainKernels* kernels = &NLPTK_DISPATCH(chain_kernels);
};

Chain::Impl::Impl(const ChainScores& scores) {
  const std::size_t n = scores.labels;
  const std::size_t stride = (n + kLanes - 1) / kLanes * kLanes;
  buffer.assign(2 * (n + 1) * stride + kLanes, kNegInf);
  float* to = aligned(buffer.data());
  float* from = to + n * stride;
  float* start = from + n * stride;
  float* end = start + stride;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      to[i * stride + j] = from[j * stride + i] = scores.transitions[i * n + j];
  for (std::size_t j = 0; j < n; ++j) {
    start[j] = scores.start == nullptr ? 0.0f : scores.start[j];
    end[j] = scores.end == nullptr ? 0.0f : scores.end[j];
  }
  transition_shift = highest(scores.transitions, n * n);
  start_shift = highest(start, n);
  end_shift = highest(end, n);
  tables = ChainTables{n, stride, to, from, start, end, nullptr, nullptr, nullptr, nullptr};
}

const ChainTables& Chain::Impl::exponentials() const {
  std::call_once(once, [this] {
    const std::size_t n = tables.labels;
    const std::size_t stride = tables.stride;
    exp_buffer.assign(2 * (n + 1) * stride + kLanes, 0.0f);
    float* to = aligned(exp_buffer.data());
    float* from = to + n * stride;
    float* start = from + n * stride;
    float* end = start + stride;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        to[i * stride + j] = from[j * stride + i] = scaled_exp(tables.to[i * stride + j], transition_shift);
    for (std::size_t j = 0; j < n; ++j) {
      start[j] = scaled_exp(tables.start[j], start_shift);
      end[j] = scaled_exp(tables.end[j], end_shift);
    }
    with_exponentials = tables;
    with_exponentials.exp_to = to;
    with_exponentials.exp_from = from;
    with_exponentials.exp_start = start;
    with_exponentials.exp_end = end;
  });
  return with_exponentials;
}

Chain::Chain(const ChainScores& scores) : impl_(new Impl(scores)) {}

Chain::~Chain() { delete impl_; }

std::size_t Chain::labels() const { return impl_->tables.labels; }

float* ChainWorkspace::floats(std::size_t n) {
  if (size_ < n + kLanes) {
    size_ = n + n / 2 + kLanes;
    buffer_.reset();  // its contents are not wanted: give the memory back before asking for more
    buffer_.reset(new float[size_]);
  }
  return aligned(buffer_.get());
}

std::size_t first_unusable(const float* scores, std::size_t n) {
  return NLPTK_DISPATCH(chain_kernels).first_unusable(scores, n);
}

float viterbi(const Chain& chain, const float* emissions, std::size_t length, ChainWorkspace& workspace,
              std::int32_t* path) {
  if (length == 0) return 0.0f;
  const Chain::Impl& impl = chain.impl();
  float* scratch = workspace.floats(viterbi_scratch(length, impl.tables.stride));
  return impl.kernels->viterbi(impl.tables, emissions, length, scratch, path);
}

void ChainWorkspace::shrink(std::size_t n) {
  if (size_ <= n) return;
  buffer_.reset();
  size_ = 0;
}

double forward_backward(const Chain& chain, const float* emissions, std::size_t length, ChainWorkspace& workspace,
                        float* marginals, ChainExpectations* expectations) {
  if (length == 0) return 0.0;
  const Chain::Impl& impl = chain.impl();
  ChainSums sums{marginals, nullptr, nullptr, nullptr};
  if (expectations != nullptr)
    sums = ChainSums{marginals, expectations->transitions, expectations->start, expectations->end};
  const ChainTables& tables = impl.exponentials();
  float* scratch = workspace.floats(forward_backward_scratch(length, tables.stride));
  ScaledSum total{};
  if (!impl.kernels->forward_backward(tables, emissions, length, scratch, sums, &total))
    return forward_backward_exact(tables, emissions, length, sums);
  return std::log(static_cast<double>(total.mantissa)) +
         static_cast<double>(total.exponent) * 0.69314718055994530942 + total.shift +
         static_cast<double>(length - 1) * impl.transition_shift + impl.start_shift + impl.end_shift;
}

double log_partition(const Chain& chain, const float* emissions, std::size_t length, ChainWorkspace& workspace) {
  return forward_backward(chain, emissions, length, workspace, nullptr, nullptr);
}

std::size_t viterbi_nbest(const Chain& chain, const float* emissions, std::size_t length, std::size_t n,
                          ChainWorkspace&, std::int32_t* paths, float* scores) {
  return viterbi_nbest_lists(chain.impl().tables, emissions, length, n, paths, scores);
}

namespace {

// See viterbi_sequences; `words` are those from offsets[0] on.
void decode_sequences(const Chain::Impl& impl, const Emissions& emissions, const std::int64_t* offsets,
                      std::size_t sequences, std::int32_t* paths, float* scores) {
  // Kept by the thread: fresh memory for each small batch would cost more in page faults than the decoding.
  thread_local Scratch mine;
  mine.items.clear();
  for (std::size_t s = 0; s < sequences; ++s) {
    const auto first = static_cast<std::size_t>(offsets[s] - offsets[0]);
    const auto length = static_cast<std::size_t>(offsets[s + 1] - offsets[s]);
    float* score = scores == nullptr ? nullptr : scores + s;
    if (emissions.words != nullptr && length >= kSplitLength) {
      viterbi_in_pieces(impl.tables, *impl.kernels, emissions.rows, emissions.words + first, length, mine.workspace,
                        paths + first);
    } else if (length > 0 && emissions.words != nullptr) {
      mine.items.push_back({emissions.rows, length, paths + first, score, emissions.words + first});
    } else if (length > 0) {
      mine.items.push_back({emissions.rows + first * impl.tables.labels, length, paths + first, score});
    } else if (score != nullptr) {
      *score = 0.0f;
    }
  }
  const bool rescaled = emissions.words != nullptr;
  // Sequences of like length go together.
  std::sort(mine.items.begin(), mine.items.end(),
            [](const ChainItem& a, const ChainItem& b) { return a.length > b.length; });
  for (std::size_t k = 0; k < mine.items.size(); k += kChainGroup) {
    const ChainItem* group = mine.items.data() + k;
    float* floats = mine.workspace.floats(viterbi_group_scratch(group->length, impl.tables.stride));
    impl.kernels->viterbi_group(impl.tables, group, std::min(kChainGroup, mine.items.size() - k), rescaled, floats);
  }
  mine.workspace.shrink(kKeptFloats);
}

}  // namespace

void viterbi_sequences(const Chain& chain, const float* emissions, const std::int64_t* offsets, std::size_t sequences,
                       std::int32_t* paths, float* scores) {
  decode_sequences(chain.impl(), {emissions, nullptr}, offsets, sequences, paths, scores);
}

void viterbi_batch(const Chain& chain, const float* emissions, const std::int64_t* offsets, std::size_t sequences,
                   int threads, std::int32_t* paths, float* scores) {
  const std::size_t n = chain.labels();
  const auto positions = sequences == 0 ? std::size_t{0} : static_cast<std::size_t>(offsets[sequences]);
  const std::size_t grain = batch_grain(sequences, positions, n, threads);
  parallel_for(sequences, threads, grain, [&](std::size_t begin, std::size_t end, int) {
    const auto first = static_cast<std::size_t>(offsets[begin]);
    viterbi_sequences(chain, emissions + first * n, offsets + begin, end - begin, paths + first,
                      scores == nullptr ? nullptr : scores + begin);
  });
}

void viterbi_words(const Chain& chain, const float* emissions, const std::int32_t* words, const std::int64_t* offsets,
                   std::size_t sequences, int threads, std::int32_t* paths) {
  const auto positions = sequences == 0 ? std::size_t{0} : static_cast<std::size_t>(offsets[sequences]);
  const std::size_t grain = batch_grain(sequences, positions, chain.labels(), threads);
  parallel_for(sequences, threads, grain, [&](std::size_t begin, std::size_t end, int) {
    const std::int64_t first = offsets[begin];
    decode_sequences(chain.impl(), {emissions, words + first}, offsets + begin, end - begin, paths + first, nullptr);
  });
}

double max_add_peak(double seconds) {
  using Clock = std::chrono::steady_clock;
  const ChainKernels& kernels = NLPTK_DISPATCH(chain_kernels);
  const auto elapsed = [](Clock::time_point since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
  };
  double best = 0.0;
  InterruptPoll poll;
  for (const auto begin = Clock::now(); best == 0.0 || elapsed(begin) < seconds; poll()) {
    const auto start = Clock::now();
    const std::size_t count = kernels.max_adds(20000);
    best = std::max(best, static_cast<double>(count) / elapsed(start));
  }
  return best;
}

}  // namespace nlptk
