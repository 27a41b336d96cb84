#include "lexicon_en.hpp"

#include <array>
#include <string_view>

namespace nlptk::lexicon {
namespace {

struct WordList {
  std::uint16_t properties;
  std::string_view words;
};

// Prefixes after the guidelines of the English Web Treebank (Bies et al. 2012), which UD English follows.
constexpr WordList kLists[] = {
    {kPrefix,
     "a ante anti arch bi bio co contra counter cross de demi dis e eco em ex extra hyper infra intra macro mal "
     "mega meta micro mid mini mis mono multi neo non omni over para poly post pre pro pseudo psycho quasi re semi "
     "socio sub super supra trans tri ultra un uni"},
    {kAbbreviation,
     "mr mrs ms dr prof messrs mssrs hon rev fr sr rt lt col cpl sgt capt cmdr cdr adm maj brig "
     "sen sens reps gov atty supt pres supt ft mt mts vs i.e e.g ie eg cf viz approx ca esp attn arrv lv ass't "
     "sept assn bros dept dist univ mfg natl intl ed eds"},
    {kAbbreviation | kCapital, "gen rep st mme mlle ph sec sc conf para spec que va"},
    {kMayEnd, "etc inc corp ltd llc plc jr al ave blvd bldg apt hwy pkwy rd yrs hrs lb lbs oz"},
    {kMayEnd | kCapital,
     "co jan feb mar apr jun jul aug oct nov dec mon tue tues wed thu thur thurs fri sat sun la conn mass penn "
     "calif colo fla ga ill kan ky md mich minn miss mo mont neb nev okla ore tenn tex vt wash wis wyo"},
    {kBeforeNumber, "no nos fig figs vol vols p pp art sect chap ch pt ext eq eqs ref refs c"},
    {kDomain,
     "com org net edu gov mil int biz info name tv uk ca de fr au eu jp cn ru nl ch se dk fi nz ie br mx pl cz gr kr "
     "tw hk sg za il ua io ai dev app xyz online club site tech gle"},
    {kExtension,
     "doc docx xls xlsx ppt pptx pdf txt rtf csv tsv xml html htm shtml xhtml php asp aspx jsp cgi css js json yaml "
     "yml toml ini cfg conf log md rst tex bib zip gz tgz tar rar 7z exe dll bat sh py cpp hpp java class jar c h "
     "jpg jpeg gif png bmp tif tiff svg ico ps eps mp3 mp4 wav avi mov mpg mpeg mkv flac ogg url bak dat db sql iso"},
    {kUnit,
     "am pm m k b bn mm cm km kg lb lbs ft hz khz mhz ghz kb mb gb tb f hh percent pct watt watts t x p min mins "
     "minute minutes sec secs hr hrs hour hours day days week weeks month months yr yrs year years person persons "
     "people oz ml mg mph kph kw mw kwh mwh sqft inch inches feet miles mile c"},
    {kStarter,
     "the a an i it he she we you they this that these those there here his her my our your its their in on at for "
     "from with by as if when while after before but and or so not no what who why how where which is are was were "
     "do does did can could would will should please thanks thank all some many most one also however then now "
     "because since although once to just let maybe yes our"},
    {kNewsgroup, "comp alt rec misc sci soc talk"},
    {kClitic, "s m d ll ve re"},
    {kElided, "em til cause n bout tis twas nuff round"},
};

// Contractions and clipped words that are two tokens, written here with the split.
constexpr std::string_view kSplits =
    "can|not gon|na got|ta wan|na gim|me lem|me out|ta "
    "do|nt did|nt does|nt ca|nt wo|nt is|nt was|nt are|nt were|nt would|nt could|nt should|nt has|nt have|nt had|nt "
    "ai|nt ar|nt i|m i|ve that|s what|s there|s here|s you|re they|re we|ve he|s it|ll you|ll they|ve you|ve else|s "
    "c'm|on";

class Table {
 public:
  Table() {
    for (const WordList& list : kLists)
      each(list.words, [&](std::string_view word) { slot(pack(word)).properties |= list.properties; });
    each(kSplits, [&](std::string_view word) {
      const std::size_t bar = word.find('|');
      const std::uint64_t tail = pack(word.substr(bar + 1));
      const std::uint64_t key = pack(word.substr(0, bar)) << (8 * (word.size() - bar - 1)) | tail;
      slot(key).split = static_cast<std::uint8_t>(bar);
    });
  }

  const Entry& find(std::uint64_t key) const {
    for (std::size_t i = hash(key);; i = (i + 1) % slots_.size())
      if (slots_[i].key == key || slots_[i].key == 0) return slots_[i];
  }

 private:
  static std::size_t hash(std::uint64_t key) { return (key * 0x9E3779B97F4A7C15u) >> 53; }  // the top 11 bits

  static std::uint64_t pack(std::string_view word) {
    std::uint64_t key = 0;
    for (const char c : word) key = key << 8 | static_cast<std::uint8_t>(c);
    return key;
  }

  template <class F>
  static void each(std::string_view words, F&& f) {
    while (!words.empty()) {
      const std::size_t space = words.find(' ');
      f(words.substr(0, space));
      words.remove_prefix(space == std::string_view::npos ? words.size() : space + 1);
    }
  }

  Entry& slot(std::uint64_t key) {
    Entry& entry = const_cast<Entry&>(find(key));
    entry.key = key;
    return entry;
  }

  std::array<Entry, 2048> slots_;  // at most a quarter full, so nearly every look-up is one probe
};

}  // namespace

const Entry& find(std::uint64_t key) {
  static const Table table;
  return table.find(key);
}

}  // namespace nlptk::lexicon
