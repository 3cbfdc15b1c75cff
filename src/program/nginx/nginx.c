// SPDX-License-Identifier: BSD-2-Clause
/*
 * What nginx calls things. '@' is the prefix of the module that passes: "proxy_", "grpc_", "uwsgi_".
 */
#include "program/nginx/nginx.h"

#include "program/nginx/advice.h"
#include "program/nginx/clients.h"
#include "program/nginx/errorlog.h"
#include "program/nginx/observe.h"
#include "program/nginx/place.h"

static const char *scope(const uint8_t *data, size_t len)
{
	struct nginx_places places;
	enum nginx_module module = NGINX_MODULE_PROXY;

	if (!data || !nginx_places_read(data, len, &places) || !places.count)
		return nginx_module_prefix(module);
	module = places.items[0].module;
	for (uint32_t i = 1; i < places.count; i++)
		if (places.items[i].module != module)
			module = NGINX_MODULE_PROXY;
	return nginx_module_prefix(module);
}

static void observe(const struct finding *f, const uint8_t *data, size_t len,
		    struct program_facts *facts)
{
	struct nginx_places places;

	if (nginx_places_read(data, len, &places))
		nginxplaces_observe(f, &places, facts);
}

static void advise(struct finding *f, const uint8_t *data, size_t len)
{
	struct nginx_places places;

	if (nginx_places_read(data, len, &places))
		nginxadvice_fill(f, &places);
}

const struct program program_nginx = {
	.name = "nginx",
	.peer = "upstream",
	.closes_unused = true, /* X509_check_host() shows; clients go away */
	.scope = scope,
	.words_at = nginxclients_words,
	.facts = nginxclients_facts,
	.observe = observe,
	.advise = advise,
	.log_level = errorlog_level_name,
	.words = {
		[SETTING_ADDRESS] = "the address or port in @pass or upstream",
		[SETTING_PLAIN] = "@pass http://",
		[SETTING_SEND_SNI] = "set @ssl_server_name on;",
		[SETTING_NAME] = "@ssl_name",
		[SETTING_TRUSTED_CAS] = "the file of @ssl_trusted_certificate",
		[SETTING_VERIFY_DEPTH] = "@ssl_verify_depth",
		[SETTING_CRL] = "@ssl_crl",
		[SETTING_CRL_FILE] = "the file of @ssl_crl",
		[SETTING_CLIENT_CERTIFICATE] = "@ssl_certificate",
		[SETTING_GIVE_CERTIFICATE] = "set @ssl_certificate and @ssl_certificate_key",
		[SETTING_CLIENT_CERTIFICATE_LOG] =
			("look for \"cannot load certificate\" or \"SSL_use_\" in error.log: the "
			 "file that the variables in @ssl_certificate and @ssl_certificate_key "
			 "lead to is missing, corrupt, or not readable by the worker, or OpenSSL "
			 "refuses it (a key that is too small, or not the certificate's)"),
		[SETTING_USE_TLS] = "@pass https://",
		[SETTING_OFFER_ALPN] = ("pass gRPC by grpc_pass grpcs://, which offers h2; in stream, "
			"set proxy_ssl_alpn h2; (nginx 1.31.0 and later)"),
		[SETTING_PROTOCOL] = "what is proxied (HTTP/1.1, or h2 with grpc_pass)",
		[SETTING_VERSIONS] = "@ssl_protocols",
		[SETTING_CIPHERS] = "@ssl_ciphers",
		[SETTING_GROUPS] = "@ssl_conf_command Groups",
		[SETTING_CLASSIC_GROUPS] = "@ssl_conf_command Groups X25519:P-256:P-384;",
		[SETTING_NO_SESSION_REUSE] = "@ssl_session_reuse off;",
		[SETTING_LEGACY_RENEGOTIATION] =
			"@ssl_conf_command Options UnsafeLegacyServerConnect;",
		[SETTING_LOWEST_SECURITY_LEVEL] = ("@ssl_ciphers DEFAULT:@@SECLEVEL=0; with that version "
			"in @ssl_protocols"),
		[SETTING_CONNECT_TIMEOUT] =
			"@connect_timeout covers the TCP connect and the TLS handshake together",
		[SETTING_KEEP_CONNECTIONS] =
			"set keepalive in the upstream block, so that connections are used again (that "
			"takes HTTP/1.1 and an empty Connection header)",
		[SETTING_SESSION_ORIGIN] = "here or for another location with the same @pass",
		[SETTING_SESSION_APART] =
			("; if that is already the case here, a location that shares the session "
			 "is to blame: separate them with @ssl_session_reuse off; in one of them"),
		[SETTING_CERTIFICATE] = "ssl_certificate",
		[SETTING_CERTIFICATE_FILE] = "the file of ssl_certificate",
		[SETTING_SECOND_CERTIFICATE] = "a second ssl_certificate",
		[SETTING_CERTIFICATE_LOG] =
			("look for \"cannot load certificate\" or \"SSL_use_\" in error.log: the "
			 "file that the variables in ssl_certificate and ssl_certificate_key lead "
			 "to is missing, corrupt, or not readable by the worker, or OpenSSL "
			 "refuses it (a key that is too small, or not the certificate's)"),
		[SETTING_SERVER_VERSIONS] = "ssl_protocols",
		[SETTING_SERVER_CIPHERS] = "ssl_ciphers",
		[SETTING_SERVER_GROUPS] = "ssl_ecdh_curve",
		[SETTING_ACCEPT_PROXY_PROTOCOL] = "add proxy_protocol to that listen",
		[SETTING_PLAIN_CLIENTS] =
			("; if the client is a proxy that terminates TLS itself, drop ssl from "
			 "that listen; error_page 497 can redirect users"),
		[SETTING_EXPECT_NO_PROXY_PROTOCOL] =
			"or remove proxy_protocol from every listen of that address",
		[SETTING_SERVE_WITHOUT_NAME] =
			("or give the default server of the address a certificate instead of "
			"ssl_reject_handshake"),
		[SETTING_OCSP] = "ssl_ocsp, ssl_ocsp_responder, resolver",
		[SETTING_ADD_SERVER_NAME] =
			("add the name to server_name of the right server; if nobody should ask "
			 "for that name, ssl_reject_handshake works as intended"),
		[SETTING_SERVE_PROTOCOL] =
			"add http2 to that listen (or ssl_alpn in stream) if it should be served",
		[SETTING_CLIENT_CAS] = "a CA of ssl_client_certificate",
		[SETTING_CLIENT_VERIFY_DEPTH] = "ssl_verify_depth",
		[SETTING_CLIENT_CRL] = "the file of ssl_crl",
		[SETTING_VERIFY_CLIENT] = "ssl_verify_client",
		[SETTING_CLIENT_CHECKS] = "ssl_verify_depth, ssl_crl and ssl_ocsp",
		[SETTING_CLIENT_TIMEOUT] =
			"client_header_timeout (ssl_handshake_timeout in stream)",
		[SETTING_RELOAD] = "reload nginx",
		[SETTING_LOG] = "error.log",
		[SETTING_EXIT_LOG] =
			("look for \"worker process ... exited on signal\" in error.log, and for "
			 "a shutdown or reload at that time"),
		[SETTING_ABORT_LOG] =
			("look for \"worker_connections are not enough\" in error.log, and for a "
			 "reload at that time"),
	},
};
