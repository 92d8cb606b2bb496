// All rule files. No include guard: this is read inside one namespace per ISA level.
#include "sgd.h"
#include "momentum.h"
#include "adagrad.h"
#include "rmsprop.h"
#include "adadelta.h"
#include "adam.h"
#include "nadam.h"
#include "adafactor.h"
