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
constexpr std::size_t kThreadsPay = 1 << 22;  // shorter vectors are done before a thread has begun

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

struct Pair {
  Vector s, y;
  double rho = 0;
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
        pseudo_(n_),
        direction_(n_),
        steps_(n_, 1.0F),
        diagonal_(options.precondition ? n_ : 0) {}

  void run(const LbfgsCallback& callback) {
    double value = evaluate(x_, gradient_, options_.precondition);
    if (!std::isfinite(value)) throw std::domain_error("the objective is not finite where the search begins");
    std::deque<double> past;
    Vector next(n_), next_gradient(n_);
    for (int iteration = 1; iteration <= options_.max_iterations; ++iteration) {
      pseudo_gradient();
      const double norm = std::sqrt(dot(pseudo_, pseudo_, threads_));
      const double size = std::sqrt(dot(x_, x_, threads_));
      if (norm <= options_.epsilon * std::max(1.0, size)) return;
      if (options_.precondition && power_of_two(iteration)) choose_steps();
      descent_direction();
      double slope = dot(direction_, pseudo_, threads_);
      if (!(slope < 0)) {  // history led uphill: start again from steepest descent
        pairs_.clear();
        descent_direction();
        slope = dot(direction_, pseudo_, threads_);
      }
      const double step = pairs_.empty() && !options_.precondition ? 1.0 / norm : 1.0;
      const double previous = value;
      const bool curved = options_.precondition && power_of_two(iteration + 1);  // it changes less and less
      if (!search(step, slope, curved, value, next, next_gradient)) {
        if (pairs_.empty()) return;  // not even steepest descent gains anything: as good as float32 gets
        pairs_.clear();
        --iteration;
        if (++restarts_ > 3) return;
        continue;
      }
      remember(next, next_gradient);
      x_.swap(next);
      gradient_.swap(next_gradient);
      const double active = sum(n_, threads_, [&](std::size_t i) { return x_[i] != 0.0F ? 1.0 : 0.0; });
      if (!callback({iteration, value, norm, static_cast<std::size_t>(active)}, x_.data())) return;
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

  // The steepest one-sided slope where |x| has a corner (OWL-QN, equation 4); the gradient itself without L1.
  void pseudo_gradient() {
    if (options_.c1 == 0) {
      pseudo_ = gradient_;
      return;
    }
    const auto c1 = static_cast<float>(options_.c1);
    each(n_, threads_, [&](std::size_t i) {
      const float g = gradient_[i];
      if (x_[i] > 0) pseudo_[i] = g + c1;
      else if (x_[i] < 0) pseudo_[i] = g - c1;
      else if (g < -c1) pseudo_[i] = g + c1;
      else if (g > c1) pseudo_[i] = g - c1;
      else pseudo_[i] = 0;
    });
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

  // Two-loop recursion on the pseudo-gradient; with L1, components that leave its orthant are cut.
  void descent_direction() {
    each(n_, threads_, [&](std::size_t i) { direction_[i] = -pseudo_[i]; });
    std::vector<double> alpha(pairs_.size());
    for (std::size_t k = pairs_.size(); k-- > 0;) {
      alpha[k] = pairs_[k].rho * dot(pairs_[k].s, direction_, threads_);
      add(direction_, -alpha[k], pairs_[k].y);
    }
    double scale = 1;
    if (!pairs_.empty()) {
      const Pair& last = pairs_.back();
      scale = 1.0 / (last.rho * sum(n_, threads_, [&](std::size_t i) {
        return static_cast<double>(last.y[i]) * static_cast<double>(last.y[i] * steps_[i]);
      }));
    }
    each(n_, threads_, [&, by = static_cast<float>(scale)](std::size_t i) { direction_[i] *= by * steps_[i]; });
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
      const double beta = pairs_[k].rho * dot(pairs_[k].y, direction_, threads_);
      add(direction_, alpha[k] - beta, pairs_[k].s);
    }
    if (options_.c1 > 0)
      each(n_, threads_, [&](std::size_t i) {
        if (direction_[i] * pseudo_[i] >= 0) direction_[i] = 0;
      });
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
      step *= trial == 0 && pairs_.empty() ? 0.1 : 0.5;
    }
    return false;
  }

  void remember(const Vector& next, const Vector& next_gradient) {
    Pair pair;
    if (static_cast<int>(pairs_.size()) == options_.memory) {
      pair = std::move(pairs_.front());
      pairs_.pop_front();
    } else {
      pair.s.resize(n_);
      pair.y.resize(n_);
    }
    each(n_, threads_, [&](std::size_t i) {
      pair.s[i] = next[i] - x_[i];
      pair.y[i] = next_gradient[i] - gradient_[i];
    });
    const double curvature = dot(pair.s, pair.y, threads_);
    if (!(curvature > 1e-12 * dot(pair.y, pair.y, threads_))) return;
    pair.rho = 1.0 / curvature;
    pairs_.push_back(std::move(pair));
  }

  void add(Vector& to, double factor, const Vector& from) {
    parallel_for(n_, threads_, kBlock, [&](std::size_t begin, std::size_t end, int) {
      vector_kernels().add_scaled(to.data() + begin, static_cast<float>(factor), from.data() + begin, end - begin);
    });
  }

  const SmoothObjective& objective_;
  Vector& x_;
  const LbfgsOptions& options_;
  std::size_t n_;
  int threads_;
  Vector gradient_, pseudo_, direction_;
  Vector steps_;     // relative size of a first step in each coordinate
  Vector diagonal_;  // of the smooth part's Hessian, where it was asked for last
  std::deque<Pair> pairs_;
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
