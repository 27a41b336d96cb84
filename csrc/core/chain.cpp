// Prepares the tables, picks the kernels of this machine's instruction set, and runs batches over threads.
#include "chain.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "chain_exact.hpp"
#include "cpu.hpp"
#include "kernels/chain_kernel.hpp"
#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr float kNegInf = -std::numeric_limits<float>::infinity();
constexpr std::size_t kLanes = 16;  // of the widest vector; rows are padded to a multiple

float* aligned(std::vector<float>& buffer, std::size_t n) {
  if (buffer.size() < n + kLanes) buffer.resize(n + n / 2 + kLanes);
  const auto address = reinterpret_cast<std::uintptr_t>(buffer.data());
  return buffer.data() + ((64 - address % 64) % 64) / sizeof(float);
}

// The highest finite score, 0 if there is none.
float highest(const float* scores, std::size_t n) {
  const float top = n == 0 ? kNegInf : *std::max_element(scores, scores + n);
  return top == kNegInf ? 0.0f : top;
}

float scaled_exp(float score, float shift) {
  const float value = static_cast<float>(std::exp(static_cast<double>(score) - static_cast<double>(shift)));
  return value < std::numeric_limits<float>::min() ? 0.0f : value;
}

}  // namespace

struct Chain::Impl {
  std::vector<float> buffer;
  ChainTables tables{};
  double transition_shift = 0.0;
  double edge_shift = 0.0;  // of start and end together
  const ChainKernels* kernels = nullptr;
};

Chain::Chain(const ChainScores& scores) : impl_(new Impl) {
  const std::size_t n = scores.labels;
  const std::size_t stride = (n + kLanes - 1) / kLanes * kLanes;
  float* at = aligned(impl_->buffer, 4 * n * stride + 4 * stride);
  const auto take = [&at](std::size_t count, float fill) {
    float* table = at;
    at += count;
    std::fill(table, at, fill);
    return table;
  };
  float* to = take(n * stride, kNegInf);
  float* from = take(n * stride, kNegInf);
  float* exp_to = take(n * stride, 0.0f);
  float* exp_from = take(n * stride, 0.0f);
  const float shift = highest(scores.transitions, n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const float score = scores.transitions[i * n + j];
      to[i * stride + j] = from[j * stride + i] = score;
      exp_to[i * stride + j] = exp_from[j * stride + i] = scaled_exp(score, shift);
    }
  }
  impl_->transition_shift = shift;
  const auto edge = [&](const float* given, const float** plain, const float** exponential) {
    float* row = take(stride, kNegInf);
    float* exp_row = take(stride, 0.0f);
    const float top = given == nullptr ? 0.0f : highest(given, n);
    for (std::size_t j = 0; j < n; ++j) {
      row[j] = given == nullptr ? 0.0f : given[j];
      exp_row[j] = scaled_exp(row[j], top);
    }
    impl_->edge_shift += static_cast<double>(top);
    *plain = row;
    *exponential = exp_row;
  };
  ChainTables& tables = impl_->tables;
  edge(scores.start, &tables.start, &tables.exp_start);
  edge(scores.end, &tables.end, &tables.exp_end);
  tables.labels = n;
  tables.stride = stride;
  tables.to = to;
  tables.from = from;
  tables.exp_to = exp_to;
  tables.exp_from = exp_from;
  impl_->kernels = &NLPTK_DISPATCH(chain_kernels);
}

Chain::~Chain() { delete impl_; }

std::size_t Chain::labels() const { return impl_->tables.labels; }

float* ChainWorkspace::floats(std::size_t n) { return aligned(buffer_, n); }

float viterbi(const Chain& chain, const float* emissions, std::size_t length, ChainWorkspace& workspace,
              std::int32_t* path) {
  if (length == 0) return 0.0f;
  const Chain::Impl& impl = chain.impl();
  float* scratch = workspace.floats(viterbi_scratch(length, impl.tables.stride));
  return impl.kernels->viterbi(impl.tables, emissions, length, scratch, path);
}

double forward_backward(const Chain& chain, const float* emissions, std::size_t length, ChainWorkspace& workspace,
                        float* marginals, ChainExpectations* expectations) {
  if (length == 0) return 0.0;
  const Chain::Impl& impl = chain.impl();
  ChainSums sums{marginals, nullptr, nullptr, nullptr};
  if (expectations != nullptr)
    sums = ChainSums{marginals, expectations->transitions, expectations->start, expectations->end};
  float* scratch = workspace.floats(forward_backward_scratch(length, impl.tables.stride));
  ScaledSum total{};
  if (!impl.kernels->forward_backward(impl.tables, emissions, length, scratch, sums, &total))
    return forward_backward_exact(impl.tables, emissions, length, sums);
  return std::log(static_cast<double>(total.mantissa)) +
         static_cast<double>(total.exponent) * 0.69314718055994530942 + total.shift +
         static_cast<double>(length - 1) * impl.transition_shift + impl.edge_shift;
}

double log_partition(const Chain& chain, const float* emissions, std::size_t length, ChainWorkspace& workspace) {
  return forward_backward(chain, emissions, length, workspace, nullptr, nullptr);
}

std::size_t viterbi_nbest(const Chain& chain, const float* emissions, std::size_t length, std::size_t n,
                          ChainWorkspace&, std::int32_t* paths, float* scores) {
  return viterbi_nbest_lists(chain.impl().tables, emissions, length, n, paths, scores);
}

void viterbi_batch(const Chain& chain, const float* emissions, const std::int64_t* offsets, std::size_t sequences,
                   int threads, std::int32_t* paths, float* scores) {
  std::vector<ChainWorkspace> workspaces(static_cast<std::size_t>(resolve_threads(threads)));
  const std::size_t n = chain.labels();
  parallel_for(sequences, threads, 16, [&](std::size_t begin, std::size_t end, int thread) {
    for (std::size_t s = begin; s < end; ++s) {
      const auto first = static_cast<std::size_t>(offsets[s]);
      const auto length = static_cast<std::size_t>(offsets[s + 1]) - first;
      const float score = viterbi(chain, emissions + first * n, length,
                                  workspaces[static_cast<std::size_t>(thread)], paths + first);
      if (scores != nullptr) scores[s] = score;
    }
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
