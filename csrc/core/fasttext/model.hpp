// fastText's classifier (Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification"): a linear model over the
// mean of a document's feature vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fasttext/documents.hpp"
#include "fasttext/features.hpp"
#include "huge_pages.hpp"
#include "kernels/row_layout.hpp"
#include "sgns/sampling.hpp"

namespace nlptk {

enum class FastTextLoss {
  softmax,
  hierarchical,  // by a Huffman tree of the labels
  one_vs_all     // each label for itself: a document may have any number of them
};

class FastTextModel {
 public:
  // label_counts: how often each label occurs among so many documents of the training, for the Huffman tree and for
  // documents that tell nothing. Tables are zero. Throws std::invalid_argument for what cannot be.
  FastTextModel(FastTextFeatures features, std::size_t dim, FastTextLoss loss, std::vector<std::uint64_t> label_counts,
                std::uint64_t documents);

  const FastTextFeatures& features() const { return features_; }
  FastTextLoss loss() const { return loss_; }
  std::size_t labels() const { return label_counts_.size(); }
  std::size_t dim() const { return dim_; }
  std::size_t stride() const { return stride_; }
  std::size_t in_rows() const { return features_.rows(); }
  std::size_t out_rows() const { return out_.size() / stride_; }
  float* in() { return in_.data(); }
  float* out() { return out_.data(); }

  // The inner nodes from the root to a label and what to predict at each, 0 or 1; with FastTextLoss::hierarchical.
  struct Path {
    const std::uint32_t* nodes;
    const std::uint8_t* bits;
    std::size_t size;
  };
  Path path(std::size_t label) const {
    const std::size_t place = place_of_[label], begin = tree_.offsets[place];
    return {tree_.nodes.data() + begin, tree_.labels.data() + begin, tree_.offsets[place + 1] - begin};
  }

  // Probabilities [documents, labels]. Of a document that has nothing that training has seen: the shares of the labels.
  // Throws Interrupted.
  void probabilities(const Documents& documents, int threads, float* out) const;

 private:
  struct Workspace {
    std::vector<std::uint32_t> rows;
    std::vector<float, HugePageAllocator<float>> x, scores;
  };
  void probabilities_of(const FeatureLists::Document& document, Workspace& workspace, float* out) const;

  FastTextFeatures features_;
  std::size_t dim_, stride_;
  FastTextLoss loss_;
  std::vector<std::uint64_t> label_counts_;
  std::uint64_t documents_;
  HuffmanTree tree_{{}};
  std::vector<std::uint32_t> place_of_;  // of each label, in the tree
  std::vector<float, HugePageAllocator<float>> in_, out_;
};

}  // namespace nlptk
