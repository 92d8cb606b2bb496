// Random bits for stochastic rounding: a function of the key and the element, so that neither
// threads nor splits change them. No include guard: see kernels.cpp.

inline uint64_t mixed(uint64_t x) { // splitmix64
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/// 32 bits for the pair of elements 2·pair and 2·pair + 1; the even one takes the lower half.
inline uint32_t random_bits(uint32_t pair, uint32_t key0, uint32_t key1) {
    uint32_t x = pair + key0;
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) + key1;
    x = x * 0x846ca68bu;
    return x ^ (x >> 16);
}
