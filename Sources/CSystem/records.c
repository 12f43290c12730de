#define _GNU_SOURCE
#include "records.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_examined = 1000, response_capacity = 65535 };

static const char *response_code_name(int code) {
    switch (code) {
    case ns_r_formerr: return "FORMERR";
    case ns_r_servfail: return "SERVFAIL";
    case ns_r_notimpl: return "NOTIMP";
    case ns_r_refused: return "REFUSED";
    default: return NULL;
    }
}

static void fail(csys_answer *answer, const char *reason) {
    answer->outcome = CSYS_ANSWER_FAILED;
    snprintf(answer->reason, sizeof answer->reason, "%s", reason);
}

// The unread part of a response. ns_parserr would do as well, at the price of a library beside libc.
typedef struct {
    const uint8_t *start;
    const uint8_t *next;
    const uint8_t *end;
} reader;

static bool take_number(reader *in, const uint8_t *end, uint16_t *number) {
    if (end - in->next < 2) return false;
    *number = (uint16_t)(in->next[0] << 8 | in->next[1]);
    in->next += 2;
    return true;
}

// A character string (RFC 1035 s3.3); false where it overruns `end`.
static bool take_text(reader *in, const uint8_t *end, char text[256]) {
    if (in->next >= end || end - in->next - 1 < *in->next) return false;
    size_t length = *in->next;
    memcpy(text, in->next + 1, length);
    text[length] = 0;
    in->next += 1 + length;
    return true;
}

// dn_expand follows no more jumps than the message has bytes. A name that takes more than 255 as text is refused.
static bool take_name(reader *in, char text[256]) {
    int length = dn_expand(in->start, in->end, in->next, text, 256);
    if (length < 0) return false;
    in->next += length;
    return true;
}

static bool skip_name(reader *in) {
    int length = dn_skipname(in->next, in->end);
    if (length < 0) return false;
    in->next += length;
    return true;
}

static bool read_record(reader in, const uint8_t *end, int type, csys_record *record) {
    int numbers = type == ns_t_srv ? 3 : 2, texts = type == ns_t_srv ? 0 : 3;
    for (int i = 0; i < numbers; i++) {
        if (!take_number(&in, end, &record->numbers[i])) return false;
    }
    for (int i = 0; i < texts; i++) {
        if (!take_text(&in, end, record->texts[i])) return false;
    }
    return in.next < end && take_name(&in, record->texts[texts]) && in.next <= end;
}

// Takes one resource record (RFC 1035 s4.1.3) and keeps it where it is of the type that was asked for: a CNAME on the
// way is the resolver's to follow. False where the message ends inside it.
static bool take_record(reader *in, csys_answer *answer, bool *is_malformed) {
    uint16_t type, class, high, low, length;
    if (!skip_name(in) || !take_number(in, in->end, &type) || !take_number(in, in->end, &class)
        || !take_number(in, in->end, &high) || !take_number(in, in->end, &low)
        || !take_number(in, in->end, &length) || in->end - in->next < length) {
        return false;
    }
    if (type == answer->kind && class == ns_c_in && answer->record_count < csys_most_records) {
        csys_record record = {0};
        if (read_record(*in, in->next + length, type, &record)) answer->records[answer->record_count++] = record;
        else *is_malformed = true;
    }
    in->next += length;
    return true;
}

void csys_read_response(csys_answer *answer, const uint8_t *response, size_t length) {
    reader in = {.start = response, .next = response, .end = response + length};
    uint16_t header[6];
    bool is_malformed = false;
    for (int i = 0; i < 6 && !is_malformed; i++) is_malformed = !take_number(&in, in.end, &header[i]);
    for (int i = 0; !is_malformed && i < header[2]; i++) {
        is_malformed = !skip_name(&in) || in.end - in.next < 4;
        if (!is_malformed) in.next += 4;
    }
    for (int i = 0; !is_malformed && i < header[3] && i < most_examined; i++) {
        if (!take_record(&in, answer, &is_malformed)) is_malformed = true;
    }
    if (answer->record_count > 0) answer->outcome = CSYS_ANSWER_RECORDS;
    else if (is_malformed) fail(answer, "the resolver's answer is malformed");
    else answer->outcome = CSYS_ANSWER_NO_RECORDS;
}

static void explain(csys_answer *answer, int code, const HEADER *header) {
    const char *name = header->qr ? response_code_name(header->rcode) : NULL;
    switch (code) {
    case HOST_NOT_FOUND: answer->outcome = CSYS_ANSWER_NO_SUCH_NAME; break;
    case NO_DATA: answer->outcome = CSYS_ANSWER_NO_RECORDS; break;
    default: fail(answer, name != NULL ? name : "no answer from the resolver"); break;
    }
}

static void query(csys_answer *answer, const char *name, int type, int tries) {
    struct __res_state state = {0};
    uint8_t *response = calloc(1, response_capacity);
    if (response == NULL || res_ninit(&state) != 0) {
        free(response);
        fail(answer, "the system's resolver could not be started");
        return;
    }
    if (tries > 0) {
        state.retry = tries;
        state.retrans = 1;
    }
    int length = res_nquery(&state, name, ns_c_in, type, response, response_capacity);
    if (length > response_capacity) length = response_capacity;
    if (length >= 0 && tries == 0) csys_read_response(answer, response, (size_t)length);
    else if (length < 0) explain(answer, state.res_h_errno, (const HEADER *)response);
    res_nclose(&state);
    free(response);
}

void csys_look_up_records(csys_answer *answer, const char *name) { query(answer, name, answer->kind, 0); }

void csys_explain_silence(csys_answer *answer, const char *name) {
    fail(answer, "temporary failure in name resolution");
    csys_answer probe = {.kind = answer->kind};
    query(&probe, name, answer->kind == CSYS_QUERY_IPV4 ? ns_t_a : ns_t_aaaa, 1);
    // Whatever it says now, the first question failed: only a failure explains it.
    if (probe.outcome == CSYS_ANSWER_FAILED) fail(answer, probe.reason);
}
