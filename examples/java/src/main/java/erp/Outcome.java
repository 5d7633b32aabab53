package erp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;

/** What the ERP does with an outcome (docs/outcomes.md). Being given one twice does no harm: job and run name it. */
final class Outcome {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path FOLDER = Path.of(Server.setting("EVIDENCE_DIR", "evidence"));
    private static final PrintStream OUT =
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

    private Outcome() {}

    /**
     * Saves the evidence and does what the status asks for; here that is a line.
     *
     * @throws IOException the evidence is damaged or cannot be saved, or the status is none that is known
     */
    static void handle(String text) throws IOException {
        JsonNode outcome = JSON.readTree(text);
        String again = outcome.path("replayed").asBoolean() ? " (replayed)" : "";
        List<String> references = new ArrayList<>();
        outcome.path("references").forEach(one -> references.add(one.asText()));
        OUT.printf("%s (%s)%s %s run %s [%s]: %s%n", text(outcome, "status"), text(outcome, "reason"), again,
                text(outcome, "job"), text(outcome, "run"), String.join(", ", references), whatToDo(outcome));
        outcome.path("warnings").forEach(warning -> OUT.printf("  warning: %s%n", warning.asText()));
    }

    private static String whatToDo(JsonNode outcome) throws IOException {
        String file = outcome.path("evidence").isObject() ? saved(outcome).toString() : "none";
        String said = (text(outcome, "code") + " " + outcome.path("message").asText("")).strip();
        return switch (text(outcome, "status")) {
            case "cancelled" -> "book the cancellation; evidence: " + file;
            case "rejected" -> text(outcome, "reason").equals("invalid-request") ? toCorrect(outcome) : "not cancelled: " + said;
            case "unresolved" -> "a person has to look: " + said;
            case "revoked" -> "an operator has ended it";
            default -> throw new IOException("unknown status " + text(outcome, "status"));
        };
    }

    private static String toCorrect(JsonNode outcome) {
        List<String> errors = new ArrayList<>();
        outcome.path("errors").forEach(error -> errors.add(text(error, "field") + ": " + text(error, "problem")));
        return "correct what was handed in as " + text(outcome, "submission") + ": " + String.join("; ", errors);
    }

    /** The evidence as the provider sent it, byte for byte, in a file of its own. */
    private static Path saved(JsonNode outcome) throws IOException {
        JsonNode evidence = outcome.path("evidence");
        String content = text(evidence, "content");
        byte[] original = text(evidence, "encoding").equals("base64")
                ? Base64.getDecoder().decode(content)
                : content.getBytes(StandardCharsets.UTF_8);
        if (!sha256(original).equals(text(evidence, "sha256"))) {
            throw new IOException("the evidence does not have its sha256");
        }
        Files.createDirectories(FOLDER);
        return Files.write(FOLDER.resolve(text(outcome, "document") + "-run-" + text(outcome, "run") + ".xml"), original);
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible); // every Java has it
        }
    }

    private static String text(JsonNode node, String field) {
        return node.path(field).asText("-");
    }
}
