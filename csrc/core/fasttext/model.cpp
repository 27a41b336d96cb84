#include "fasttext/model.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "kernels/fasttext_kernel.hpp"
#include "parallel.hpp"

namespace nlptk {

FastTextModel::FastTextModel(FastTextFeatures features, std::size_t dim, FastTextLoss loss, std::vector<std::uint64_t> label_counts,
                             std::uint64_t documents)
    : features_(std::move(features)), dim_(dim), stride_(row_stride(dim)), loss_(loss), label_counts_(std::move(label_counts)),
      documents_(documents) {
  if (dim < 1 || dim > 1 << 16) throw std::invalid_argument("dim must be 1 to 65536");
  if (label_counts_.empty()) throw std::invalid_argument("there must be a label");
  if (loss_ == FastTextLoss::hierarchical) {
    std::vector<std::uint32_t> order(labels());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) { return label_counts_[a] > label_counts_[b]; });
    std::vector<std::uint64_t> falling;
    place_of_.resize(labels());
    for (const std::uint32_t label : order) {
      place_of_[label] = static_cast<std::uint32_t>(falling.size());
      falling.push_back(label_counts_[label]);
    }
    tree_ = HuffmanTree(falling);
  }
  in_.resize(features_.rows() * stride_);
  out_.resize((loss_ == FastTextLoss::hierarchical ? labels() - 1 : labels()) * stride_);
}

void FastTextModel::probabilities(const Documents& documents, int threads, float* out) const {
  threads = resolve_threads(threads);
  const FeatureLists lists = features_.read(documents, threads);
  std::vector<Workspace> workspaces(static_cast<std::size_t>(threads));
  for (Workspace& w : workspaces) {
    w.x.resize(stride_);
    w.scores.resize(row_stride(labels()));
  }
  parallel_for(documents.size(), threads, 64, [&](std::size_t begin, std::size_t end, int thread) {
    for (std::size_t i = begin; i < end; ++i) {
      probabilities_of(lists[i], workspaces[static_cast<std::size_t>(thread)], out + i * labels());
      poll_interrupt();
    }
  });
}

void FastTextModel::probabilities_of(const FeatureLists::Document& document, Workspace& w, float* out) const {
  if (!features_.tells(document.items)) {
    for (std::size_t label = 0; label < labels(); ++label)
      out[label] = static_cast<float>(static_cast<double>(label_counts_[label]) / static_cast<double>(documents_));
    return;
  }
  const FastTextKernels& kernels = fasttext_kernels();
  const auto rows = features_.rows_of(document.items, w.rows);
  const float share = 1.0f / static_cast<float>(rows.size() + document.unseen);
  kernels.sum_rows(in_.data(), stride_, rows.data(), rows.size(), share, w.x.data());
  float* const scores = w.scores.data();
  kernels.score(out_.data(), stride_, nullptr, out_rows(), w.x.data(), scores);
  if (loss_ == FastTextLoss::softmax)
    kernels.softmax(scores, labels());
  else
    kernels.sigmoid(scores, out_rows());
  if (loss_ != FastTextLoss::hierarchical) {
    std::copy_n(scores, labels(), out);
    return;
  }
  for (std::size_t label = 0; label < labels(); ++label) {
    const Path way = path(label);
    float p = 1;
    for (std::size_t n = 0; n < way.size; ++n) p *= way.bits[n] != 0 ? scores[way.nodes[n]] : 1 - scores[way.nodes[n]];
    out[label] = p;
  }
}

}  // namespace nlptk
