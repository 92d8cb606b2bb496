// The table of one rule: every variant it has, with and without coupled decay, in each format. No
// include guard: see kernels.cpp.

template <class F32, class F64, bool Coupled>
constexpr void fill_loops(SweepLoop *loops) {
    loops[int(Loop::f32)] = &sweep<float, F32, Coupled>;
    loops[int(Loop::f64)] = &sweep<double, F64, Coupled>;
    loops[int(Loop::bf16)] = &sweep_bf16<Pair, F32, Coupled>;
    loops[int(Loop::bf16_state_f32)] = &sweep_bf16<float, F32, Coupled>;
}

template <template <class, unsigned> class Rule, int Options, unsigned V>
constexpr void fill_variant(RuleLoops &loops) {
    if constexpr (V < (1u << Options)) {
        using F32 = Rule<float, V>;
        using F64 = Rule<double, V>;
        fill_loops<F32, F64, false>(loops.sweep[V][0]);
        if constexpr (!F32::own_decay)
            fill_loops<F32, F64, true>(loops.sweep[V][1]);
        if constexpr (F32::sums > 0) {
            fill_sums<float, F32>(&loops.sums[V][0][0], &loops.sums[V][1][0]);
            fill_sums<double, F64>(&loops.sums[V][0][1], &loops.sums[V][1][1]);
        }
        if constexpr (F32::maskable) {
            loops.masked[V][0] = &masked_sweep<float, F32>;
            loops.masked[V][1] = &masked_sweep<double, F64>;
            loops.agreeing[V][0] = &agreeing<float, F32>;
            loops.agreeing[V][1] = &agreeing<double, F64>;
        }
        fill_variant<Rule, Options, V + 1>(loops);
    }
}

template <template <class, unsigned> class Rule, int Options>
constexpr RuleLoops rule_loops() {
    RuleLoops loops = {};
    fill_variant<Rule, Options, 0>(loops);
    return loops;
}
