// The methods that learn from wrong best paths only: averaged perceptron, passive-aggressive, AROW.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "chain.hpp"
#include "crf_online.hpp"
#include "crf_paths.hpp"
#include "parallel.hpp"
#include "random.hpp"

namespace nlptk {
namespace {

// A sequence whose best path is wrong.
struct Mistake {
  std::size_t first, last;    // units
  const std::int32_t* gold;   // [last - first]
  const std::int32_t* found;  // [last - first]
  std::size_t misses;         // units whose label is wrong
};

class Decoder {
 public:
  Decoder(const CrfData& data, const std::vector<float>& w) : data_(data), w_(w), index_(data), sums_(data.padded) {}

  // The best path of units [first, last), which are not none.
  Mistake operator()(std::size_t first, std::size_t last) {
    emissions_.resize((last - first) * data_.labels);
    path_.resize(last - first);
    for (std::size_t u = first; u < last; ++u)
      data_.emissions(w_.data(), u, sums_.data(), emissions_.data() + (u - first) * data_.labels);
    const Chain chain(ChainScores{data_.labels, w_.data() + index_.transitions, w_.data() + index_.start,
                                  w_.data() + index_.end});
    viterbi(chain, emissions_.data(), last - first, workspace_, path_.data());
    std::size_t misses = 0;
    for (std::size_t u = first; u < last; ++u) misses += path_[u - first] != data_.gold[u] ? 1 : 0;
    return {first, last, data_.gold.data() + first, path_.data(), misses};
  }

 private:
  const CrfData& data_;
  const std::vector<float>& w_;
  ChainIndex index_;
  std::vector<float> sums_, emissions_;
  std::vector<std::int32_t> path_;
  ChainWorkspace workspace_;
};

// Features of the gold path less those of the best path, by parameter.
class Difference {
 public:
  explicit Difference(const CrfData& data) : data_(data), values_(data.parameters()), touched_(data.parameters()) {}

  void set(const Mistake& m) {
    for (const std::size_t p : parameters_) values_[p] = touched_[p] = 0;
    parameters_.clear();
    add(m, m.gold, 1.0);
    add(m, m.found, -1.0);
  }
  const std::vector<std::size_t>& parameters() const { return parameters_; }  // each once
  double operator[](std::size_t parameter) const { return values_[parameter]; }

  // By how much the best path scores higher than the gold one.
  double margin(const std::vector<float>& w) const {
    double sum = 0;
    for (const std::size_t p : parameters_) sum -= values_[p] * static_cast<double>(w[p]);
    return std::max(0.0, sum);  // rounding only can take it below
  }

 private:
  void add(const Mistake& m, const std::int32_t* labels, double sign) {
    each_on_path(data_, m.first, m.last, labels, [&](std::size_t p, float value) {
      values_[p] += sign * static_cast<double>(value);
      if (touched_[p] == 0) parameters_.push_back(p);
      touched_[p] = 1;
    });
  }

  const CrfData& data_;
  std::vector<double> values_;
  std::vector<std::uint8_t> touched_;
  std::vector<std::size_t> parameters_;
};

// The mean of the weights over all steps, from the updates alone.
class Average {
 public:
  explicit Average(std::size_t parameters) : weighted_(parameters), mean_(parameters) {}

  void update(std::size_t parameter, double by) { weighted_[parameter] += step_ * by; }
  void next() { step_ += 1; }
  const std::vector<float>& of(const std::vector<float>& w) {
    for (std::size_t p = 0; p < w.size(); ++p)
      mean_[p] = static_cast<float>(static_cast<double>(w[p]) - weighted_[p] / step_);
    return mean_;
  }

 private:
  double step_ = 1;
  std::vector<double> weighted_;  // sum of step number times update
  std::vector<float> mean_;
};

// One pass after another over the sequences. A Learner has `double update(const Mistake&)`, which returns the loss,
// `void next()` after each sequence, `result()`, the weights to be used, and `bool done(double mean_loss)`.
template <class Learner>
void learn(const CrfData& data, std::vector<float>& w, const OnlineOptions& options, const OnlineCallback& callback,
           Learner learner) {
  Decoder decode(data, w);
  std::vector<std::size_t> order = sequence_order(data);
  Random random(options.seed);
  InterruptPoll poll;
  for (int iteration = 1; iteration <= options.max_iterations; ++iteration) {
    random.shuffle(order);
    double loss = 0;
    for (const std::size_t s : order) {
      poll();
      if (data.offsets[s] == data.offsets[s + 1]) continue;
      const Mistake found =
          decode(static_cast<std::size_t>(data.offsets[s]), static_cast<std::size_t>(data.offsets[s + 1]));
      if (found.misses > 0) loss += learner.update(found);
      learner.next();
    }
    if (!callback({iteration, loss}, learner.result().data())) break;
    if (learner.done(loss / static_cast<double>(std::max<std::size_t>(1, data.sequences)))) break;
  }
  w = std::vector<float>(learner.result());
}

class Perceptron {
 public:
  Perceptron(const CrfData& data, std::vector<float>& w, double epsilon)
      : data_(data), w_(w), epsilon_(epsilon), average_(w.size()) {}

  double update(const Mistake& m) {
    add(m, m.gold, 1.0F);
    add(m, m.found, -1.0F);
    return static_cast<double>(m.misses) / static_cast<double>(m.last - m.first);
  }
  void next() { average_.next(); }
  const std::vector<float>& result() { return average_.of(w_); }
  bool done(double mean_loss) const { return mean_loss < epsilon_; }

 private:
  void add(const Mistake& m, const std::int32_t* labels, float sign) {
    each_on_path(data_, m.first, m.last, labels, [&](std::size_t p, float value) {
      w_[p] += sign * value;
      average_.update(p, static_cast<double>(sign * value));
    });
  }

  const CrfData& data_;
  std::vector<float>& w_;
  double epsilon_;
  Average average_;
};

class PassiveAggressive {
 public:
  PassiveAggressive(const CrfData& data, std::vector<float>& w, double epsilon, const PassiveAggressiveOptions& options)
      : w_(w), epsilon_(epsilon), options_(options), difference_(data), average_(options.averaging ? w.size() : 0) {}

  double update(const Mistake& m) {
    difference_.set(m);
    const double loss = difference_.margin(w_) + (options_.error_sensitive ? std::sqrt(static_cast<double>(m.misses)) : 1.0);
    double norm = 0;
    for (const std::size_t p : difference_.parameters()) norm += difference_[p] * difference_[p];
    if (norm == 0) return loss;  // no weight tells the paths apart
    const double tau = step(loss, norm);
    for (const std::size_t p : difference_.parameters()) {
      w_[p] += static_cast<float>(tau * difference_[p]);
      if (options_.averaging) average_.update(p, tau * difference_[p]);
    }
    return loss;
  }
  void next() { average_.next(); }
  const std::vector<float>& result() { return options_.averaging ? average_.of(w_) : w_; }
  bool done(double mean_loss) const { return mean_loss < epsilon_; }

 private:
  double step(double loss, double norm) const {
    if (options_.type == 1) return std::min(options_.c, loss / norm);
    if (options_.type == 2) return loss / (norm + 0.5 / options_.c);
    return loss / norm;
  }

  std::vector<float>& w_;
  double epsilon_;
  PassiveAggressiveOptions options_;
  Difference difference_;
  Average average_;
};

class Arow {
 public:
  Arow(const CrfData& data, std::vector<float>& w, double epsilon, const ArowOptions& options)
      : w_(w), epsilon_(epsilon), gamma_(options.gamma), difference_(data), variance_(w.size(), options.variance) {}

  double update(const Mistake& m) {
    difference_.set(m);
    const double loss = difference_.margin(w_) + static_cast<double>(m.misses);
    double spread = gamma_;
    for (const std::size_t p : difference_.parameters()) spread += difference_[p] * difference_[p] * variance_[p];
    for (const std::size_t p : difference_.parameters()) {
      const double d = difference_[p];
      w_[p] += static_cast<float>(loss / spread * variance_[p] * d);
      variance_[p] = 1.0 / (1.0 / variance_[p] + d * d / gamma_);
    }
    return loss;
  }
  void next() {}
  const std::vector<float>& result() const { return w_; }
  bool done(double mean_loss) const { return mean_loss <= epsilon_; }

 private:
  std::vector<float>& w_;
  double epsilon_, gamma_;
  Difference difference_;
  std::vector<double> variance_;  // of each weight
};

}  // namespace

void averaged_perceptron(const CrfData& data, std::vector<float>& w, const OnlineOptions& options,
                         const OnlineCallback& callback) {
  learn(data, w, options, callback, Perceptron(data, w, options.epsilon));
}

void passive_aggressive(const CrfData& data, std::vector<float>& w, const OnlineOptions& options,
                        const PassiveAggressiveOptions& more, const OnlineCallback& callback) {
  if (more.type < 0 || more.type > 2) throw std::invalid_argument("the type of passive-aggressive is 0, 1 or 2");
  if (!(more.c > 0)) throw std::invalid_argument("c must be above 0");
  learn(data, w, options, callback, PassiveAggressive(data, w, options.epsilon, more));
}

void arow(const CrfData& data, std::vector<float>& w, const OnlineOptions& options, const ArowOptions& more,
          const OnlineCallback& callback) {
  if (!(more.variance > 0) || !(more.gamma > 0)) throw std::invalid_argument("variance and gamma must be above 0");
  learn(data, w, options, callback, Arow(data, w, options.epsilon, more));
}

}  // namespace nlptk
