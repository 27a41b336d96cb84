// Parameters of single units and of label paths, for methods that train one sequence at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "crf_data.hpp"

namespace nlptk {

// Indices of the chain's own parameters behind the rows.
struct ChainIndex {
  std::size_t labels, transitions, start, end;
  explicit ChainIndex(const CrfData& data)
      : labels(data.labels),
        transitions(data.row_parameters()),
        start(transitions + data.labels * data.labels),
        end(start + data.labels) {}
};

inline std::vector<std::size_t> sequence_order(const CrfData& data) {
  std::vector<std::size_t> order(data.sequences);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

// Calls f(parameter, value of its feature) for each row parameter of the unit that stands for the label.
template <class F>
void each_parameter(const CrfData& data, std::size_t unit, std::size_t label, F&& f) {
  for (std::uint32_t i = data.unit_starts[unit]; i < data.unit_starts[unit + 1]; ++i) {
    const std::size_t begin = data.unit_rows[i] & ~kDenseRow;
    if ((data.unit_rows[i] & kDenseRow) != 0) {
      if (data.label(begin + label) == label) f(begin + label, data.unit_value(i));
      continue;
    }
    for (std::size_t p = begin;; ++p) {
      if (data.label(p) == label) f(p, data.unit_value(i));
      if ((data.row_labels[p] & kLastLabel) != 0) break;
    }
  }
}

// The same for all parameters that may change of the units [first, last) under labels[last - first].
template <class F>
void each_on_path(const CrfData& data, std::size_t first, std::size_t last, const std::int32_t* labels, F&& f) {
  const ChainIndex index(data);
  const auto chain = [&](std::size_t parameter) {
    if (data.chain_free[parameter - index.transitions] != 0) f(parameter, 1.0F);
  };
  for (std::size_t u = first; u < last; ++u) {
    const auto label = static_cast<std::size_t>(labels[u - first]);
    each_parameter(data, u, label, f);
    if (u > first) chain(index.transitions + static_cast<std::size_t>(labels[u - first - 1]) * data.labels + label);
  }
  chain(index.start + static_cast<std::size_t>(labels[0]));
  chain(index.end + static_cast<std::size_t>(labels[last - first - 1]));
}

}  // namespace nlptk
