package erp;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.SslOptions;
import redis.clients.jedis.util.JedisURIHelper;

/** The connection, and the names in it: from ANULA_REDIS_URL, ANULA_NAMESPACE and ANULA_REDIS_CA_FILE. */
final class Server {

    static final String NAMESPACE = setting("ANULA_NAMESPACE", "anula");
    static final String REQUESTS = NAMESPACE + ":requests";
    static final String OUTCOMES = NAMESPACE + ":outcomes";

    private Server() {}

    /** A client for redis:// and rediss://, safe to share between threads; it connects with the first command. */
    static RedisClient client() throws IOException, GeneralSecurityException {
        URI url = URI.create(setting("ANULA_REDIS_URL", "redis://127.0.0.1:6379/0"));
        var config = DefaultJedisClientConfig.builder(url)
                .connectionTimeoutMillis(5_000)
                .socketTimeoutMillis(10_000)
                .blockingSocketTimeoutMillis(10_000);
        if (JedisURIHelper.isRedisSSLScheme(url)) {
            config.sslOptions(tls()); // checks the certificate and its name
        }
        return RedisClient.builder()
                .hostAndPort(JedisURIHelper.getHostAndPort(url))
                .clientConfig(config.build())
                .build();
    }

    private static SslOptions tls() throws IOException, GeneralSecurityException {
        String caFile = setting("ANULA_REDIS_CA_FILE", "");
        return caFile.isEmpty() ? SslOptions.defaults() : trusting(Path.of(caFile));
    }

    /** Options that trust the authorities of a PEM file alone. */
    private static SslOptions trusting(Path caFile) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream pem = Files.newInputStream(caFile)) {
            int number = 0;
            for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                store.setCertificateEntry("authority-" + number++, one);
            }
        }
        char[] password = "in memory only".toCharArray();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        store.store(bytes, password);
        return SslOptions.builder()
                .trustStoreType("PKCS12")
                .truststore(() -> new ByteArrayInputStream(bytes.toByteArray()), password)
                .build();
    }

    static String setting(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }
}
