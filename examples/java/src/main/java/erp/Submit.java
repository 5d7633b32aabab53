package erp;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.params.XAddParams;

/** One cancellation: on the request stream (way 1) or on the Celery queue (way 2). */
public final class Submit {

    private static final String USAGE = """
            usage: erp.Submit stream|queue UUID [REFERENCE]                  a CFDI at Solución Factible
                   erp.Submit stream|queue CHBPE NPROT XJUST [REFERENCE]    a BP-e at NS
            """;
    private static final int TRIES = 3;
    private static final ObjectMapper JSON = new ObjectMapper();

    private Submit() {}

    public static void main(String[] arguments) {
        String way = arguments.length == 0 ? "" : arguments[0];
        Map<String, String> request = request(arguments);
        if (request.isEmpty() || !way.matches("stream|queue")) {
            System.err.print(USAGE);
            System.exit(2);
        }
        // In an ERP: made once for each new cancellation, and kept with the order until it was confirmed. Never the number of
        // the document or the order: what a person hands in once more would be taken for a repeat.
        String submission = Server.setting("SUBMISSION", UUID.randomUUID().toString());
        try (RedisClient client = Server.client()) {
            if (way.equals("stream")) {
                toStream(client, request, submission);
            } else {
                toQueue(client, request, submission);
            }
            System.out.println(submission);
        } catch (Exception problem) {
            System.err.println("not confirmed, hand it in again with SUBMISSION=" + submission + ": " + problem);
            System.exit(1);
        }
    }

    /** Way 1. An `invalid-request` outcome names the key as `submission`. */
    private static void toStream(RedisClient client, Map<String, String> request, String submission)
            throws IOException {
        Map<String, String> entry = Map.of("request", JSON.writeValueAsString(request), "submission", submission);
        repeated(() -> client.xadd(Server.REQUESTS, XAddParams.xAddParams(), entry));
    }

    /** Way 2, without a Celery client; the key is the task id. */
    private static void toQueue(RedisClient client, Map<String, String> request, String submission)
            throws IOException {
        String item = JSON.writeValueAsString(celeryMessage(submission, request));
        repeated(() -> client.lpush(Server.NAMESPACE, item));
    }

    /** A message of Celery's protocol 2 in the envelope that it has on Redis. */
    private static Map<String, Object> celeryMessage(String taskId, Map<String, String> request) throws IOException {
        Map<String, Object> message = new LinkedHashMap<>();
        // args, kwargs, embed: as text
        message.put("body", JSON.writeValueAsString(List.of(List.of(), Map.of("request", request), Map.of())));
        message.put("content-type", "application/json");
        message.put("content-encoding", "utf-8");
        message.put("headers", Map.of("lang", "java", "task", "anula.submit", "id", taskId));
        message.put("properties", Map.of(
                "correlation_id", taskId,
                "delivery_mode", 2,
                "delivery_tag", UUID.randomUUID().toString(),
                "delivery_info", Map.of("exchange", "", "routing_key", Server.NAMESPACE),
                "priority", 0));
        return message;
    }

    /** A command whose reply was lost is sent again: under the same key the second one changes nothing. */
    private static void repeated(Runnable command) {
        for (int attempt = 1; ; attempt++) {
            try {
                command.run();
                return;
            } catch (JedisConnectionException lost) {
                if (attempt == TRIES) {
                    throw lost;
                }
            }
        }
    }

    /** The request (docs/requests.md), every value text; empty where the arguments are too few or too many. */
    private static Map<String, String> request(String[] arguments) {
        Map<String, String> request = new LinkedHashMap<>();
        switch (arguments.length) {
            case 2, 3 -> {
                request.put("provider", "solucion-factible");
                request.put("uuid", arguments[1]);
            }
            case 4, 5 -> {
                request.put("provider", "ns-bpe");
                request.put("chBPe", arguments[1]);
                request.put("nProt", arguments[2]);
                request.put("xJust", arguments[3]);
            }
            default -> {
                return request;
            }
        }
        if (arguments.length % 2 == 1) {
            request.put("reference", arguments[arguments.length - 1]);
        }
        return request;
    }
}
