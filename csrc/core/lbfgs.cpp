#include "lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <stdexcept>

#include "kernels/vector_kernel.hpp"
#include "parallel.hpp"

namespace nlptk {
namespace {

using Vector = std::vector<float>;
constexpr std::size_t kBlock = 1 << 15;
constexpr float kLeastCurvature = 1e-3F;  // flatter than this nothing is taken to be
constexpr std::size_t kPiece = 1 << 11;
constexpr std::size_t kThreadsPay = 1 << 18;  // shorter vectors are done before a thread has begun

// Runs f(i) over all indices by blocks in threads.
template <class F>
void each(std::size_t n, int threads, F&& f) {
  parallel_for(n, threads, kBlock, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) f(i);
  });
}

// Sum of f(i), by blocks whose sums are added in order.
template <class F>
double sum(std::size_t n, int threads, F&& f) {
  std::vector<double> blocks((n + kBlock - 1) / kBlock);
  parallel_for(n, threads, kBlock, [&](std::size_t begin, std::size_t end, int) {
    double total = 0;
    for (std::size_t i = begin; i < end; ++i) total += f(i);
    blocks[begin / kBlock] = total;
  });
  double total = 0;
  for (const double block : blocks) total += block;
  return total;
}

double dot(const Vector& a, const Vector& b, int threads) {
  std::vector<double> blocks((a.size() + kBlock - 1) / kBlock);
  parallel_for(a.size(), threads, kBlock, [&](std::size_t begin, std::size_t end, int) {
    blocks[begin / kBlock] = vector_kernels().dot(a.data() + begin, b.data() + begin, end - begin);
  });
  return std::accumulate(blocks.begin(), blocks.end(), 0.0);
}

// The last pairs of differences, and their products, so that the two-loop recursion runs on numbers and an iteration reads
// each vector twice (Chen, Wang and Zhou 2014). D stands for the relative first steps.
struct History {
  struct Pair {
    Vector s, y;
  };
  std::deque<Pair> pairs;
  std::deque<std::deque<double>> sy, ydy;  // [i][j]: s_i . y_j and y_i . D y_j
  std::vector<double> sg, ydg;             // s_i . g and y_i . D g, for the gradient g

  std::size_t size() const { return pairs.size(); }
  void drop_first() {
    pairs.pop_front();
    for (auto* products : {&sy, &ydy}) {
      products->pop_front();
      for (auto& row : *products) row.pop_front();
    }
  }
  void drop_last() {
    pairs.pop_back();
    for (auto* products : {&sy, &ydy}) {
      products->pop_back();
      for (auto& row : *products) row.pop_back();
    }
  }
  // Room for the products of a pair that was added.
  void widen() {
    for (auto* products : {&sy, &ydy}) {
      products->emplace_back();
      for (auto& row : *products) row.resize(size());
    }
  }
  void clear() {
    while (size() > 0) drop_last();
  }

  // The factors of the descent direction -(gamma D (g - sum alpha_i y_i) + sum c_i s_i).
  double recursion(std::vector<double>& alpha, std::vector<double>& c) const {
    const std::size_t k = size();
    alpha.assign(k, 0.0);
    c.assign(k, 0.0);
    if (k == 0) return 1.0;
    for (std::size_t i = k; i-- > 0;) {
      double sq = sg[i];
      for (std::size_t j = i + 1; j < k; ++j) sq -= alpha[j] * sy[i][j];
      alpha[i] = sq / sy[i][i];
    }
    const double gamma = sy[k - 1][k - 1] / ydy[k - 1][k - 1];
    for (std::size_t i = 0; i < k; ++i) {
      double yr = ydg[i];
      for (std::size_t j = 0; j < k; ++j) yr -= alpha[j] * ydy[i][j];
      yr *= gamma;
      for (std::size_t j = 0; j < i; ++j) yr += c[j] * sy[j][i];
      c[i] = alpha[i] - yr / sy[i][i];
    }
    return gamma;
  }
};

class Minimizer {
 public:
  Minimizer(const SmoothObjective& objective, Vector& x, const LbfgsOptions& options)
      : objective_(objective),
        x_(x),
        options_(options),
        n_(x.size()),
        threads_(n_ < kThreadsPay ? 1 : options.threads),
        gradient_(n_),
        pseudo_(options.c1 > 0 ? n_ : 0),
        direction_(n_),
        steps_(n_, 1.0F),
        diagonal_(options.precondition ? n_ : 0) {}

  void run(const LbfgsCallback& callback) {
    double value = evaluate(x_, gradient_, options_.precondition);
    if (!std::isfinite(value)) throw std::domain_error("the objective is not finite where the search begins");
    std::deque<double> past;
    Vector next(n_), next_gradient(n_);
    for (int iteration = 1; iteration <= options_.max_iterations; ++iteration) {
      const bool new_steps = options_.precondition && power_of_two(iteration);
      if (new_steps) choose_steps();
      measure(new_steps);
      if (norm_ <= options_.epsilon * std::max(1.0, size_)) return;
      double slope = descend();
      if (!(slope < 0)) {  // history led uphill: start again from steepest descent
        history_.clear();
        slope = descend();
      }
      const double step = history_.size() == 0 ? first_step(slope) : 1.0;
      const double previous = value;
      const bool curved = options_.precondition && power_of_two(iteration + 1);  // it changes less and less
      if (!search(step, slope, curved, value, next, next_gradient)) {
        if (history_.size() == 0) {  // not even steepest descent gains anything: as good as float32 gets
          if (iteration == 1 && norm_ > std::max(1.0, std::abs(value)))
            throw std::domain_error("no step from where the search begins makes the objective smaller");
          return;
        }
        history_.clear();
        --iteration;
        if (++restarts_ > 3) return;
        continue;
      }
      remember(next, next_gradient);
      x_.swap(next);
      gradient_.swap(next_gradient);
      const double active = sum(n_, threads_, [&](std::size_t i) { return x_[i] != 0.0F ? 1.0 : 0.0; });
      if (!callback({iteration, value, norm_, static_cast<std::size_t>(active)}, x_.data())) return;
      past.push_back(previous);
      if (static_cast<int>(past.size()) > options_.period) past.pop_front();
      if (static_cast<int>(past.size()) == options_.period && past.front() - value < options_.delta * std::abs(value)) return;
    }
  }

 private:
  static bool power_of_two(int n) { return (n & (n - 1)) == 0; }

  // The whole objective at x; `gradient` is that of its smooth part, the L2 term included.
  double evaluate(const Vector& x, Vector& gradient, bool curved) {
    double value = objective_(x.data(), gradient.data(), curved ? diagonal_.data() : nullptr);
    if (options_.c2 > 0) {
      const auto twice = static_cast<float>(2 * options_.c2);
      each(n_, threads_, [&](std::size_t i) { gradient[i] += twice * x[i]; });
      value += options_.c2 * dot(x, x, threads_);
    }
    if (options_.c1 > 0) value += options_.c1 * sum(n_, threads_, [&](std::size_t i) { return std::abs(x[i]); });
    return value;
  }

  // To the minimum along the direction, as far as the diagonal tells; without it the step has length 1.
  double first_step(double slope) const {
    if (!options_.precondition) return 1.0 / norm_;
    const double bend = sum(n_, threads_, [&](std::size_t i) {
      const auto d = static_cast<double>(direction_[i]);
      return d * d * std::max(static_cast<double>(diagonal_[i]) + 2 * options_.c2, static_cast<double>(kLeastCurvature));
    });
    return -slope / bend;
  }

  // The gradient, with L1 the pseudo-gradient.
  const Vector& slope_vector() const { return options_.c1 == 0 ? gradient_ : pseudo_; }

  // The steepest one-sided slope where |x| has a corner (OWL-QN, equation 4); the gradient itself without L1.
  void pseudo_gradient(std::size_t begin, std::size_t end) {
    const auto c1 = static_cast<float>(options_.c1);
    for (std::size_t i = begin; i < end; ++i) {
      const float g = gradient_[i];
      if (x_[i] > 0) pseudo_[i] = g + c1;
      else if (x_[i] < 0) pseudo_[i] = g - c1;
      else if (g < -c1) pseudo_[i] = g + c1;
      else if (g > c1) pseudo_[i] = g - c1;
      else pseudo_[i] = 0;
    }
  }

  // The norms of gradient and x, and the history's products with the gradient, with its last pair and, where D has
  // changed, with D: all in one pass, piece by piece, so that a piece is in the cache for all of its products.
  void measure(bool new_steps) {
    const std::size_t k = history_.size(), width = 2 + 2 * k + 2 * k + k * k;
    std::vector<double> blocks((n_ + kBlock - 1) / kBlock * width);
    parallel_for(n_, threads_, kBlock, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t at = begin; at < end; at += kPiece)
        measure_piece(at, std::min(end, at + kPiece), new_steps, blocks.data() + begin / kBlock * width);
    });
    std::vector<double> total(width);
    for (std::size_t i = 0; i < blocks.size(); ++i) total[i % width] += blocks[i];
    norm_ = std::sqrt(total[0]);
    size_ = std::sqrt(total[1]);
    const double* next = total.data() + 2;
    history_.sg.assign(next, next + k);
    history_.ydg.assign(next + k, next + 2 * k);
    next += 2 * k;
    for (std::size_t j = 0; j < k; ++j) {
      history_.sy[j][k - 1] = next[j];
      history_.sy[k - 1][j] = next[k + j];
    }
    next += 2 * k;
    for (std::size_t i = new_steps ? 0 : k - 1; i < k; ++i)
      for (std::size_t j = 0; j <= i; ++j) history_.ydy[i][j] = history_.ydy[j][i] = next[i * k + j];
  }

  void measure_piece(std::size_t begin, std::size_t end, bool new_steps, double* out) {
    const auto dot = vector_kernels().dot;
    const std::size_t k = history_.size(), n = end - begin;
    if (options_.c1 > 0) pseudo_gradient(begin, end);
    const float* const g = slope_vector().data() + begin;
    const float* const steps = steps_.data() + begin;
    float stepped[kPiece];
    out[0] += dot(g, g, n);
    out[1] += dot(x_.data() + begin, x_.data() + begin, n);
    out += 2;
    if (k == 0) return;
    const History::Pair& last = history_.pairs.back();
    for (std::size_t i = 0; i < n; ++i) stepped[i] = steps[i] * g[i];
    for (std::size_t j = 0; j < k; ++j) {
      const History::Pair& pair = history_.pairs[j];
      const float *const s = pair.s.data() + begin, *const y = pair.y.data() + begin;
      out[j] += dot(s, g, n);
      out[k + j] += dot(y, stepped, n);
      out[2 * k + j] += dot(s, last.y.data() + begin, n);
      out[3 * k + j] += dot(last.s.data() + begin, y, n);
    }
    out += 4 * k;
    for (std::size_t i = new_steps ? 0 : k - 1; i < k; ++i) {
      const float* const y = history_.pairs[i].y.data() + begin;
      for (std::size_t l = 0; l < n; ++l) stepped[l] = steps[l] * y[l];
      for (std::size_t j = 0; j <= i; ++j) out[i * k + j] += dot(history_.pairs[j].y.data() + begin, stepped, n);
    }
  }

  // Between Newton's step in each coordinate alone (exponent 1) and none of it (0): coordinates that move together, such
  // as features that imply each other, make full steps too long for some and too short for others.
  void choose_steps() {
    const auto l2 = static_cast<float>(2 * options_.c2);
    each(n_, threads_, [&](std::size_t i) {
      const float root = std::sqrt(std::max(diagonal_[i] + l2, kLeastCurvature));
      steps_[i] = 1.0F / (root * std::sqrt(root));
    });
  }

  // The descent direction; with L1, components that leave the orthant of the pseudo-gradient are cut. Returns its slope.
  double descend() {
    std::vector<double> alpha, c;
    const auto gamma = static_cast<float>(history_.recursion(alpha, c));
    const auto add = vector_kernels().add_scaled;
    const Vector& g = slope_vector();
    std::vector<double> blocks((n_ + kBlock - 1) / kBlock);
    parallel_for(n_, threads_, kBlock, [&](std::size_t block, std::size_t block_end, int) {
      for (std::size_t begin = block; begin < block_end; begin += kPiece) {
        const std::size_t n = std::min(kPiece, block_end - begin);
        float* const d = direction_.data() + begin;
        std::copy_n(g.data() + begin, n, d);
        for (std::size_t j = 0; j < alpha.size(); ++j)
          add(d, static_cast<float>(-alpha[j]), history_.pairs[j].y.data() + begin, n);
        for (std::size_t i = 0; i < n; ++i) d[i] *= -gamma * steps_[begin + i];
        for (std::size_t j = 0; j < c.size(); ++j) add(d, static_cast<float>(-c[j]), history_.pairs[j].s.data() + begin, n);
        if (options_.c1 > 0)
          for (std::size_t i = 0; i < n; ++i)
            if (d[i] * g[begin + i] >= 0) d[i] = 0;
        blocks[block / kBlock] += vector_kernels().dot(d, g.data() + begin, n);
      }
    });
    return std::accumulate(blocks.begin(), blocks.end(), 0.0);
  }

  // Backtracks until the objective falls enough (Armijo); with L1 the step stays in the orthant of x.
  bool search(double step, double slope, bool curved, double& value, Vector& next, Vector& next_gradient) {
    for (int trial = 0; trial < options_.max_linesearch; ++trial) {
      const auto length = static_cast<float>(step);
      each(n_, threads_, [&](std::size_t i) {
        float moved = x_[i] + length * direction_[i];
        if (options_.c1 > 0) {
          const float orthant = x_[i] != 0 ? x_[i] : -pseudo_[i];
          if (moved * orthant <= 0) moved = 0;
        }
        next[i] = moved;
      });
      const double trial_value = evaluate(next, next_gradient, curved);
      const double decrease =
          options_.c1 > 0
              ? sum(n_, threads_, [&](std::size_t i) { return static_cast<double>(next[i] - x_[i]) * pseudo_[i]; })
              : step * slope;
      if (trial_value <= value + 1e-4 * decrease && trial_value < value) {  // no for NaN: a shorter step
        value = trial_value;
        return true;
      }
      step *= trial == 0 && history_.size() == 0 ? 0.1 : 0.5;
    }
    return false;
  }

  void remember(const Vector& next, const Vector& next_gradient) {
    History::Pair pair;
    if (static_cast<int>(history_.size()) == options_.memory) {
      pair = std::move(history_.pairs.front());
      history_.drop_first();
    } else {
      pair.s.resize(n_);
      pair.y.resize(n_);
    }
    each(n_, threads_, [&](std::size_t i) {
      pair.s[i] = next[i] - x_[i];
      pair.y[i] = next_gradient[i] - gradient_[i];
    });
    if (!(dot(pair.s, pair.y, threads_) > 1e-12 * dot(pair.y, pair.y, threads_))) return;
    history_.pairs.push_back(std::move(pair));
    history_.widen();
  }

  const SmoothObjective& objective_;
  Vector& x_;
  const LbfgsOptions& options_;
  std::size_t n_;
  int threads_;
  Vector gradient_, pseudo_, direction_;
  Vector steps_;     // relative size of a first step in each coordinate
  Vector diagonal_;  // of the smooth part's Hessian, where it was asked for last
  History history_;
  double norm_ = 0, size_ = 0;  // of gradient and x
  int restarts_ = 0;
};

}  // namespace

void minimize(const SmoothObjective& objective, std::vector<float>& x, const LbfgsOptions& options,
              const LbfgsCallback& callback) {
  if (options.memory < 1 || options.period < 1)
    throw std::invalid_argument("L-BFGS needs a memory and a period of at least 1");
  Minimizer(objective, x, options).run(callback);
}

}  // namespace nlptk
