using System;
using System.Collections.Generic;
using StackExchange.Redis;

namespace Erp
{
    /// <summary>The connection, and the names in it: from ANULA_REDIS_URL, ANULA_NAMESPACE and ANULA_REDIS_CA_FILE.</summary>
    internal static class Server
    {
        public static readonly string Namespace = Setting("ANULA_NAMESPACE", "anula");
        public static readonly string Requests = Namespace + ":requests";
        public static readonly string Outcomes = Namespace + ":outcomes";

        /// <summary>
        /// Options for redis:// and rediss://. StackExchange.Redis does not read such addresses by itself.
        /// </summary>
        public static ConfigurationOptions Options()
        {
            var url = new Uri(Setting("ANULA_REDIS_URL", "redis://127.0.0.1:6379/0"));
            if (url.Scheme != "redis" && url.Scheme != "rediss")
            {
                throw new ArgumentException("ANULA_REDIS_URL must be redis://HOST:PORT/DB or rediss://HOST:PORT/DB");
            }
            string[] login = url.UserInfo.Split(new[] { ':' }, 2);
            string database = url.AbsolutePath.Trim('/');
            string caFile = Setting("ANULA_REDIS_CA_FILE", "");
            var options = new ConfigurationOptions
            {
                User = login[0].Length > 0 ? Uri.UnescapeDataString(login[0]) : null,
                Password = login.Length > 1 ? Uri.UnescapeDataString(login[1]) : null,
                DefaultDatabase = database.Length > 0 ? int.Parse(database) : 0,
                Ssl = url.Scheme == "rediss", // checks the certificate and its name
                SslHost = url.Host,
                ConnectTimeout = 5000,
                AsyncTimeout = 10000,
                ConfigurationChannel = "", // with TieBreaker and CommandMap: nothing that a user of docs/redis.md may not do
                TieBreaker = "",
                CommandMap = CommandMap.Create(new HashSet<string> { "CLUSTER", "CONFIG", "ECHO", "INFO" }, available: false),
                DefaultVersion = new Version(6, 2),
            };
            options.EndPoints.Add(url.Host, url.Port > 0 ? url.Port : 6379);
            if (options.Ssl && caFile.Length > 0)
            {
                options.TrustIssuer(caFile);
            }
            return options;
        }

        public static string Setting(string name, string otherwise)
        {
            string value = Environment.GetEnvironmentVariable(name);
            return string.IsNullOrEmpty(value) ? otherwise : value;
        }
    }
}
