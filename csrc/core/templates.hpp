// Declarative feature templates: each is a conjunction of atoms, an atom is a column of a table at an offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hash.hpp"

namespace nlptk {

// An atom that a unit does not have (prefix:4 of a word of two letters): templates that use it give no feature.
inline constexpr std::uint64_t kAbsent = 0;

// Atom values of the units (tokens, characters, runs) of one sequence, row-major.
struct AtomTable {
  const std::uint64_t* values = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
};

struct TemplateElement {
  std::uint32_t table = 0;
  std::uint32_t column = 0;
  std::int32_t offset = 0;
};

class Templates {
 public:
  Templates() = default;
  // elements[first[k] .. first[k + 1]) belong to template k; seeds[k] keeps its features apart from the others'.
  Templates(std::vector<TemplateElement> elements, std::vector<std::uint32_t> first,
            std::vector<std::uint64_t> seeds);

  std::size_t size() const { return seeds_.size(); }
  const std::vector<TemplateElement>& elements() const { return elements_; }
  std::span<const TemplateElement> elements(std::size_t k) const {
    return {elements_.data() + first_[k], elements_.data() + first_[k + 1]};
  }
  std::uint64_t seed(std::size_t k) const { return seeds_[k]; }

  // Keys of all templates for the unit at row base[table] of each table, into keys[size()].
  void keys(const AtomTable* tables, const std::size_t* base, std::uint32_t* keys) const {
    for (std::size_t k = 0; k < seeds_.size(); ++k) {
      std::uint64_t h = seeds_[k];
      bool present = true;
      for (std::uint32_t e = first_[k]; e < first_[k + 1]; ++e) {
        const std::uint64_t value = lookup(elements_[e], tables, base);
        if (value == kAbsent) {
          present = false;
          break;
        }
        h = hash_step(h, value);
      }
      keys[k] = present ? feature_key(h) : 0;
    }
  }

 private:
  // Before the first and after the last row stand marks that tell how far outside they are.
  static std::uint64_t lookup(const TemplateElement& element, const AtomTable* tables, const std::size_t* base) {
    const AtomTable& table = tables[element.table];
    const auto row = static_cast<std::ptrdiff_t>(base[element.table]) + element.offset;
    if (row < 0) return 0x424F53ULL + static_cast<std::uint64_t>(-row) * 0x1000000ULL;
    if (row >= static_cast<std::ptrdiff_t>(table.rows))
      return 0x454F53ULL + static_cast<std::uint64_t>(row - static_cast<std::ptrdiff_t>(table.rows) + 1) * 0x1000000ULL;
    return table.values[static_cast<std::size_t>(row) * table.columns + element.column];
  }

  std::vector<TemplateElement> elements_;
  std::vector<std::uint32_t> first_;
  std::vector<std::uint64_t> seeds_;
};

}  // namespace nlptk
