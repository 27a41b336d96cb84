// How tables of vectors lie in memory: a row begins at 64 bytes and is filled up with zeros.
#pragma once

#include <cstddef>

namespace nlptk {

inline constexpr std::size_t kRowLanes = 16;

// Floats from one row of so many to the next.
inline std::size_t row_stride(std::size_t dim) { return (dim + kRowLanes - 1) / kRowLanes * kRowLanes; }

}  // namespace nlptk
