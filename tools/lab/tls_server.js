// SPDX-License-Identifier: BSD-2-Clause
// HTTPS servers of Node.js. usage: node tls_server.js FILE, which has the listeners, in JSON.
'use strict';
const fs = require('fs');
const https = require('https');
const tls = require('tls');

function serve(listener) {
	const options = {
		cert: fs.readFileSync(listener.certificate),
		key: fs.readFileSync(listener.key),
		minVersion: listener.versions[0],
		maxVersion: listener.versions[1],
	};
	if (listener.client_ca) {
		options.ca = fs.readFileSync('pki/client-ca.crt');
		options.requestCert = true;
	}
	if (listener.cipher)
		options.ciphers = listener.cipher;
	if (listener.name) {
		const context = tls.createSecureContext(options);
		options.SNICallback = (name, done) => done(
			name === listener.name ? null : new Error('no such name'), context);
	}
	https.createServer(options, (request, response) => response.end('ok\n'))
		.listen(listener.port, listener.address);
}

JSON.parse(fs.readFileSync(process.argv[2])).forEach(serve);
