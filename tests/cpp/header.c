/* The C header, included first and alone. */
#include "optcore/optcore.h"

#include "optcore/optcore.h"

int optcore_header_is_c(void);
int optcore_header_is_c(void) { return optcore_abi_version() >> 16 == OPTCORE_ABI_VERSION >> 16; }
