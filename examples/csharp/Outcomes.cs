using System;
using System.Collections.Generic;
using System.IO;
using System.Threading.Tasks;
using StackExchange.Redis;

namespace Erp
{
    /// <summary>Outcomes, read in three ways: on from an id, as a consumer of a group, from the channel.</summary>
    internal static class Outcomes
    {
        private const string First = "0-0";

        /// <summary>So many outcomes must be handled well within the time after which another consumer takes them over.</summary>
        private const int Page = 10;

        private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(500);

        private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

        private static readonly HashSet<string> Passing = new HashSet<string>
        {
            "BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MISCONF", "NOAUTH", "NOGROUP", "NOPERM", "NOREPLICAS", "OOM",
            "READONLY", "TRYAGAIN", "UNBLOCKED", "WRONGPASS",
        };

        /// <summary>StackExchange.Redis shares one connection among all and never blocks it: where nothing is new, it is asked again.</summary>
        private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

        /// <summary>The exit status; null where the arguments are others.</summary>
        public static async Task<int?> Run(string[] arguments)
        {
            Func<IConnectionMultiplexer, Task> read = Chosen(arguments);
            if (read == null)
            {
                return null;
            }
            ConfigurationOptions options = Server.Options();
            options.AbortOnConnectFail = false; // it goes on trying by itself
            try
            {
                using (ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(options))
                {
                    await ReadWithoutEnd(() => read(connection));
                }
                return 0;
            }
            catch (Exception problem)
            {
                Console.Error.WriteLine("stopped: " + problem.Message);
                return 1;
            }
        }

        /// <summary>While Redis is away or refuses for now, it is tried again after pauses of 0.5 to 5 seconds.</summary>
        private static async Task ReadWithoutEnd(Func<Task> read)
        {
            string told = "";
            TimeSpan pause = ShortestPause;
            while (true)
            {
                DateTime triedAt = DateTime.UtcNow;
                try
                {
                    await read();
                }
                catch (Exception problem) when (IsWaitedFor(problem))
                {
                    if (DateTime.UtcNow - triedAt > LongestPause) // it has worked in between
                    {
                        told = "";
                        pause = ShortestPause;
                    }
                    if (told != problem.Message)
                    {
                        told = problem.Message;
                        Console.Error.WriteLine("Redis does not serve, trying again: " + told);
                    }
                }
                await Task.Delay(pause);
                pause = TimeSpan.FromTicks(Math.Min(2 * pause.Ticks, LongestPause.Ticks));
            }
        }

        /// <summary>
        /// Whether Redis is away or refuses for now: a failover, a restart, a full disk, a right that an operator changes;
        /// or the group is gone, which is then made anew.
        /// </summary>
        private static bool IsWaitedFor(Exception problem)
        {
            if (problem is RedisConnectionException || problem is RedisTimeoutException)
            {
                return true; // StackExchange.Redis finds the server that is the primary now by itself
            }
            if (problem is RedisCommandException)
            {
                return problem.Message.Contains("replica"); // it does not send a write to a server that has become one
            }
            return problem is RedisServerException
                && (problem.Message.StartsWith("ERR max number of clients") || Passing.Contains(problem.Message.Split(' ')[0]));
        }

        private static Func<IConnectionMultiplexer, Task> Chosen(string[] arguments)
        {
            string way = arguments.Length == 0 ? "" : arguments[0] + "/" + arguments.Length;
            switch (way)
            {
                case "since/2":
                    return connection => ReadSince(connection.GetDatabase(), arguments[1]);
                case "group/3":
                    return connection => ReadInGroup(connection.GetDatabase(), arguments[1], arguments[2], TimeSpan.FromMinutes(1));
                case "group/4":
                    TimeSpan takeOverAfter = TimeSpan.FromSeconds(double.Parse(arguments[3], System.Globalization.CultureInfo.InvariantCulture));
                    return connection => ReadInGroup(connection.GetDatabase(), arguments[1], arguments[2], takeOverAfter);
                case "channel/1":
                    return connection => ReadChannel(connection.GetSubscriber());
                default:
                    return null;
            }
        }

        /// <summary>
        /// Every outcome after the id in the file. One that cannot be handled ends the program, which then begins with it again.
        /// </summary>
        private static async Task ReadSince(IDatabase redis, string file)
        {
            string position = File.Exists(file) ? File.ReadAllText(file).Trim() : First;
            while (true)
            {
                StreamEntry[] entries = await redis.StreamReadAsync(Server.Outcomes, position, Page);
                foreach (StreamEntry entry in entries)
                {
                    Outcome.Handle(entry["outcome"]);
                    Replace(file, entry.Id);
                    position = entry.Id;
                }
                if (entries.Length == 0)
                {
                    await Task.Delay(Pause);
                }
            }
        }

        /// <summary>In one step: a crash leaves the old text or the new one.</summary>
        private static void Replace(string file, string text)
        {
            string beside = file + ".new";
            File.WriteAllText(beside, text);
            if (File.Exists(file))
            {
                File.Replace(beside, file, null);
            }
            else
            {
                File.Move(beside, file);
            }
        }

        /// <summary>What falls to this consumer: what it was given before, then what others have left, and what is new.</summary>
        private static async Task ReadInGroup(IDatabase redis, string group, string consumer, TimeSpan takeOverAfter)
        {
            await FoundGroup(redis, group);
            StreamEntry[] page = await redis.StreamReadGroupAsync(Server.Outcomes, group, consumer, First, Page);
            while (page.Length > 0)
            {
                await HandlePage(redis, group, page);
                page = await redis.StreamReadGroupAsync(Server.Outcomes, group, consumer, page[page.Length - 1].Id, Page);
            }
            DateTime takeOverAt = DateTime.UtcNow;
            while (true)
            {
                if (DateTime.UtcNow >= takeOverAt)
                {
                    await TakeOver(redis, group, consumer, takeOverAfter);
                    takeOverAt = DateTime.UtcNow.AddMilliseconds(takeOverAfter.TotalMilliseconds / 2);
                }
                page = await redis.StreamReadGroupAsync(Server.Outcomes, group, consumer, ">", Page);
                await HandlePage(redis, group, page);
                if (page.Length == 0)
                {
                    await Task.Delay(Pause);
                }
            }
        }

        /// <summary>A new group begins with the oldest outcome that is kept (0), so that none is left out; $ would begin now.</summary>
        private static async Task FoundGroup(IDatabase redis, string group)
        {
            try
            {
                await redis.StreamCreateConsumerGroupAsync(Server.Outcomes, group, "0", createStream: true);
            }
            catch (RedisServerException problem) when (problem.Message.StartsWith("BUSYGROUP") || problem.Message.StartsWith("NOPERM"))
            {
                // it is there, or an operator makes the groups
            }
        }

        /// <summary>Handles what was given to any consumer longer ago than that, and was not acknowledged.</summary>
        private static async Task TakeOver(IDatabase redis, string group, string consumer, TimeSpan idle)
        {
            RedisValue cursor = First;
            do
            {
                StreamAutoClaimResult claimed = await redis.StreamAutoClaimAsync(
                    Server.Outcomes, group, consumer, (long)idle.TotalMilliseconds, cursor, Page);
                await HandlePage(redis, group, claimed.ClaimedEntries);
                cursor = claimed.NextStartId;
            }
            while (cursor != First);
        }

        /// <summary>Each is acknowledged once it was handled; one that could not be stays, and comes again by `TakeOver`.</summary>
        private static async Task HandlePage(IDatabase redis, string group, StreamEntry[] entries)
        {
            foreach (StreamEntry entry in entries)
            {
                if (!entry.IsNull && IsHandled(entry))
                {
                    await redis.StreamAcknowledgeAsync(Server.Outcomes, group, entry.Id);
                }
            }
        }

        private static bool IsHandled(StreamEntry entry)
        {
            try
            {
                if (entry.Values.Length == 0)
                {
                    Console.Error.WriteLine(entry.Id + " was removed by age before it was handled: see `anula jobs`");
                }
                else
                {
                    Outcome.Handle(entry["outcome"]);
                }
                return true;
            }
            catch (Exception problem) // whatever is wrong with one must not hold up the next
            {
                Console.Error.WriteLine(entry.Id + " is not handled yet: " + problem.Message);
                return false;
            }
        }

        /// <summary>
        /// What is published while this program listens, for a screen: what comes in between two connections is missed.
        /// </summary>
        private static async Task ReadChannel(ISubscriber subscriber)
        {
            ChannelMessageQueue messages = await subscriber.SubscribeAsync(RedisChannel.Literal(Server.Outcomes));
            while (true)
            {
                ChannelMessage message = await messages.ReadAsync();
                Outcome.Handle(message.Message);
            }
        }
    }
}
