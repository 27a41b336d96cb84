#include "token_tagger.hpp"

#include <algorithm>
#include <map>

namespace nlptk {
namespace {

constexpr std::size_t kMemoryBytes = std::size_t{8} << 20;  // of sums, for each thread

void add(const std::int32_t* from, std::size_t n, std::int32_t* to) {
  for (std::size_t i = 0; i < n; ++i) to[i] += from[i];
}

// A list of templates as Templates takes it.
struct TemplateList {
  std::vector<TemplateElement> elements;
  std::vector<std::uint32_t> first{0};
  std::vector<std::uint64_t> seeds;

  template <class Change>
  void add(const Templates& from, std::size_t k, Change change) {
    for (TemplateElement element : from.elements(k)) elements.push_back(change(element));
    first.push_back(static_cast<std::uint32_t>(elements.size()));
    seeds.push_back(from.seed(k));
  }
  Templates make() { return Templates(std::move(elements), std::move(first), std::move(seeds)); }
};

}  // namespace

TokenTagger::TokenTagger(const TokenFeatures& features, const LinearModel& model) : features_(features), model_(model) {
  make_groups();
  for (WordGroup& group : groups_) group.outside = sums_outside(group);
  const std::size_t bytes = std::max<std::size_t>(1, groups_.size()) * model_.stride() * sizeof(std::int32_t);
  words_ = 64;
  while (words_ < 8192 && 2 * words_ * bytes <= kMemoryBytes) words_ *= 2;
}

void TokenTagger::make_groups() {
  const Templates& all = features_.templates();
  const auto told = [&](std::size_t atom) { return told_by_word(features_.atoms()[atom].atom); };
  std::map<std::int32_t, TemplateList> lists;
  std::vector<std::size_t> left;
  for (std::size_t k = 0; k < all.size(); ++k) {
    const auto elements = all.elements(k);
    const bool one_word = !elements.empty() && std::all_of(elements.begin(), elements.end(), [&](const TemplateElement& e) {
      return e.offset == elements.front().offset && told(e.column);
    });
    if (!one_word) {
      left.push_back(k);
      continue;
    }
    lists[elements.front().offset].add(all, k, [](TemplateElement e) { return TemplateElement{e.table, e.column, 0}; });
  }
  for (auto& [offset, list] : lists) groups_.push_back({offset, list.make(), {}});

  std::vector<std::size_t> used;
  for (const std::size_t k : left)
    for (const TemplateElement& e : all.elements(k))
      if (std::find(used.begin(), used.end(), e.column) == used.end()) used.push_back(e.column);
  std::stable_partition(used.begin(), used.end(), told);
  rest_word_atoms_ = static_cast<std::size_t>(std::count_if(used.begin(), used.end(), told));
  TemplateList rest;
  for (const std::size_t k : left)
    rest.add(all, k, [&](TemplateElement e) {
      const auto column = std::find(used.begin(), used.end(), e.column) - used.begin();
      return TemplateElement{e.table, static_cast<std::uint32_t>(column), e.offset};
    });
  rest_ = rest.make();
  rest_atoms_ = std::move(used);
}

std::vector<std::int32_t> TokenTagger::sums_outside(const WordGroup& group) const {
  const auto distance = static_cast<std::size_t>(std::abs(group.offset));
  std::vector<std::int32_t> sums(distance * model_.stride());
  std::vector<std::uint32_t> keys(group.templates.size());
  LinearWorkspace workspace;
  const AtomTable none{nullptr, 0, features_.atoms().size()};
  for (std::size_t d = 0; d < distance; ++d) {
    const std::size_t row = group.offset < 0 ? std::size_t{0} - (d + 1) : d;
    group.templates.keys(&none, &row, keys.data());
    model_.add_scores(keys.data(), 1, keys.size(), workspace, sums.data() + d * model_.stride());
  }
  return sums;
}

// The sums of the token's word, for each group; `place` is where it is remembered.
const std::int32_t* TokenTagger::word_sums(const TokenText& text, std::size_t token, std::size_t place,
                                           TaggerWorkspace& workspace) const {
  std::int32_t* sums = workspace.word_sums.get() + place * groups_.size() * model_.stride();
  std::uint64_t* atoms = workspace.atoms.data();
  features_.token_atoms(text.text, text.length, static_cast<std::size_t>(text.starts[token]),
                        static_cast<std::size_t>(text.ends[token]), token, text.column_values, workspace.tokens, atoms);
  for (std::size_t a = 0; a < rest_word_atoms_; ++a)
    workspace.word_atoms[place * rest_word_atoms_ + a] = atoms[rest_atoms_[a]];
  const AtomTable table{atoms, 1, features_.atoms().size()};
  const std::size_t row = 0;
  std::fill_n(sums, groups_.size() * model_.stride(), 0);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Templates& templates = groups_[g].templates;
    templates.keys(&table, &row, workspace.keys.data());
    model_.add_scores(workspace.keys.data(), 1, templates.size(), workspace.linear, sums + g * model_.stride());
  }
  return sums;
}

// Each word's sums go to the tokens that look at it.
void TokenTagger::add_words(const TokenText& text, std::size_t first, std::size_t last, TaggerWorkspace& workspace) const {
  const std::size_t tokens = last - first;
  const std::size_t stride = model_.stride();
  const std::size_t entry = groups_.size() * stride;
  for (std::size_t t = 0; t < tokens; ++t) {
    const auto start = static_cast<std::size_t>(text.starts[first + t]);
    const std::size_t length = static_cast<std::size_t>(text.ends[first + t]) - start;
    workspace.places[t] = words_;
    if (length > WordForm::kLongest) continue;
    workspace.sought[t] = WordForm(text.text + start, length);
    workspace.places[t] = workspace.sought[t].hash() & (words_ - 1);
    __builtin_prefetch(&workspace.forms[workspace.places[t]]);
    const auto* sums = reinterpret_cast<const char*>(workspace.word_sums.get() + workspace.places[t] * entry);
    for (std::size_t byte = 0; byte < entry * sizeof(std::int32_t); byte += 64) __builtin_prefetch(sums + byte);
  }
  for (std::size_t t = 0; t < tokens; ++t) {
    const std::size_t place = workspace.places[t];
    const std::int32_t* sums = workspace.word_sums.get() + place * entry;
    if (place == words_ || !(workspace.forms[place] == workspace.sought[t])) {
      sums = word_sums(text, first + t, place, workspace);
      if (place != words_) workspace.forms[place] = workspace.sought[t];
    }
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const auto target = static_cast<std::ptrdiff_t>(t) - groups_[g].offset;
      if (target >= 0 && target < static_cast<std::ptrdiff_t>(tokens))
        add(sums + g * stride, stride, workspace.sums.data() + static_cast<std::size_t>(target) * stride);
    }
    std::uint64_t* atoms = workspace.rest_atoms.data() + t * rest_atoms_.size();
    std::copy_n(workspace.word_atoms.data() + place * rest_word_atoms_, rest_word_atoms_, atoms);
    for (std::size_t a = rest_word_atoms_; a < rest_atoms_.size(); ++a)
      if (features_.atoms()[rest_atoms_[a]].atom != TokenAtom::gazetteer)
        atoms[a] = context_atom(features_.atoms()[rest_atoms_[a]], text.text, text.length,
                                static_cast<std::size_t>(text.starts[first + t]),
                                static_cast<std::size_t>(text.ends[first + t]), first + t, text.column_values);
  }
}

void TokenTagger::add_outside(std::size_t tokens, std::int32_t* sums) const {
  const std::size_t stride = model_.stride();
  for (const WordGroup& group : groups_) {
    const auto distance = static_cast<std::size_t>(std::abs(group.offset));
    for (std::size_t t = 0; t < std::min(distance, tokens); ++t) {  // from the end that the group looks over
      const std::size_t token = group.offset < 0 ? t : tokens - 1 - t;
      add(group.outside.data() + (distance - 1 - t) * stride, stride, sums + token * stride);
    }
  }
}

void TokenTagger::add_rest(std::size_t tokens, TaggerWorkspace& workspace) const {
  const AtomTable table{workspace.rest_atoms.data(), tokens, rest_atoms_.size()};
  for (std::size_t t = 0; t < tokens; ++t) rest_.keys(&table, &t, workspace.keys.data() + t * rest_.size());
  model_.add_scores(workspace.keys.data(), tokens, rest_.size(), workspace.linear, workspace.sums.data());
}

void TokenTagger::emissions(const TokenText& text, std::size_t first, std::size_t last, TaggerWorkspace& workspace,
                            float* emissions) const {
  const std::size_t tokens = last - first;
  if (workspace.places.size() < tokens) {
    workspace.places.resize(tokens);
    workspace.sought.resize(tokens);
    workspace.rest_atoms.resize(tokens * rest_atoms_.size());
    workspace.keys.resize(std::max(features_.size(), tokens * rest_.size()));
  }
  workspace.sums.assign(tokens * model_.stride(), 0);
  for (std::size_t a = rest_word_atoms_; a < rest_atoms_.size(); ++a)
    if (features_.atoms()[rest_atoms_[a]].atom == TokenAtom::gazetteer)
      features_.name_atoms(rest_atoms_[a], text.text, text.starts + first, text.ends + first, tokens,
                           workspace.rest_atoms.data() + a, rest_atoms_.size());
  add_words(text, first, last, workspace);
  add_outside(tokens, workspace.sums.data());
  add_rest(tokens, workspace);
  model_.scale_scores(workspace.sums.data(), tokens, emissions);
}

std::unique_ptr<TaggerWorkspace> TokenTagger::lend() const {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<TaggerWorkspace> workspace = std::move(idle_.back());
      idle_.pop_back();
      return workspace;
    }
  }
  auto workspace = std::make_unique<TaggerWorkspace>();
  workspace->forms.resize(words_ + 1);
  workspace->word_atoms.resize((words_ + 1) * rest_word_atoms_);
  workspace->word_sums.reset(new std::int32_t[(words_ + 1) * groups_.size() * model_.stride()]);  // read when filled
  workspace->atoms.resize(features_.atoms().size());
  return workspace;
}

void TokenTagger::give_back(std::unique_ptr<TaggerWorkspace> workspace) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(workspace));
}

}  // namespace nlptk
