// The table of attributes against std::map, and scores of attribute weights against plain sums.
#include "attributes.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "check.hpp"
#include "random.hpp"

namespace {

using nlptk::AttributeTable;
using nlptk::AttributeWeights;

nlptk::NameList names_of(const std::vector<std::string>& names) {
  nlptk::NameList list;
  for (const std::string& name : names) {
    list.text += name;
    list.ends.push_back(list.text.size());
  }
  return list;
}

void names_are_numbered_as_they_come() {
  AttributeTable table;
  std::vector<std::uint32_t> ids(5);
  table.intern(names_of({"a", "", "a", std::string("\0b", 2), "\xFF"}), ids.data());
  CHECK(ids == (std::vector<std::uint32_t>{0, 1, 0, 2, 3}));
  CHECK(table.size() == 4 && table.name(2) == std::string("\0b", 2) && table.name(1).empty());
  table.find(names_of({"b", "a", "\xFF", std::string("\0", 1), ""}), ids.data());
  CHECK(ids == (std::vector<std::uint32_t>{AttributeTable::kNone, 0, 3, AttributeTable::kNone, 1}));
  CHECK(table.size() == 4);
  table.find(names_of({}), nullptr);
}

void a_large_table_is_a_map() {
  AttributeTable table;
  std::map<std::string, std::uint32_t> expected;
  nlptk::Random random(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> names(random.below(80));  // more than are looked up side by side
    for (std::string& name : names) {
      name = std::to_string(random.below(20000));
      name.append(random.below(12), 'x');
    }
    const nlptk::NameList list = names_of(names);
    std::vector<std::uint32_t> found(names.size()), ids(names.size());
    table.find(list, found.data());
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto place = expected.find(names[i]);
      CHECK(found[i] == (place == expected.end() ? AttributeTable::kNone : place->second));
    }
    table.intern(list, ids.data());
    for (std::size_t i = 0; i < names.size(); ++i)
      CHECK(ids[i] == expected.emplace(names[i], static_cast<std::uint32_t>(expected.size())).first->second);
  }
  CHECK(table.size() == expected.size() && table.size() > 10000);
  for (const auto& [name, id] : expected) CHECK(table.name(id) == name);
}

void a_part_of_a_table_is_one() {
  AttributeTable table;
  std::vector<std::uint32_t> ids(3);
  table.intern(names_of({"a", "bb", "ccc"}), ids.data());
  const std::vector<std::uint32_t> chosen{2, 0};
  const AttributeTable part = table.select(chosen.data(), 2);
  CHECK(part.size() == 2 && part.name(0) == "ccc" && part.name(1) == "a");
  part.find(names_of({"a", "bb", "ccc"}), ids.data());
  CHECK(ids == (std::vector<std::uint32_t>{1, AttributeTable::kNone, 0}));
  const std::vector<std::int64_t> offsets{0, 1, 1, 2};
  CHECK(AttributeTable("ab", offsets.data(), 3).name(2) == "b");
  CHECK(rejects([&] { AttributeTable("aa", offsets.data(), 3); }, "attribute 2 is there twice"));
}

void scores_are_sums() {
  const std::size_t attributes = 50, labels = 7, units = 1000;
  nlptk::Random random(2);
  std::vector<std::uint32_t> row_starts{0};
  std::vector<std::uint16_t> row_labels;
  std::vector<float> weights, values;
  for (std::size_t a = 0; a < attributes; ++a) {
    for (std::size_t l = 0; l < labels; ++l) {
      if (random.below(3) == 0) continue;
      row_labels.push_back(static_cast<std::uint16_t>(l));
      weights.push_back(static_cast<float>(random.below(1000)) / 64 - 8);
    }
    row_starts.push_back(static_cast<std::uint32_t>(weights.size()));
  }
  std::vector<std::int64_t> starts{0};
  std::vector<std::uint32_t> ids;
  for (std::size_t u = 0; u < units; ++u) {
    for (std::size_t n = random.below(6); n > 0; --n) {
      ids.push_back(static_cast<std::uint32_t>(random.below(attributes)));
      values.push_back(static_cast<float>(random.below(9)) / 4);
    }
    starts.push_back(static_cast<std::int64_t>(ids.size()));
  }
  const AttributeWeights model(row_starts.data(), attributes, row_labels.data(), weights.data(), weights.size(), labels);
  for (const float* given : {static_cast<const float*>(nullptr), static_cast<const float*>(values.data())}) {
    std::vector<float> expected(units * labels), one(units * labels, 9.0F), three(units * labels, 9.0F);
    for (std::size_t u = 0; u < units; ++u)
      for (auto i = static_cast<std::size_t>(starts[u]); i < static_cast<std::size_t>(starts[u + 1]); ++i)
        for (std::uint32_t p = row_starts[ids[i]]; p < row_starts[ids[i] + 1]; ++p)
          expected[u * labels + row_labels[p]] += weights[p] * (given == nullptr ? 1.0F : given[i]);
    model.emissions(starts.data(), units, ids.data(), given, 1, one.data());
    model.emissions(starts.data(), units, ids.data(), given, 3, three.data());
    CHECK(one == expected && three == expected);
  }
}

void weights_that_do_not_fit_are_refused() {
  const std::vector<std::uint32_t> starts{0, 1, 2}, falling{0, 2, 1};
  const std::vector<std::uint16_t> labels{0, 1};
  const auto make = [&](const std::vector<std::uint32_t>& rows, std::vector<float> weights, std::size_t n) {
    AttributeWeights(rows.data(), rows.size() - 1, labels.data(), weights.data(), weights.size(), n);
  };
  make(starts, {1.0F, 2.0F}, 2);
  CHECK(rejects([&] { make(starts, {1.0F, 2.0F}, 1); }, "weight 1 is for label 1 of 1"));
  CHECK(rejects([&] { make(falling, {1.0F, 2.0F}, 2); }, "row_starts"));
  CHECK(rejects([&] { make(starts, {1.0F}, 2); }, "row_starts"));
  CHECK(rejects([&] { make(starts, {std::nanf(""), 2.0F}, 2); }, "weight 0 is not finite"));
  CHECK(rejects([&] { make(starts, {1.0F, std::numeric_limits<float>::infinity()}, 2); }, "weight 1"));
}

}  // namespace

int main() {
  names_are_numbered_as_they_come();
  a_large_table_is_a_map();
  a_part_of_a_table_is_one();
  scores_are_sums();
  weights_that_do_not_fit_are_refused();
  return 0;
}
