#include "crf_online.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "crf_paths.hpp"
#include "crf_sequence.hpp"
#include "parallel.hpp"
#include "random.hpp"

namespace nlptk {
namespace {

// The L2 term's share of one sequence, as a factor of w in the gradient.
double decay_rate(const CrfData& data, double c2) {
  return 2 * c2 / static_cast<double>(std::max<std::size_t>(1, data.sequences));
}

// One pass of SGD at a time over weights held as scale * v, so that L2 decay costs one multiplication.
class Sgd {
 public:
  Sgd(const CrfData& data, std::vector<float>& w, double c2)
      : data_(data), w_(w), index_(data), lambda_(decay_rate(data, c2)), sums_(data.padded), by_(data.padded) {}

  // Steps over the sequences in `order`; returns the sum of their losses as met.
  double pass(const std::vector<std::size_t>& order, double t0, double& t) {
    double loss = 0;
    for (const std::size_t s : order) {
      poll_();
      const double eta = 1.0 / (lambda_ * (t0 + t));
      loss += step(s, eta);
      t += 1;
    }
    fold();
    return loss;
  }

 private:
  double step(std::size_t s, double eta) {
    const auto first = static_cast<std::size_t>(data_.offsets[s]);
    const auto last = static_cast<std::size_t>(data_.offsets[s + 1]);
    if (first == last) return 0;
    const std::size_t labels = data_.labels;
    emissions_.resize((last - first) * labels);
    for (std::size_t u = first; u < last; ++u)
      data_.emissions(w_.data(), u, sums_.data(), emissions_.data() + (u - first) * labels);
    const double loss = gradient_(data_.path(first, last), labels, static_cast<float>(scale_),
                                  w_.data() + index_.transitions, emissions_.data());
    scale_ *= 1.0 - eta * lambda_;
    const double gain = eta / scale_;
    for (std::size_t u = first; u < last; ++u) {
      const float* const marginals = emissions_.data() + (u - first) * labels;
      for (std::size_t l = 0; l < labels; ++l) by_[l] = static_cast<float>(-gain) * marginals[l];
      by_[static_cast<std::size_t>(data_.gold[u])] += static_cast<float>(gain);
      data_.add(w_.data(), u, by_.data(), data_.unit_values, true);
    }
    for (std::size_t i = 0; i < chain_size(labels); ++i)
      if (data_.chain_free[i] != 0) w_[index_.transitions + i] -= static_cast<float>(gain * gradient_.chain()[i]);
    if (scale_ < 1e-6) fold();
    return loss;
  }

  void fold() {
    for (float& value : w_) value = static_cast<float>(value * scale_);
    scale_ = 1;
  }

  const CrfData& data_;
  std::vector<float>& w_;
  ChainIndex index_;
  double lambda_;
  double scale_ = 1;
  InterruptPoll poll_;
  SequenceGradient gradient_;
  std::vector<float> sums_, by_;  // [padded]: scores of a unit, what its rows move by
  std::vector<float> emissions_;
};

// The first step size, among powers of two about 0.1, that does best on one pass over a sample. A step of
// 1 / lambda would scale the weights to nothing, so half of that is the longest.
double calibrate(const CrfData& data, double c2, Random& random) {
  std::vector<std::size_t> sample = sequence_order(data);
  random.shuffle(sample);
  sample.resize(std::min<std::size_t>(sample.size(), 1000));
  const auto loss_with = [&](double eta) {
    std::vector<float> w(data.parameters());
    Sgd sgd(data, w, c2);
    double t = 0;
    const double loss = sgd.pass(sample, 1.0 / (decay_rate(data, c2) * eta), t);
    return std::isfinite(loss) ? loss : std::numeric_limits<double>::infinity();
  };
  const double longest = std::min(16.0, 0.5 / decay_rate(data, c2));
  double best_eta = std::min(0.1, longest);
  double best = loss_with(best_eta);
  for (const double factor : {2.0, 0.5}) {
    for (double eta = best_eta * factor; eta <= longest && eta > 1e-4; eta *= factor) {
      const double loss = loss_with(eta);
      if (!(loss < best)) break;
      best = loss;
      best_eta = eta;
    }
  }
  return best_eta;
}

}  // namespace

void stochastic_gradient(const CrfData& data, std::vector<float>& w, const OnlineOptions& options,
                         const OnlineCallback& callback) {
  Random random(options.seed);
  const double c2 = std::max(options.c2, 1e-8);
  const double eta0 = calibrate(data, c2, random);
  Sgd sgd(data, w, c2);
  const double t0 = 1.0 / (decay_rate(data, c2) * eta0);
  std::vector<std::size_t> order = sequence_order(data);
  double t = 0;
  // The mean over the ends of the later passes: single sequences that came last pull at w, but not at their mean.
  std::vector<double> total(w.size());
  std::vector<float> mean(w.size());
  int summed = 0;
  for (int iteration = 1; iteration <= options.max_iterations; ++iteration) {
    random.shuffle(order);
    double loss = sgd.pass(order, t0, t);
    for (const float value : w) loss += c2 * static_cast<double>(value) * value;
    if (2 * iteration <= options.max_iterations) {
      mean = w;
    } else {
      ++summed;
      for (std::size_t p = 0; p < w.size(); ++p) {
        total[p] += w[p];
        mean[p] = static_cast<float>(total[p] / summed);
      }
    }
    if (!callback({iteration, loss}, mean.data())) break;
  }
  w = mean;
}

}  // namespace nlptk
