// SPDX-License-Identifier: BSD-2-Clause
/*
 * Directives of Apache's mod_ssl: SSLProxy... where it is the client.
 */
#include "program/apache/apache.h"

const struct program program_apache = {
	.name = "Apache",
	.words = {
		[SETTING_ADDRESS] = "the address or port in ProxyPass",
		[SETTING_PLAIN] = "http:// in ProxyPass",
		[SETTING_SEND_SNI] = "use the server's host name in ProxyPass, not its IP address",
		[SETTING_NAME] = "the host name in ProxyPass",
		[SETTING_TRUSTED_CAS] = "the file of SSLProxyCACertificateFile",
		[SETTING_VERIFY_DEPTH] = "SSLProxyVerifyDepth",
		[SETTING_CRL] = "SSLProxyCARevocationFile",
		[SETTING_CRL_FILE] = "the file of SSLProxyCARevocationFile",
		[SETTING_CLIENT_CERTIFICATE] = "SSLProxyMachineCertificateFile",
		[SETTING_GIVE_CERTIFICATE] = "set SSLProxyMachineCertificateFile to a file with "
					     "certificate and key",
		[SETTING_VERSIONS] = "SSLProxyProtocol",
		[SETTING_CIPHERS] = "SSLProxyCipherSuite",
		[SETTING_CERTIFICATE] = "SSLCertificateFile",
		[SETTING_CERTIFICATE_FILE] = "the file of SSLCertificateFile",
		[SETTING_SECOND_CERTIFICATE] = "a second SSLCertificateFile",
		[SETTING_SERVER_VERSIONS] = "SSLProtocol",
		[SETTING_SERVER_CIPHERS] = "SSLCipherSuite",
		[SETTING_SERVER_GROUPS] = "SSLOpenSSLConfCmd Groups",
		[SETTING_ADD_SERVER_NAME] = "add the name to ServerName or ServerAlias of the "
					    "right virtual host if clients should ask for it",
		[SETTING_SERVE_PROTOCOL] = "add it to Protocols if it should be served",
		[SETTING_CLIENT_CAS] = "a CA of SSLCACertificateFile",
		[SETTING_VERIFY_CLIENT] = "SSLVerifyClient",
		[SETTING_CLIENT_VERIFY_DEPTH] = "SSLVerifyDepth",
		[SETTING_CLIENT_CRL] = "the file of SSLCARevocationFile",
		[SETTING_CLIENT_CHECKS] = "SSLVerifyDepth, SSLCARevocationFile and SSLOCSPEnable",
		[SETTING_RELOAD] = "reload Apache",
		[SETTING_LOG] = "its ErrorLog",
	},
};
