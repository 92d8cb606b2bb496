#ifndef OPTCORE_ENGINE_CPU_QUOTA_H
#define OPTCORE_ENGINE_CPU_QUOTA_H

namespace optcore {

/// The CPU time that this process's control group may use, in whole CPUs, at least 1; 0 where
/// there is no limit. More threads than that would only be put to sleep.
int cpu_quota();

} // namespace optcore

#endif
