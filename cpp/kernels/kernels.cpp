// One ISA level. CMake compiles this file once per level, with OPTCORE_ISA naming the level's
// namespace, OPTCORE_ISA_NAME the level, and the level's own flags. A function that two levels
// share would be merged by the linker, and an old CPU could then run the new level's copy of it. So
// everything below sits in an unnamed namespace, nothing of the C++ library is included, and only
// `table` can be seen from outside.
#include <math.h>
#include <string.h>

#include "loop.h"
#include "table.h"

namespace optcore {
namespace OPTCORE_ISA {
namespace {

#include "scalar.h"
#include "../rules/all.h"
#include "formats.h"
#include "random.h"
#include "sums.h"
#include "code8.h"
#include "sweep.h"
#include "rule_sums.h"
#include "masked.h"
#include "rule_loops.h"
#include "convert.h"
#include "tile.h"
#include "factored.h"
#include "rowwise.h"
#include "stream.h"
#include "vectors.h"

} // namespace

#define OPTCORE_RULE(name, Type, options) rule_loops<Type, options>(),
#define OPTCORE_FACTORED_RULE(name, Type) {},
#define OPTCORE_ROWWISE_RULE(name, Type) rowwise_rule_loops<Type>(),
extern constexpr KernelTable table = {
    OPTCORE_ISA_NAME,
    {
#include "../rules/rules.def"
    },
    {&tile<float>, &tile<double>},
    {&tile_sums<float>, &tile_sums<double>},
    {factored_loops<float>(), factored_loops<double>()},
    {&sum_squares<float>, &sum_squares<double>, &sum_squares_16<from_bf16>,
     &sum_squares_16<from_f16>},
    {&stream<float>, &stream<double>, &stream<Half>},
    {vector_loops<float>(), vector_loops<double>()},
};

} // namespace OPTCORE_ISA
} // namespace optcore
