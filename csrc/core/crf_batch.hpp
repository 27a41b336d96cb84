// Batch training of a CRF: L-BFGS from where a few passes of SGD end, preconditioned by the objective's curvature there.
#pragma once

#include <cstdint>
#include <vector>

#include "crf_data.hpp"
#include "lbfgs.hpp"

namespace nlptk {

struct BatchOptions {
  LbfgsOptions lbfgs;
  int warm_passes = 4;     // of SGD before the first iteration; with none the search begins at zero, unpreconditioned
  std::uint64_t seed = 1;  // order of the sequences in them
};

// Minimises the objective of CrfObjective with its L1 and L2 terms. One thread or many: the same bytes.
void batch_training(const CrfData& data, std::vector<float>& parameters, const BatchOptions& options,
                    const LbfgsCallback& callback);

}  // namespace nlptk
