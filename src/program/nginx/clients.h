/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nginx as the server that a client comes to: what the block that it is at says of its handshake, and
 * the fixes in that block's own words, by http, stream and mail, and by version. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_CLIENTS_H
#define TLSFAIL_PROGRAM_NGINX_CLIENTS_H

#include "program/nginx/fixes.h"
#include "program/program.h"

/* For struct program. */
unsigned int nginxclients_facts(const struct finding *finding, const uint8_t *places, size_t len);
const char *nginxclients_words(enum program_setting setting, const uint8_t *places, size_t len);

/* For struct nginxfix. */
bool nginxclients_explain_versions(const struct nginxfix_advice *advice, struct text *words);
bool nginxclients_explain_old(const struct nginxfix_advice *advice, struct text *words);
bool nginxclients_explain_cipher(const struct nginxfix_advice *advice, struct text *words);
bool nginxclients_explain_group(const struct nginxfix_advice *advice, struct text *words);
bool nginxclients_explain_name(const struct nginxfix_advice *advice, struct text *words);
bool nginxclients_explain_alpn(const struct nginxfix_advice *advice, struct text *words);

#endif
