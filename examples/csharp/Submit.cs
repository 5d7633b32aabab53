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
            try
            {
                using (ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(Server.Options()))
                {
                    IDatabase redis = connection.GetDatabase();
                    bool isStream = arguments[0] == "stream";
                    Console.WriteLine(isStream ? await ToStream(redis, request) : await ToQueue(redis, request));
                    return 0;
                }
            }
            catch (Exception problem) when (problem is RedisException || problem is RedisTimeoutException)
            {
                Console.Error.WriteLine("not confirmed, hand it in again: " + problem.Message);
                return 1;
            }
        }

        /// <summary>Way 1. The entry's id; an `invalid-request` outcome names it as `submission`.</summary>
        private static async Task<string> ToStream(IDatabase redis, Dictionary<string, string> request)
        {
            string text = JsonSerializer.Serialize(request);
            return await Repeated(async () => (string)await redis.StreamAddAsync(Server.Requests, "request", text));
        }

        /// <summary>Way 2, without a Celery client. The task id: one message that is sent again is admitted once.</summary>
        private static async Task<string> ToQueue(IDatabase redis, Dictionary<string, string> request)
        {
            string taskId = Guid.NewGuid().ToString();
            string item = JsonSerializer.Serialize(CeleryMessage(taskId, request));
            await Repeated(async () => await redis.ListLeftPushAsync(Server.Namespace, item));
            return taskId;
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
        /// A command whose reply was lost is sent again: on the stream the second entry joins the first one's job.
        /// </summary>
        private static async Task<T> Repeated<T>(Func<Task<T>> command)
        {
            for (int attempt = 1; ; attempt++)
            {
                try
                {
                    return await command();
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
