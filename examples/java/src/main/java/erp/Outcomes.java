package erp;

import static redis.clients.jedis.StreamEntryID.XREADGROUP_UNDELIVERED_ENTRY;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.XAutoClaimParams;
import redis.clients.jedis.params.XReadGroupParams;
import redis.clients.jedis.params.XReadParams;
import redis.clients.jedis.resps.StreamEntry;

/** Outcomes, read in three ways: on from an id, as a consumer of a group, from the channel. */
public final class Outcomes {

    private static final String USAGE = """
            usage: erp.Outcomes since FILE                       on from the id in FILE, which is kept up to date
                   erp.Outcomes group GROUP CONSUMER [SECONDS]   share with the group; take over what another left for so long (60)
                   erp.Outcomes channel                          what is published from now on
            """;
    /** So many outcomes must be handled well within the time after which another consumer takes them over. */
    private static final int PAGE = 10;
    /** Shorter than the client's own time limit for a reply. */
    private static final int BLOCK_MS = 2_000;
    private static final long LONGEST_PAUSE_MS = 5_000;
    private static final Set<String> PASSING = Set.of(
            "BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MISCONF", "NOAUTH", "NOGROUP", "NOPERM", "NOREPLICAS", "OOM",
            "READONLY", "TRYAGAIN", "UNBLOCKED", "WRONGPASS");
    private static final StreamEntryID FIRST = new StreamEntryID(0, 0);

    private final RedisClient client;

    private Outcomes(RedisClient client) {
        this.client = client;
    }

    public static void main(String[] arguments) throws InterruptedException {
        String chosen = arguments.length == 0 ? "" : arguments[0] + "/" + arguments.length;
        if (!List.of("since/2", "group/3", "group/4", "channel/1").contains(chosen)) {
            System.err.print(USAGE);
            System.exit(2);
        }
        try {
            readWithoutEnd(arguments);
        } catch (InterruptedException ended) {
            throw ended;
        } catch (Exception problem) {
            System.err.println("stopped: " + problem);
            System.exit(1);
        }
    }

    /** While Redis is away or refuses for now, it is tried again after pauses of 0.5 to 5 seconds. */
    private static void readWithoutEnd(String[] arguments) throws Exception {
        String told = "";
        long pauseMs = 500;
        while (true) {
            long triedAt = System.nanoTime();
            try (RedisClient client = Server.client()) { // a new connection finds the server that is the primary now
                new Outcomes(client).read(arguments);
            } catch (JedisException problem) {
                if (!isWaitedFor(problem)) {
                    throw problem;
                }
                if (System.nanoTime() - triedAt > LONGEST_PAUSE_MS * 1_000_000) { // it has worked in between
                    told = "";
                    pauseMs = 500;
                }
                if (!told.equals(String.valueOf(problem.getMessage()))) {
                    told = String.valueOf(problem.getMessage());
                    System.err.println("Redis does not serve, trying again: " + problem);
                }
            }
            Thread.sleep(pauseMs);
            pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
        }
    }

    /**
     * Whether Redis is away or refuses for now: a failover, a restart, a full disk, a right that an operator changes; or
     * the group is gone, which is then made anew.
     */
    private static boolean isWaitedFor(JedisException problem) {
        String words = String.valueOf(problem.getMessage());
        return problem instanceof JedisConnectionException
                || words.startsWith("ERR max number of clients")
                || PASSING.contains(words.split(" ", 2)[0]);
    }

    private void read(String[] arguments) throws IOException {
        switch (arguments[0]) {
            case "since" -> readSince(Path.of(arguments[1]));
            case "group" -> {
                double seconds = arguments.length == 4 ? Double.parseDouble(arguments[3]) : 60;
                readInGroup(arguments[1], arguments[2], (long) (seconds * 1_000));
            }
            default -> readChannel();
        }
    }

    /** Every outcome after the id in the file. One that cannot be handled ends the program, which then begins with it again. */
    private void readSince(Path file) throws IOException {
        StreamEntryID position = Files.exists(file) ? new StreamEntryID(Files.readString(file).strip()) : FIRST;
        XReadParams params = XReadParams.xReadParams().count(PAGE).block(BLOCK_MS);
        while (true) {
            for (StreamEntry entry : entries(client.xread(params, Map.of(Server.OUTCOMES, position)))) {
                Outcome.handle(entry.getFields().get("outcome"));
                replace(file, entry.getID().toString());
                position = entry.getID();
            }
        }
    }

    /** In one step: a crash leaves the old text or the new one. */
    private static void replace(Path file, String text) throws IOException {
        Path beside = Path.of(file + ".new");
        Files.writeString(beside, text);
        Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** What falls to this consumer: what it was given before, then what others have left, and what is new. */
    private void readInGroup(String group, String consumer, long takeOverAfterMs) {
        foundGroup(group);
        XReadGroupParams params = XReadGroupParams.xReadGroupParams().count(PAGE);
        List<StreamEntry> page = given(group, consumer, params, FIRST);
        while (!page.isEmpty()) {
            handlePage(group, page);
            page = given(group, consumer, params, page.get(page.size() - 1).getID());
        }
        long takeOverAt = System.nanoTime();
        while (true) {
            if (System.nanoTime() - takeOverAt >= 0) {
                takeOver(group, consumer, takeOverAfterMs);
                takeOverAt = System.nanoTime() + takeOverAfterMs * 500_000;
            }
            handlePage(group, given(group, consumer, params.block(BLOCK_MS), XREADGROUP_UNDELIVERED_ENTRY));
        }
    }

    private List<StreamEntry> given(String group, String consumer, XReadGroupParams params, StreamEntryID after) {
        return entries(client.xreadGroup(group, consumer, params, Map.of(Server.OUTCOMES, after)));
    }

    /** A new group begins with the oldest outcome that is kept (0), so that none is left out; $ would begin now. */
    private void foundGroup(String group) {
        try {
            client.xgroupCreate(Server.OUTCOMES, group, FIRST, true);
        } catch (JedisDataException problem) { // it is there, or an operator makes the groups
            if (!problem.getMessage().startsWith("BUSYGROUP") && !problem.getMessage().startsWith("NOPERM")) {
                throw problem;
            }
        }
    }

    /** Handles what was given to any consumer longer ago than that, and was not acknowledged. */
    private void takeOver(String group, String consumer, long idleMs) {
        XAutoClaimParams params = XAutoClaimParams.xAutoClaimParams().count(PAGE);
        StreamEntryID cursor = FIRST;
        do {
            var claimed = client.xautoclaim(Server.OUTCOMES, group, consumer, idleMs, cursor, params);
            handlePage(group, claimed.getValue());
            cursor = claimed.getKey();
        } while (!cursor.equals(FIRST));
    }

    /** Each is acknowledged once it was handled; one that could not be stays, and comes again by `takeOver`. */
    private void handlePage(String group, List<StreamEntry> entries) {
        for (StreamEntry entry : entries) {
            if (entry == null) {
                continue;
            }
            try {
                if (entry.getFields() == null || entry.getFields().isEmpty()) {
                    System.err.println(entry.getID() + " was removed by age before it was handled: see `anula jobs`");
                } else {
                    Outcome.handle(entry.getFields().get("outcome"));
                }
            } catch (IOException | RuntimeException problem) { // whatever is wrong with one must not hold up the next
                System.err.println(entry.getID() + " is not handled yet: " + problem);
                continue;
            }
            client.xack(Server.OUTCOMES, group, entry.getID());
        }
    }

    /** What is published while this program listens, for a screen: what comes in between two connections is missed. */
    private void readChannel() {
        client.subscribe(new JedisPubSub() {
            @Override
            public void onMessage(String channel, String text) {
                try {
                    Outcome.handle(text);
                } catch (IOException problem) {
                    System.err.println("not handled: " + problem);
                }
            }
        }, Server.OUTCOMES);
    }

    /** Those of the one stream that was read. */
    private static List<StreamEntry> entries(List<Map.Entry<String, List<StreamEntry>>> reply) {
        return reply == null || reply.isEmpty() ? List.of() : reply.get(0).getValue();
    }
}
