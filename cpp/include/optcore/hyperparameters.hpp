/**
 * @file hyperparameters.hpp
 * @brief The hyperparameters of every optimizer as plain structs, with their defaults.
 *
 * Included by optcore.hpp.
 */
// Written by `python -m optcore.presets`.
#ifndef OPTCORE_HYPERPARAMETERS_HPP
#define OPTCORE_HYPERPARAMETERS_HPP

#include "values.hpp"

namespace optcore {
inline namespace v1 {

/** AdaBelief.
 *  Zhuang et al., 2020: AdaBelief optimizer: Adapting stepsizes by the belief */
struct AdaBelief {
    static constexpr const char *name = "adabelief";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value eps = 1e-16;
    Value eps_root = 1e-16;
    bool nesterov = false;
    bool amsgrad = false;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("eps_root", eps_root);
        visit("nesterov", nesterov);
        visit("amsgrad", amsgrad);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** Adadelta.
 *  Zeiler, 2012: ADADELTA: An adaptive learning rate method */
struct Adadelta {
    static constexpr const char *name = "adadelta";
    Value lr = 1.0;
    Value weight_decay = 0.0;
    Value rho = 0.9;
    Value eps = 1e-06;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("rho", rho);
        visit("eps", eps);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
    }
};

/** Adafactor.
 *  Shazeer & Stern, 2018: Adafactor: Adaptive learning rates with sublinear memory cost */
struct Adafactor {
    static constexpr const char *name = "adafactor";
    Value lr = 0.01;
    Value weight_decay = 0.0;
    Value beta2_decay = -0.8;
    Value eps1 = 0.0;
    Value eps2 = 0.001;
    Value d = 1.0;
    Value beta2 = 0.0;
    Value constant_beta2 = 0.0;
    Value clamp_eps = 1.0;
    bool relative_step = true;
    bool scale_parameter = true;
    bool normalize = true;
    Value dtype_eps1 = 1.0;
    Value decay_offset = 0.0;
    bool scale_after_decay = false;
    bool decay_times_rate = true;
    bool maximize = false;
    double min_dim_size_to_factor = 0.0;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta2_decay", beta2_decay);
        visit("eps1", eps1);
        visit("eps2", eps2);
        visit("d", d);
        visit("beta2", beta2);
        visit("constant_beta2", constant_beta2);
        visit("clamp_eps", clamp_eps);
        visit("relative_step", relative_step);
        visit("scale_parameter", scale_parameter);
        visit("normalize", normalize);
        visit("dtype_eps1", dtype_eps1);
        visit("decay_offset", decay_offset);
        visit("scale_after_decay", scale_after_decay);
        visit("decay_times_rate", decay_times_rate);
        visit("maximize", maximize);
        visit("min_dim_size_to_factor", min_dim_size_to_factor);
    }
};

/** Adagrad.
 *  Duchi, Hazan & Singer, 2011: Adaptive subgradient methods for online learning */
struct Adagrad {
    static constexpr const char *name = "adagrad";
    Value lr = 0.01;
    Value weight_decay = 0.0;
    Value lr_decay = 0.0;
    Value eps = 1e-10;
    Value eps_in_sqrt = 0.0;
    bool zero_at_zero = false;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    double initial_accumulator_value = 0.0;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("lr_decay", lr_decay);
        visit("eps", eps);
        visit("eps_in_sqrt", eps_in_sqrt);
        visit("zero_at_zero", zero_at_zero);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("initial_accumulator_value", initial_accumulator_value);
    }
};

/** Adam.
 *  Kingma & Ba, 2015: Adam: A method for stochastic optimization */
struct Adam {
    static constexpr const char *name = "adam";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value eps = 1e-08;
    Value eps_root = 0.0;
    bool eps_hat = false;
    Value correct_m = 1.0;
    Value correct_v = 1.0;
    bool correct_before_max = false;
    bool amsgrad = false;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("eps_root", eps_root);
        visit("eps_hat", eps_hat);
        visit("correct_m", correct_m);
        visit("correct_v", correct_v);
        visit("correct_before_max", correct_before_max);
        visit("amsgrad", amsgrad);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** Adamax.
 *  Kingma & Ba, 2015: Adam: A method for stochastic optimization */
struct Adamax {
    static constexpr const char *name = "adamax";
    Value lr = 0.002;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value eps = 0.0;
    Value eps_in_max = 1e-08;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("eps_in_max", eps_in_max);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** AdamaxW.
 *  Loshchilov & Hutter, 2019: Decoupled weight decay regularization */
struct AdamaxW {
    static constexpr const char *name = "adamaxw";
    Value lr = 0.002;
    Value weight_decay = 0.01;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value eps = 0.0;
    Value eps_in_max = 1e-08;
    bool decoupled_weight_decay = true;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("eps_in_max", eps_in_max);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** AdamW.
 *  Loshchilov & Hutter, 2019: Decoupled weight decay regularization */
struct AdamW {
    static constexpr const char *name = "adamw";
    Value lr = 0.001;
    Value weight_decay = 0.01;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value eps = 1e-08;
    Value eps_root = 0.0;
    bool eps_hat = false;
    Value correct_m = 1.0;
    Value correct_v = 1.0;
    bool correct_before_max = false;
    bool amsgrad = false;
    bool decoupled_weight_decay = true;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("eps_root", eps_root);
        visit("eps_hat", eps_hat);
        visit("correct_m", correct_m);
        visit("correct_v", correct_v);
        visit("correct_before_max", correct_before_max);
        visit("amsgrad", amsgrad);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** Adan.
 *  Xie et al., 2022: Adan: Adaptive Nesterov momentum algorithm */
struct Adan {
    static constexpr const char *name = "adan";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    Value beta1 = 0.98;
    Value beta2 = 0.92;
    Value beta3 = 0.99;
    Value eps = 1e-08;
    Value eps_root = 0.0;
    bool complement_beta2 = false;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("beta3", beta3);
        visit("eps", eps);
        visit("eps_root", eps_root);
        visit("complement_beta2", complement_beta2);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** AdEMAMix.
 *  Pagliardini et al., 2024: The AdEMAMix optimizer: Better, faster, older */
struct AdEMAMix {
    static constexpr const char *name = "ademamix";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value beta3 = 0.9999;
    Value eps = 1e-08;
    Value eps_root = 0.0;
    Value alpha = 5.0;
    Value t_alpha_beta3 = 0.0;
    bool decoupled_weight_decay = true;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("beta3", beta3);
        visit("eps", eps);
        visit("eps_root", eps_root);
        visit("alpha", alpha);
        visit("t_alpha_beta3", t_alpha_beta3);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** ADOPT.
 *  Taniguchi et al., 2024: ADOPT: Modified Adam can converge with any β2 */
struct ADOPT {
    static constexpr const char *name = "adopt";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.9999;
    Value eps = 1e-06;
    Value clip_exponent = 0.25;
    Value clipped = 1.0;
    bool nesterov = false;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("clip_exponent", clip_exponent);
        visit("clipped", clipped);
        visit("nesterov", nesterov);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** ASGD.
 *  Polyak & Juditsky, 1992: Acceleration of stochastic approximation by averaging */
struct ASGD {
    static constexpr const char *name = "asgd";
    Value lr = 0.01;
    Value weight_decay = 0.0;
    Value lambd = 0.0001;
    Value alpha = 0.75;
    Value t0 = 1000000.0;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("lambd", lambd);
        visit("alpha", alpha);
        visit("t0", t0);
        visit("maximize", maximize);
    }
};

/** DAdaptAdam.
 *  Defazio & Mishchenko, 2023: Learning-rate-free learning by D-Adaptation */
struct DAdaptAdam {
    static constexpr const char *name = "dadapt_adam";
    Value lr = 1.0;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value eps = 1e-08;
    double d0 = 1e-06;
    Value growth_rate = kInfinity;
    bool decouple = false;
    bool use_bias_correction = false;
    Value layer_scale = 1.0;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("d0", d0);
        visit("growth_rate", growth_rate);
        visit("decouple", decouple);
        visit("use_bias_correction", use_bias_correction);
        visit("layer_scale", layer_scale);
        visit("maximize", maximize);
    }
};

/** DAdaptSGD.
 *  Defazio & Mishchenko, 2023: Learning-rate-free learning by D-Adaptation */
struct DAdaptSGD {
    static constexpr const char *name = "dadapt_sgd";
    Value lr = 1.0;
    Value weight_decay = 0.0;
    Value momentum = 0.0;
    double d0 = 1e-06;
    Value growth_rate = kInfinity;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("momentum", momentum);
        visit("d0", d0);
        visit("growth_rate", growth_rate);
        visit("maximize", maximize);
    }
};

/** FTRL.
 *  McMahan et al., 2013: Ad click prediction: a view from the trenches */
struct FTRL {
    static constexpr const char *name = "ftrl";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    Value l1 = 0.0;
    Value l2 = 0.0;
    Value l2_shrinkage = 0.0;
    Value beta = 0.0;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    double initial_accumulator_value = 0.1;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("l1", l1);
        visit("l2", l2);
        visit("l2_shrinkage", l2_shrinkage);
        visit("beta", beta);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("initial_accumulator_value", initial_accumulator_value);
    }
};

/** LAMB.
 *  You et al., 2020: Large batch optimization for deep learning */
struct LAMB {
    static constexpr const char *name = "lamb";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value eps = 1e-06;
    Value eps_root = 0.0;
    bool bias_correction = true;
    Value clamp = 0.0;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("eps_root", eps_root);
        visit("bias_correction", bias_correction);
        visit("clamp", clamp);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
    }
};

/** LARS.
 *  You, Gitman & Ginsburg, 2017: Large batch training of convolutional networks */
struct LARS {
    static constexpr const char *name = "lars";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    Value momentum = 0.9;
    Value dampening = 0.0;
    Value trust_coefficient = 0.001;
    Value eps = 1e-08;
    bool joint_norm = false;
    bool rate_in_buffer = false;
    bool trust_clip = false;
    bool nesterov = false;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("momentum", momentum);
        visit("dampening", dampening);
        visit("trust_coefficient", trust_coefficient);
        visit("eps", eps);
        visit("joint_norm", joint_norm);
        visit("rate_in_buffer", rate_in_buffer);
        visit("trust_clip", trust_clip);
        visit("nesterov", nesterov);
        visit("maximize", maximize);
    }
};

/** Lion.
 *  Chen et al., 2023: Symbolic discovery of optimization algorithms */
struct Lion {
    static constexpr const char *name = "lion";
    Value lr = 0.0001;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.99;
    bool step_at_zero = false;
    bool decoupled_weight_decay = true;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("step_at_zero", step_at_zero);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** MARS.
 *  Yuan et al., 2024: MARS: Unleashing the power of variance reduction */
struct MARS {
    static constexpr const char *name = "mars";
    Value lr = 0.003;
    Value weight_decay = 0.0;
    Value beta1 = 0.95;
    Value beta2 = 0.99;
    Value eps = 1e-08;
    Value gamma = 0.025;
    Value eps_root = 0.0;
    bool amsgrad = false;
    bool decoupled_weight_decay = true;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("gamma", gamma);
        visit("eps_root", eps_root);
        visit("amsgrad", amsgrad);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
    }
};

/** Momentum.
 *  Sutskever et al., 2013: On the importance of initialization and momentum */
struct Momentum {
    static constexpr const char *name = "momentum";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    Value momentum = 0.9;
    bool average = false;
    bool nesterov = false;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("momentum", momentum);
        visit("average", average);
        visit("nesterov", nesterov);
        visit("maximize", maximize);
    }
};

/** NAdam.
 *  Dozat, 2016: Incorporating Nesterov momentum into Adam */
struct NAdam {
    static constexpr const char *name = "nadam";
    Value lr = 0.002;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value eps = 1e-08;
    Value momentum_decay = 0.004;
    Value momentum_schedule = 1.0;
    bool lookahead = true;
    bool double_correction = false;
    Value eps_root = 0.0;
    bool scheduled_average = false;
    bool beta2_in_v_hat = false;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("momentum_decay", momentum_decay);
        visit("momentum_schedule", momentum_schedule);
        visit("lookahead", lookahead);
        visit("double_correction", double_correction);
        visit("eps_root", eps_root);
        visit("scheduled_average", scheduled_average);
        visit("beta2_in_v_hat", beta2_in_v_hat);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** NAdamW.
 *  Loshchilov & Hutter, 2019: Decoupled weight decay regularization */
struct NAdamW {
    static constexpr const char *name = "nadamw";
    Value lr = 0.001;
    Value weight_decay = 0.01;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value eps = 1e-08;
    Value momentum_decay = 0.0;
    Value momentum_schedule = 0.0;
    bool lookahead = true;
    bool double_correction = false;
    Value eps_root = 0.0;
    bool scheduled_average = false;
    bool beta2_in_v_hat = false;
    bool decoupled_weight_decay = true;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("momentum_decay", momentum_decay);
        visit("momentum_schedule", momentum_schedule);
        visit("lookahead", lookahead);
        visit("double_correction", double_correction);
        visit("eps_root", eps_root);
        visit("scheduled_average", scheduled_average);
        visit("beta2_in_v_hat", beta2_in_v_hat);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** NovoGrad.
 *  Ginsburg et al., 2019: Stochastic gradient methods with layer-wise adaptive moments */
struct NovoGrad {
    static constexpr const char *name = "novograd";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    Value beta1 = 0.95;
    Value beta2 = 0.98;
    Value eps = 1e-08;
    Value eps_root = 0.0;
    bool grad_averaging = false;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("eps_root", eps_root);
        visit("grad_averaging", grad_averaging);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
    }
};

/** Prodigy.
 *  Mishchenko & Defazio, 2023: Prodigy: An expeditiously adaptive parameter-free learner */
struct Prodigy {
    static constexpr const char *name = "prodigy";
    Value lr = 1.0;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value beta_s = 0.0;
    Value root_of_beta2 = 1.0;
    Value eps = 1e-08;
    double d0 = 1e-06;
    Value d_coef = 1.0;
    Value growth_rate = kInfinity;
    bool decouple = true;
    bool use_bias_correction = false;
    bool safeguard_warmup = false;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("beta_s", beta_s);
        visit("root_of_beta2", root_of_beta2);
        visit("eps", eps);
        visit("d0", d0);
        visit("d_coef", d_coef);
        visit("growth_rate", growth_rate);
        visit("decouple", decouple);
        visit("use_bias_correction", use_bias_correction);
        visit("safeguard_warmup", safeguard_warmup);
        visit("maximize", maximize);
    }
};

/** RAdam.
 *  Liu et al., 2020: On the variance of the adaptive learning rate and beyond */
struct RAdam {
    static constexpr const char *name = "radam";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value eps = 1e-08;
    Value eps_root = 0.0;
    Value threshold = 5.0;
    bool threshold_inclusive = false;
    bool eps_hat = true;
    bool nesterov = false;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("eps_root", eps_root);
        visit("threshold", threshold);
        visit("threshold_inclusive", threshold_inclusive);
        visit("eps_hat", eps_hat);
        visit("nesterov", nesterov);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** RMSprop.
 *  Tieleman & Hinton, 2012: Lecture 6.5, RMSProp */
struct RMSprop {
    static constexpr const char *name = "rmsprop";
    Value lr = 0.01;
    Value weight_decay = 0.0;
    Value alpha = 0.99;
    Value eps = 1e-08;
    Value eps_in_sqrt = 0.0;
    Value momentum = 0.0;
    bool nesterov = false;
    bool rate_in_buffer = false;
    bool bias_correction = false;
    bool centered = false;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    double initial_accumulator_value = 0.0;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("alpha", alpha);
        visit("eps", eps);
        visit("eps_in_sqrt", eps_in_sqrt);
        visit("momentum", momentum);
        visit("nesterov", nesterov);
        visit("rate_in_buffer", rate_in_buffer);
        visit("bias_correction", bias_correction);
        visit("centered", centered);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("initial_accumulator_value", initial_accumulator_value);
    }
};

/** RowwiseAdagrad.
 *  Duchi, Hazan & Singer, 2011, with one accumulator per row as in FBGEMM */
struct RowwiseAdagrad {
    static constexpr const char *name = "rowwise_adagrad";
    Value lr = 0.01;
    Value weight_decay = 0.0;
    Value eps = 1e-10;
    bool maximize = false;
    double initial_accumulator_value = 0.0;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("eps", eps);
        visit("maximize", maximize);
        visit("initial_accumulator_value", initial_accumulator_value);
    }
};

/** Rprop.
 *  Riedmiller & Braun, 1993: A direct adaptive method for faster backpropagation */
struct Rprop {
    static constexpr const char *name = "rprop";
    Value lr = 0.01;
    Value weight_decay = 0.0;
    Value eta_minus = 0.5;
    Value eta_plus = 1.2;
    Value step_size_min = 1e-06;
    Value step_size_max = 50.0;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("eta_minus", eta_minus);
        visit("eta_plus", eta_plus);
        visit("step_size_min", step_size_min);
        visit("step_size_max", step_size_max);
        visit("maximize", maximize);
    }
};

/** ScheduleFreeAdamW.
 *  Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky, 2024: The road less scheduled */
struct ScheduleFreeAdamW {
    static constexpr const char *name = "schedule_free_adamw";
    Value lr = 0.0025;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value eps = 1e-08;
    Value warmup_steps = 0.0;
    Value r = 0.0;
    Value weight_lr_power = 2.0;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("warmup_steps", warmup_steps);
        visit("r", r);
        visit("weight_lr_power", weight_lr_power);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
    }
};

/** ScheduleFreeRAdam.
 *  Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky, 2024: The road less scheduled */
struct ScheduleFreeRAdam {
    static constexpr const char *name = "schedule_free_radam";
    Value lr = 0.0025;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value eps = 1e-08;
    Value r = 0.0;
    Value weight_lr_power = 2.0;
    bool silent_sgd_phase = true;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("r", r);
        visit("weight_lr_power", weight_lr_power);
        visit("silent_sgd_phase", silent_sgd_phase);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
    }
};

/** ScheduleFreeSGD.
 *  Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky, 2024: The road less scheduled */
struct ScheduleFreeSGD {
    static constexpr const char *name = "schedule_free_sgd";
    Value lr = 1.0;
    Value weight_decay = 0.0;
    Value momentum = 0.9;
    Value warmup_steps = 0.0;
    Value r = 0.0;
    Value weight_lr_power = 2.0;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("momentum", momentum);
        visit("warmup_steps", warmup_steps);
        visit("r", r);
        visit("weight_lr_power", weight_lr_power);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
    }
};

/** SGD.
 *  Robbins & Monro, 1951: A stochastic approximation method; Polyak, 1964 */
struct SGD {
    static constexpr const char *name = "sgd";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    Value momentum = 0.0;
    Value dampening = 0.0;
    bool dampen_first = false;
    bool rate_in_buffer = false;
    bool nesterov = false;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("momentum", momentum);
        visit("dampening", dampening);
        visit("dampen_first", dampen_first);
        visit("rate_in_buffer", rate_in_buffer);
        visit("nesterov", nesterov);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** SignSGD.
 *  Bernstein et al., 2018: signSGD: Compressed optimisation for non-convex problems */
struct SignSGD {
    static constexpr const char *name = "signsgd";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    bool decoupled_weight_decay = true;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** Signum.
 *  Bernstein et al., 2018: signSGD: Compressed optimisation for non-convex problems */
struct Signum {
    static constexpr const char *name = "signum";
    Value lr = 0.001;
    Value weight_decay = 0.0;
    Value momentum = 0.9;
    bool decoupled_weight_decay = true;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("momentum", momentum);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** Sophia.
 *  Liu et al., 2023: Sophia: A scalable stochastic second-order optimizer */
struct Sophia {
    static constexpr const char *name = "sophia";
    Value lr = 0.0001;
    Value weight_decay = 0.1;
    Value beta1 = 0.965;
    Value beta2 = 0.99;
    Value rho = 0.04;
    Value eps = 1e-12;
    bool bias_correction = false;
    bool decoupled_weight_decay = true;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("rho", rho);
        visit("eps", eps);
        visit("bias_correction", bias_correction);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
    }
};

/** Yogi.
 *  Zaheer et al., 2018: Adaptive methods for nonconvex optimization */
struct Yogi {
    static constexpr const char *name = "yogi";
    Value lr = 0.01;
    Value weight_decay = 0.0;
    Value beta1 = 0.9;
    Value beta2 = 0.999;
    Value eps = 0.001;
    Value eps_root = 0.0;
    bool decoupled_weight_decay = false;
    bool maximize = false;
    bool cautious = false;
    bool cautious_weight_decay = false;
    double initial_accumulator_value = 1e-06;
    template <class Visit>
    void each(Visit visit) const {
        visit("lr", lr);
        visit("weight_decay", weight_decay);
        visit("beta1", beta1);
        visit("beta2", beta2);
        visit("eps", eps);
        visit("eps_root", eps_root);
        visit("decoupled_weight_decay", decoupled_weight_decay);
        visit("maximize", maximize);
        visit("cautious", cautious);
        visit("cautious_weight_decay", cautious_weight_decay);
        visit("initial_accumulator_value", initial_accumulator_value);
    }
};

} // namespace v1
} // namespace optcore

#endif
