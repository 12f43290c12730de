// What getaddrinfo cannot ask; inside this target only.
#ifndef CSYSTEM_RECORDS_H
#define CSYSTEM_RECORDS_H

#include "csystem.h"

/// Asks for SRV or NAPTR records, and leaves the response to be read by whoever asked.
void csys_look_up_records(csys_answer *answer, const char *name);
/// Says why the resolver failed for now, which getaddrinfo does not: a response code, or no answer.
void csys_explain_silence(csys_answer *answer, const char *name);

#endif
