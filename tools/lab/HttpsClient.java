// SPDX-License-Identifier: BSD-2-Clause
// A client of the lab: one HTTPS request to the URL of its first argument, with the CA of its second. With a third,
// so many connections instead: when its handshake is done, each sends a close_notify and leaves the peer the time to
// answer that before it is closed.
import java.io.FileInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.URL;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public class HttpsClient {
    public static void main(String[] args) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (FileInputStream ca = new FileInputStream(args[1])) {
            trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(ca));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        URL url = new URL(args[0]);
        if (args.length > 2) {
            for (int i = 0; i < Integer.parseInt(args[2]); i++) {
                try (Socket socket = new Socket(url.getHost(), url.getPort())) {
                    SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(
                            socket, url.getHost(), url.getPort(), false);
                    tls.startHandshake();
                    tls.close();
                    Thread.sleep(20);
                }
            }
            return;
        }
        HttpsURLConnection connection = (HttpsURLConnection) url.openConnection();
        connection.setSSLSocketFactory(context.getSocketFactory());
        connection.setReadTimeout(5000);
        try {
            System.out.println(connection.getResponseCode());
        } catch (IOException e) {
            System.out.println(e);
        }
    }
}
