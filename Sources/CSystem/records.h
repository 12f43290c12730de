// What getaddrinfo cannot ask; inside this target only.
#ifndef CSYSTEM_RECORDS_H
#define CSYSTEM_RECORDS_H

#include "csystem.h"

enum { csys_most_records = 64 };

/// Asks for SRV or NAPTR records, and fills the answer.
void csys_look_up_records(csys_answer *answer, const char *name);
/// Says why the resolver failed for now, which getaddrinfo does not: a response code, or no answer.
void csys_explain_silence(csys_answer *answer, const char *name);

#endif
