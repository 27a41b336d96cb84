// Templates from the lists that nlptk/templates.py compiles.
#pragma once

#include <tuple>
#include <vector>

#include "templates.hpp"

namespace nlptk {

using Elements = std::vector<std::vector<std::tuple<std::uint32_t, std::uint32_t, std::int32_t>>>;

inline Templates make_templates(const Elements& elements, const std::vector<std::uint64_t>& seeds) {
  std::vector<TemplateElement> flat;
  std::vector<std::uint32_t> first{0};
  for (const auto& one : elements) {
    for (const auto& [table, column, offset] : one) flat.push_back({table, column, offset});
    first.push_back(static_cast<std::uint32_t>(flat.size()));
  }
  return Templates(std::move(flat), std::move(first), seeds);
}

}  // namespace nlptk
