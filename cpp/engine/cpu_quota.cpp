#include "cpu_quota.h"

#include <cmath>
#include <fstream>
#include <string>

namespace optcore {
namespace {

#if defined(__linux__)

/// CPUs that one group of the unified hierarchy grants, or 0 for no limit.
double quota_in(const std::string &folder) {
    std::ifstream file(folder + "/cpu.max");
    double quota = 0, period = 0;
    if (!(file >> quota >> period) || quota <= 0 || period <= 0)
        return 0; // "max" is no number: no limit
    return quota / period;
}

/// The same in the older hierarchy, where a container sees its own group at the root.
double old_quota() {
    double quota = 0, period = 0;
    std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
    std::ifstream period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0)
        return 0;
    return quota / period;
}

double smallest_quota() {
    double least = old_quota();
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        if (line.compare(0, 3, "0::") != 0)
            continue;
        // A group's limit holds for all below it, so every folder up to the root counts.
        for (std::string path = line.substr(3);;) {
            const double here = quota_in("/sys/fs/cgroup" + (path == "/" ? "" : path));
            if (here > 0 && (least == 0 || here < least))
                least = here;
            if (path.empty() || path == "/")
                break;
            path.erase(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
        }
    }
    return least;
}

#else

double smallest_quota() { return 0; }

#endif

} // namespace

int cpu_quota() {
    const double quota = smallest_quota();
    return quota > 0 ? (quota < 1 ? 1 : int(std::floor(quota))) : 0;
}

} // namespace optcore
