// Which instruction set the kernels run on, decided once when the module loads.
#pragma once

namespace nlptk {

enum class Isa { baseline, avx2, avx512 };

// The best set this processor has, or the one the environment variable NLPTK_ISA names
// (baseline, avx2, avx512) if the processor has it.
Isa active_isa();
const char* isa_name(Isa isa);

}  // namespace nlptk

// Picks the table a kernel file exports under each instruction-set namespace.
#ifdef NLPTK_X86
#define NLPTK_DISPATCH(symbol)                                            \
  (::nlptk::active_isa() == ::nlptk::Isa::avx512 ? ::nlptk::avx512::symbol \
   : ::nlptk::active_isa() == ::nlptk::Isa::avx2 ? ::nlptk::avx2::symbol   \
                                                 : ::nlptk::baseline::symbol)
#else
#define NLPTK_DISPATCH(symbol) (::nlptk::baseline::symbol)
#endif
