/* RFC 3339 for dates and times, with the length of months and of leap years; RFC 5321 without quoted local parts; RFC 1123 for names of
 * hosts; RFC 4291 for addresses; RFC 3986 for URIs. */
#include "text/string_format.h"

#include <stddef.h>

#define YEAR "[0-9]{4}"
#define LEAP_YEAR "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
#define DATE                                                                                                                             \
    "(?:" YEAR                                                                                                                           \
    "-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|" LEAP_YEAR    \
    "-02-29)"
#define TIME "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:[zZ]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
#define TIME_PART "T(?:[0-9]+H(?:[0-9]+M)?(?:[0-9]+S)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"
#define LABEL "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define HOST LABEL "(?:\\." LABEL "){0,10}"
#define ATOM "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}"
#define OCTET "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define IPV4 OCTET "(?:\\." OCTET "){3}"
#define GROUP "[0-9A-Fa-f]{1,4}"
#define IPV6                                                                                                                             \
    "(?:(?:" GROUP ":){7}" GROUP "|(?:" GROUP ":){6}" IPV4 "|(?:" GROUP ":){1,7}:|(?:" GROUP ":){1,6}:" GROUP "|(?:" GROUP               \
    ":){1,5}(?::" GROUP "){1,2}|(?:" GROUP ":){1,4}(?::" GROUP "){1,3}|(?:" GROUP ":){1,3}(?::" GROUP "){1,4}|(?:" GROUP                 \
    ":){1,2}(?::" GROUP "){1,5}|" GROUP ":(?::" GROUP "){1,6}|:(?:(?::" GROUP "){1,7}|:)|::(?:" GROUP ":){0,5}" IPV4 "|(?:" GROUP        \
    ":){1,5}:(?:" GROUP ":){0,1}" IPV4 ")"
#define HEX "[0-9A-Fa-f]"
#define URI_CHARACTER "(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})"

const char *string_format_pattern(struct str name)
{
    static const struct {
        const char *name, *pattern;
    } rows[] = {
        {"date-time", DATE "[tT]" TIME},
        {"date", DATE},
        {"time", TIME},
        {"duration", "P(?:[0-9]+W|[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?(?:" TIME_PART ")?|[0-9]+M(?:[0-9]+D)?(?:" TIME_PART
                     ")?|[0-9]+D(?:" TIME_PART ")?|" TIME_PART ")"},
        {"email", ATOM "(?:\\." ATOM "){0,4}@" HOST},
        {"hostname", HOST},
        {"ipv4", IPV4},
        {"ipv6", IPV6},
        {"uuid", HEX "{8}-" HEX "{4}-" HEX "{4}-" HEX "{4}-" HEX "{12}"},
        {"uri",
         "[A-Za-z][A-Za-z0-9+.-]{0,30}:(?://(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2}|\\[" IPV6 "\\])*(?:[/?]" URI_CHARACTER "*)?|"
         "(?:[A-Za-z0-9._~!$&'()*+,;=:@?-]|%[0-9A-Fa-f]{2}|/(?:[A-Za-z0-9._~!$&'()*+,;=:@?-]|%[0-9A-Fa-f]{2}))" URI_CHARACTER
         "*)(?:#" URI_CHARACTER "*)?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_is(name, rows[i].name))
            return rows[i].pattern;
    return NULL;
}
