// Which ISA levels this library holds, which of them this CPU runs, and which one is in use.
#ifndef OPTCORE_ENGINE_CPU_H
#define OPTCORE_ENGINE_CPU_H

#include <string>
#include <vector>

#include "../kernels/table.h"

namespace optcore {

std::vector<std::string> compiled_isas();  ///< lowest first
std::vector<std::string> available_isas(); ///< those of them that this CPU and system run

/// The table in use: the highest available level, or the one that OPTCORE_ISA names.
/// Throws std::invalid_argument where OPTCORE_ISA is unknown or not available.
const KernelTable &kernels();

/// Uses another level from now on; throws as above. For tests and for reproducing a report.
void use_isa(const std::string &name);

} // namespace optcore

#endif
