// N-gram models as ARPA files, the text format that SRILM and KenLM read and write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ngram_lm/corpus.hpp"
#include "ngram_lm/model.hpp"

namespace nlptk {

// Throws std::invalid_argument for a word that cannot stand in a line: empty, not UTF-8, or with what parts words in it.
void check_arpa_words(const TermTable& table);
// The lines before those of unigrams.
std::string arpa_header(const NgramModel& model);
// The lines of n-grams `first` to `last` - 1 of order n.
std::string arpa_lines(const NgramModel& model, const TermTable& table, std::size_t n, std::size_t first, std::size_t last);

// Reads a file that is given in blocks of whole lines. The n-grams of an order may come in any sequence, but their
// contexts must be among those of the order before.
class ArpaReader {
 public:
  // Throws std::invalid_argument; line() is then the number of the bad one, from 1.
  void feed(std::string_view block);
  NgramModel finish();
  TermTable take_table() { return std::move(table_); }
  std::size_t line() const { return line_; }

 private:
  struct Entry {
    std::uint32_t context, word;
    float log_prob, backoff;
    std::uint32_t line;  // after the section's first
  };

  void read(std::string_view line);
  void read_count(std::string_view line);
  void read_entry(std::string_view line);
  std::uint32_t find_context(std::string_view words);
  void begin_section(std::string_view line);
  void end_section();
  void set_unigrams();
  void set_longer();

  TermTable table_ = special_words();
  std::vector<std::uint64_t> counts_;  // that the header gives
  bool started_ = false, ended_ = false;
  std::size_t line_ = 0, section_line_ = 0, section_ = 0;
  std::vector<Entry> entries_;  // of the section at hand
  bool sorted_ = true;
  std::vector<bool> given_;  // unigrams, by words
  std::string context_text_;
  std::uint32_t context_ = 0;
  std::vector<HugeVector<NgramModel::Node>> lower_;
  HugeVector<NgramModel::Leaf> highest_;
};

}  // namespace nlptk
