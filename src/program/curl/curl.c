// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options of curl's command line.
 */
#include "program/curl/curl.h"

const struct program program_curl = {
	.name = "curl",
	.compares_addresses = true,
	.words = {
		[SETTING_ADDRESS] = "the address or port in the URL",
		[SETTING_PLAIN] = "http://",
		[SETTING_SEND_SNI] = "use the server's host name in the URL, not its IP address "
				     "(--resolve maps one to the other)",
		[SETTING_NAME] = "the name in the URL",
		[SETTING_TRUSTED_CAS] = "the file of --cacert",
		[SETTING_CRL] = "--crlfile",
		[SETTING_CRL_FILE] = "the file of --crlfile",
		[SETTING_CLIENT_CERTIFICATE] = "--cert",
		[SETTING_GIVE_CERTIFICATE] = "add --cert and --key",
		[SETTING_VERSIONS] = "--tlsv1.2 and --tls-max",
		[SETTING_CIPHERS] = "--ciphers (--tls13-ciphers for TLS 1.3)",
		[SETTING_GROUPS] = "--curves",
		[SETTING_CLASSIC_GROUPS] = "--curves X25519:P-256:P-384",
		[SETTING_NO_SESSION_REUSE] = "--no-sessionid",
		[SETTING_CONNECT_TIMEOUT] = "--connect-timeout covers the TCP connect and the TLS handshake together",
		[SETTING_RELOAD] = "run it again",
		[SETTING_LOG] = "its output (-v)",
	},
};
