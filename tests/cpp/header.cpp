// The C++ header, included first and alone; and the C header in C++.
#include "optcore/optcore.hpp"

#include "optcore/hyperparameters.hpp"
#include "optcore/optcore.h"
#include "optcore/optcore.hpp"
#include "optcore/values.hpp"

optcore::Optimizer made();
optcore::Optimizer made() { return optcore::Optimizer(optcore::AdamW()); }
