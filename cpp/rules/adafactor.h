/// Adafactor (Shazeer & Stern, 2018, algorithms 4 to 6), with torch's variations as options.
///   β2ᵗ = 1 − t^decay, or a constant;  ρ = min(η, 1/√t), or η;  α = ρ·max(eps2, RMS(θ)), or ρ
///   matrices   r ← β2ᵗ·r + (1−β2ᵗ)·mean of g² along each row,  c: the same along each column
///              v = r cᵀ / mean(r)          (without the mean where `normalize` is off)
///   the rest   v ← β2ᵗ·v + (1−β2ᵗ)·g²
///   u = g/√v                                θ ← θ − α/max(1, RMS(u)/d)·u
/// ε₁ keeps v away from zero: the paper adds it to g² (`clamp_eps` off), torch takes
/// max(v, ε₁²) and max(mean(r), ε₁) (on). Neither falls below the smallest normal number.
/// `decay_offset` is taken off t in β2ᵗ. `scale_after_decay` takes RMS(θ) of the decayed θ, and
/// `decay_times_rate` off decays θ by λ instead of η·λ.
///
/// This is what is done per element; adafactor_step.h holds what is done once per tensor.
template <class T>
struct Adafactor {
    T keep_old, take_new, added, floor_v;

    T variance(T g, T v) const { return keep_old * v + take_new * (g * g + added); }
    T direction(T g, T v) const { return g / sqrt(at_least(v, floor_v)); }
};
