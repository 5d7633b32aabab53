using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Threading.Tasks;
using StackExchange.Redis;

namespace Erp
{
    /// <summary>One cancellation: on the request stream (way 1) or on the Celery queue (way 2).</summary>
    internal static class Submit
    {
        private const int Tries = 3;

        /// <summary>The exit status; null where the arguments are others.</summary>
        public static async Task<int?> Run(string[] arguments)
        {
            Dictionary<string, string> request = Request(arguments);
            if (request == null || (arguments[0] != "stream" && arguments[0] != "queue"))
            {
                return null;
            }
            // In an ERP: made once for each new cancellation, and kept with the order until it was confirmed. Never the number of
            // the document or the order: what a person hands in once more would be taken for a repeat.
            string submission = Server.Setting("SUBMISSION", Guid.NewGuid().ToString());
            try
            {
                using (ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(Server.Options()))
                {
                    IDatabase redis = connection.GetDatabase();
                    bool isStream = arguments[0] == "stream";
                    await (isStream ? ToStream(redis, request, submission) : ToQueue(redis, request, submission));
                    Console.WriteLine(submission);
                    return 0;
                }
            }
            catch (Exception problem) when (problem is RedisException || problem is RedisTimeoutException)
            {
                Console.Error.WriteLine("not confirmed, hand it in again with SUBMISSION=" + submission + ": " + problem.Message);
                return 1;
            }
        }

        /// <summary>Way 1. An `invalid-request` outcome names the key as `submission`.</summary>
        private static async Task ToStream(IDatabase redis, Dictionary<string, string> request, string submission)
        {
            NameValueEntry[] entry =
            {
                new NameValueEntry("request", JsonSerializer.Serialize(request)),
                new NameValueEntry("submission", submission),
            };
            await Repeated(async () => await redis.StreamAddAsync(Server.Requests, entry));
        }

        /// <summary>Way 2, without a Celery client; the key is the task id.</summary>
        private static async Task ToQueue(IDatabase redis, Dictionary<string, string> request, string submission)
        {
            string item = JsonSerializer.Serialize(CeleryMessage(submission, request));
            await Repeated(async () => await redis.ListLeftPushAsync(Server.Namespace, item));
        }

        /// <summary>A message of Celery's protocol 2 in the envelope that it has on Redis.</summary>
        private static Dictionary<string, object> CeleryMessage(string taskId, Dictionary<string, string> request)
        {
            var none = new Dictionary<string, object>();
            var kwargs = new Dictionary<string, object> { ["request"] = request };
            return new Dictionary<string, object>
            {
                ["body"] = JsonSerializer.Serialize(new object[] { new object[0], kwargs, none }), // args, kwargs, embed: as text
                ["content-type"] = "application/json",
                ["content-encoding"] = "utf-8",
                ["headers"] = new Dictionary<string, object> { ["lang"] = "csharp", ["task"] = "anula.submit", ["id"] = taskId },
                ["properties"] = new Dictionary<string, object>
                {
                    ["correlation_id"] = taskId,
                    ["delivery_mode"] = 2,
                    ["delivery_tag"] = Guid.NewGuid().ToString(),
                    ["delivery_info"] = new Dictionary<string, object> { ["exchange"] = "", ["routing_key"] = Server.Namespace },
                    ["priority"] = 0,
                },
            };
        }

        /// <summary>
        /// A command whose reply was lost is sent again: under the same key the second one changes nothing.
        /// </summary>
        private static async Task Repeated(Func<Task> command)
        {
            for (int attempt = 1; ; attempt++)
            {
                try
                {
                    await command();
                    return;
                }
                catch (Exception lost) when (attempt < Tries && (lost is RedisConnectionException || lost is RedisTimeoutException))
                {
                    await Task.Delay(200 * attempt);
                }
            }
        }

        /// <summary>The request (docs/requests.md), every value text; null where the arguments are too few or too many.</summary>
        private static Dictionary<string, string> Request(string[] arguments)
        {
            var request = new Dictionary<string, string>();
            switch (arguments.Length)
            {
                case 2:
                case 3:
                    request["provider"] = "solucion-factible";
                    request["uuid"] = arguments[1];
                    break;
                case 4:
                case 5:
                    request["provider"] = "ns-bpe";
                    request["chBPe"] = arguments[1];
                    request["nProt"] = arguments[2];
                    request["xJust"] = arguments[3];
                    break;
                default:
                    return null;
            }
            if (arguments.Length % 2 == 1)
            {
                request["reference"] = arguments[arguments.Length - 1];
            }
            return request;
        }
    }
}
