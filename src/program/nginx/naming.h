/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What name a place asks for, and checks the certificate against, as a fix. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_NAMING_H
#define TLSFAIL_PROGRAM_NGINX_NAMING_H

#include "program/nginx/fixes.h"

/* To send a server's name, the right one. */
void nginxnaming_propose_server_name(struct nginxfix_advice *advice);
bool nginxnaming_explain_server_name(const struct nginxfix_advice *advice, struct text *words);

/* The name of the server in the upstream block, where nothing but the block's was asked for. */
void nginxnaming_propose_peer_name(struct nginxfix_advice *advice);

/* A name that the certificate is for, if that may be the server that is meant. */
void nginxnaming_propose_certificate_name(struct nginxfix_advice *advice);
bool nginxnaming_explain_name(const struct nginxfix_advice *advice, struct text *words);

#endif
