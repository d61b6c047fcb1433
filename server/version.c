/* Version and build, from the Makefile. */
#include "server/version.h"

const char *version_number(void)
{
    return SEEKD_VERSION;
}

const char *version_build(void)
{
    return SEEKD_COMMIT " " __VERSION__;
}
