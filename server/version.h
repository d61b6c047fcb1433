/* What this build is called. */
#ifndef SERVER_VERSION_H
#define SERVER_VERSION_H

const char *version_number(void); /* "0.1.0" */
const char *version_build(void);  /* commit, compiler */
#define VERSION_API "2026-11"     /* the wire behaviour this server follows */

#endif
