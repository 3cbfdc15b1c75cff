// SPDX-License-Identifier: BSD-2-Clause
/*
 * HAProxy's keywords: of a server line where it is the client, of a bind line where it is the server.
 */
#include "program/haproxy/haproxy.h"

const struct program program_haproxy = {
	.name = "HAProxy",
	.closes_unused = true, /* health checks */
	.words = {
		[SETTING_ADDRESS] = "the address or port of that server line",
		[SETTING_PLAIN] = "that server line without ssl",
		[SETTING_SEND_SNI] = "add sni str(NAME) to that server line, with a name that the "
				     "server serves",
		[SETTING_NAME] = "verifyhost, and sni, of that server line",
		[SETTING_TRUSTED_CAS] = "the ca-file of that server line",
		[SETTING_CRL] = "crl-file",
		[SETTING_CRL_FILE] = "the crl-file of that server line",
		[SETTING_CLIENT_CERTIFICATE] = "crt of that server line",
		[SETTING_GIVE_CERTIFICATE] = "add crt to that server line, with a file that holds "
					     "certificate and key",
		[SETTING_VERSIONS] = "ssl-min-ver and ssl-max-ver of that server line",
		[SETTING_CIPHERS] = "ciphers (ciphersuites for TLS 1.3) of that server line",
		[SETTING_NO_SESSION_REUSE] = "no-ssl-reuse on that server line",
		[SETTING_CERTIFICATE] = "crt of that bind line",
		[SETTING_CERTIFICATE_FILE] = "the file of crt of that bind line",
		[SETTING_SERVER_VERSIONS] = "ssl-min-ver and ssl-max-ver of that bind line",
		[SETTING_SERVER_CIPHERS] = "ciphers (ciphersuites for TLS 1.3) of that bind line",
		[SETTING_SERVER_GROUPS] = "curves of that bind line",
		[SETTING_ACCEPT_PROXY_PROTOCOL] = "add accept-proxy to that bind line",
		[SETTING_SERVE_PROTOCOL] = "add it to alpn of that bind line if it should be "
					   "served",
		[SETTING_CLIENT_CAS] = "a CA of the ca-file of that bind line",
		[SETTING_VERIFY_CLIENT] = "verify required of that bind line",
		[SETTING_CLIENT_CRL] = "the crl-file of that bind line",
		[SETTING_RELOAD] = "reload HAProxy",
	},
};
