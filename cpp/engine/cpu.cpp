#include "cpu.h"

#include <atomic>
#include <cstdlib>
#include <stdexcept>

#if defined(OPTCORE_HAS_X86_LEVELS)
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace optcore {
namespace {

struct Level {
    const KernelTable *table;
    bool (*runs_here)();
};

#if defined(OPTCORE_HAS_X86_LEVELS)

struct Registers {
    unsigned a, b, c, d;
};

Registers cpuid(unsigned leaf, unsigned subleaf) {
#if defined(_MSC_VER)
    int r[4];
    __cpuidex(r, int(leaf), int(subleaf));
    return {unsigned(r[0]), unsigned(r[1]), unsigned(r[2]), unsigned(r[3])};
#else
    Registers r = {0, 0, 0, 0};
    __cpuid_count(leaf, subleaf, r.a, r.b, r.c, r.d);
    return r;
#endif
}

/// Which register files the operating system saves: XCR0.
unsigned long long saved_state() {
#if defined(_MSC_VER)
    return _xgetbv(0);
#else
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (static_cast<unsigned long long>(high) << 32) | low;
#endif
}

bool has(unsigned word, unsigned mask) { return (word & mask) == mask; }

constexpr unsigned bit(int n) { return 1u << n; }

// The feature lists of the levels are those of the x86-64 psABI.
bool runs_v3() {
    const unsigned highest = cpuid(0, 0).a;
    if (highest < 7)
        return false;
    const Registers one = cpuid(1, 0), seven = cpuid(7, 0), extended = cpuid(0x80000001u, 0);
    const unsigned sse3 = bit(0), ssse3 = bit(9), fma = bit(12), cx16 = bit(13), sse41 = bit(19),
                   sse42 = bit(20), movbe = bit(22), popcnt = bit(23), osxsave = bit(27),
                   avx = bit(28), f16c = bit(29);
    const unsigned bmi1 = bit(3), avx2 = bit(5), bmi2 = bit(8), lahf = bit(0), lzcnt = bit(5);
    if (!has(one.c,
             sse3 | ssse3 | fma | cx16 | sse41 | sse42 | movbe | popcnt | osxsave | avx | f16c))
        return false;
    return has(seven.b, bmi1 | avx2 | bmi2) && has(extended.c, lahf | lzcnt) &&
           (saved_state() & 0x6) == 0x6; // XMM and YMM
}

bool runs_v4() {
    const unsigned f = bit(16), dq = bit(17), cd = bit(28), bw = bit(30), vl = bit(31);
    return runs_v3() && has(cpuid(7, 0).b, f | dq | cd | bw | vl) &&
           (saved_state() & 0xe6) == 0xe6; // and the opmask and ZMM registers
}

#endif

bool runs_always() { return true; }

constexpr Level kLevels[] = {
    {&baseline::table, &runs_always},
#if defined(OPTCORE_HAS_X86_LEVELS)
    {&x86_64_v3::table, &runs_v3},
    {&x86_64_v4::table, &runs_v4},
#endif
};

std::atomic<const KernelTable *> in_use{nullptr};

std::string joined(const std::vector<std::string> &names) {
    std::string all;
    for (const auto &name : names)
        all += (all.empty() ? "'" : ", '") + name + "'";
    return all;
}

const KernelTable *named(const std::string &name, const char *where) {
    for (const Level &level : kLevels)
        if (name == level.table->name) {
            if (level.runs_here())
                return level.table;
            throw std::invalid_argument(std::string(where) + ": this CPU does not run '" + name +
                                        "'; it runs " + joined(available_isas()) +
                                        ". Name one of these, or none for the best");
        }
    throw std::invalid_argument(std::string(where) + ": unknown ISA level '" + name +
                                "'; expected one of " + joined(compiled_isas()) +
                                ". Leave it unset for the best");
}

const KernelTable *chosen() {
    const char *wanted = std::getenv("OPTCORE_ISA");
    if (wanted && *wanted)
        return named(wanted, "OPTCORE_ISA");
    const KernelTable *best = nullptr;
    for (const Level &level : kLevels)
        if (level.runs_here())
            best = level.table;
    return best;
}

} // namespace

std::vector<std::string> compiled_isas() {
    std::vector<std::string> names;
    for (const Level &level : kLevels)
        names.push_back(level.table->name);
    return names;
}

std::vector<std::string> available_isas() {
    std::vector<std::string> names;
    for (const Level &level : kLevels)
        if (level.runs_here())
            names.push_back(level.table->name);
    return names;
}

const KernelTable &kernels() {
    const KernelTable *table = in_use.load(std::memory_order_acquire);
    if (!table) {
        table = chosen();
        in_use.store(table, std::memory_order_release);
    }
    return *table;
}

void use_isa(const std::string &name) {
    in_use.store(named(name, "isa"), std::memory_order_release);
}

} // namespace optcore
