#include "templates.hpp"

#include <stdexcept>

namespace nlptk {

Templates::Templates(std::vector<TemplateElement> elements, std::vector<std::uint32_t> first,
                     std::vector<std::uint64_t> seeds)
    : elements_(std::move(elements)), first_(std::move(first)), seeds_(std::move(seeds)) {
  if (first_.size() != seeds_.size() + 1 || first_.front() != 0 || first_.back() != elements_.size())
    throw std::invalid_argument("templates: the element index does not match the elements");
  for (std::size_t k = 0; k < seeds_.size(); ++k)
    if (first_[k + 1] < first_[k]) throw std::invalid_argument("templates: the element index must not decrease");
}

}  // namespace nlptk
